"""Whatever is changed in a stored or exported log, `verify` finds it; a cut, against any root kept outside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_world import fill, ticket
from databases import Databases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Table, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from storage_world import World, open_world

from fixtures.persons import make_ssin
from gateway.audit.entry import entry_octets
from gateway.audit.export import ExportedLog, ExportUnreadable, roots_file, write_export
from gateway.audit.proof import Proof, prove_record, root_of_proof
from gateway.audit.stored_log import StoredLog
from gateway.audit.tree import Frontier, leaf_hash
from gateway.audit.verification import Breach, ReadableLog, Root, Verified, verify
from gateway.storage.tables import audit_checkpoints, audit_head, audit_records, audit_subjects

COUNT = 11
PERSONS = [make_ssin(date(1980, 5, 6), number) for number in range(101, 104)]
TABLES = (audit_records, audit_subjects, audit_head, audit_checkpoints)
# `id` only keeps the head to one row; when a checkpoint was kept and its token prove nothing about the log.
NOT_LOGGED = {audit_head.c.id, audit_checkpoints.c.recorded_at, audit_checkpoints.c.time_stamp}
COLUMNS = [column for table in TABLES for column in table.columns if column not in NOT_LOGGED]
examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Logged:
    """A log, and what was kept of it outside when it was shorter: by its size then, the head, and a proof."""

    world: World = field(repr=False)
    heads: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    proofs: dict[int, Proof] = field(default_factory=dict, repr=False)

    def verify(self, log: ReadableLog, *outside: Root) -> Verified:
        return verify(log, self.world.log_key.origin, self.world.log_key.public, outside)

    def assert_broken(self, connection: Connection, *outside: Root, told: str | None = None) -> None:
        with pytest.raises(Breach, match=told):
            self.verify(StoredLog(connection), *outside)

    @contextmanager
    def tampered(self) -> Iterator[Connection]:
        """Give a connection on which anything may be done, and undo it."""
        with self.world.database.write() as connection, connection.begin_nested() as savepoint:
            yield connection
            savepoint.rollback()


@pytest.fixture(scope="module")
def logged(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    with open_world(databases, tmp_path_factory.mktemp("logged")) as world:
        kept = Logged(world)
        for number in fill(world, *PERSONS, count=COUNT):
            (head,) = world.rows(audit_head)
            kept.heads[number + 1] = dict(head)
            with world.database.read() as connection:
                kept.proofs[number + 1] = prove_record(StoredLog(connection), number)
        with world.database.write() as connection:
            for size in (3, 8):
                row = {"size": size, "checkpoint": kept.heads[size]["checkpoint"], "recorded_at": world.clock()}
                connection.execute(insert(audit_checkpoints), row)
        yield kept


def test_an_untouched_log_verifies(logged: Logged) -> None:
    outside = [Root(f"head {size}", head["checkpoint"]) for size, head in logged.heads.items()]
    outside += [root_of_proof(f"proof {size}", proof) for size, proof in logged.proofs.items()]
    with logged.world.database.read() as connection:
        verified = logged.verify(StoredLog(connection), *outside)
    assert (verified.first, verified.size, verified.roots) == (0, COUNT, 3 + 2 * COUNT)


@st.composite
def changed(draw: st.DrawFn, column: Column[Any], value: Any) -> Any:
    """Return another value for the column: one bit or one character away, or none."""
    if value is None:
        return {int: 1, str: "x", list: ["x"], bytes: b"x"}[column.type.python_type]
    if column.nullable and draw(st.booleans()):
        return None
    match value:
        case bytes():
            at, bit = draw(st.integers(0, len(value) - 1)), draw(st.integers(0, 7))
            return value[:at] + bytes([value[at] ^ 1 << bit]) + value[at + 1 :]
        case str():
            at = draw(st.integers(0, len(value) - 1))
            other = draw(st.characters(min_codepoint=32, max_codepoint=383).filter(lambda char: char != value[at]))
            return value[:at] + other + value[at + 1 :]
        case int():
            return value ^ 1 << draw(st.integers(0, 30))
        case datetime():
            return value + timedelta(microseconds=1 << draw(st.integers(0, 40)))
        case list():
            return [*value, "criteria/other"] if draw(st.booleans()) or not value else value[1:]
    raise AssertionError(type(value))


@given(data=st.data())
@examples
def test_any_change_of_any_column_is_found(logged: Logged, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(COLUMNS), "column")
    row = data.draw(st.sampled_from(logged.world.rows(column.table)), "row")
    value = data.draw(changed(column, row[column.name]), "value")
    with logged.tampered() as connection:
        _set(connection, column.table, row, {column.name: value})
        logged.assert_broken(connection)


@given(data=st.data())
@examples
def test_any_deletion_is_found(logged: Logged, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from([audit_records, audit_subjects, audit_head]), "table")
    row = data.draw(st.sampled_from(logged.world.rows(table)), "row")
    with logged.tampered() as connection:
        if table is audit_records:
            connection.execute(delete(audit_subjects).where(audit_subjects.c.position == row["position"]))
        connection.execute(delete(table).where(*_key(table, row)))
        logged.assert_broken(connection)


def _key(table: Table, row: Any) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key]


def _set(connection: Connection, table: Table, row: Any, values: dict[str, Any]) -> None:
    """Change a row; what the database itself refuses is no example."""
    try:
        connection.execute(update(table).where(*_key(table, row)).values(values))
    except IntegrityError:
        assume(False)


def _further(connection: Connection, position: int) -> list[str]:
    statement = select(audit_subjects.c.subject).where(audit_subjects.c.position == position)
    return list(connection.execute(statement).scalars())


@given(position=st.sampled_from([-1, COUNT, COUNT + 1, 2**40]), source=st.integers(0, COUNT - 1), right=st.booleans())
@examples
def test_any_insertion_is_found(logged: Logged, position: int, source: int, right: bool) -> None:
    row = {**logged.world.rows()[source], "position": position, "ticket_cbss": ticket(999)}
    row["leaf"] = leaf_hash(entry_octets(row, ())) if right else row["leaf"]
    with logged.tampered() as connection:
        connection.execute(insert(audit_records), row)
        logged.assert_broken(connection)


@given(position=st.integers(0, COUNT - 1))
@examples
def test_a_person_added_to_a_record_is_found(logged: Logged, position: int) -> None:
    with logged.tampered() as connection:
        connection.execute(insert(audit_subjects), {"position": position, "subject": "f" * 64})
        logged.assert_broken(connection)


@given(one=st.integers(0, COUNT - 1), other=st.integers(0, COUNT - 1), forged=st.sampled_from(["no", "leaf", "head"]))
@examples
def test_any_reordering_is_found_however_much_is_made_to_fit(logged: Logged, one: int, other: int, forged: str) -> None:
    """Whoever writes the database can make leaves and frontier fit, but cannot sign."""
    assume(one != other)
    rows = {row["position"]: dict(row) for row in logged.world.rows()}
    with logged.tampered() as connection:
        for position in (one, other):
            connection.execute(delete(audit_subjects).where(audit_subjects.c.position == position))
            connection.execute(delete(audit_records).where(audit_records.c.position == position))
        for position, source in ((one, other), (other, one)):
            row = {**rows[source], "position": position}
            if forged != "no":
                row["leaf"] = leaf_hash(entry_octets(row, ()))
            connection.execute(insert(audit_records), row)
        if forged == "head":
            frontier = Frontier.of(StoredLog(connection).leaves())
            connection.execute(update(audit_head).values(frontier=frontier.octets))
        logged.assert_broken(connection)


@given(size=st.integers(1, COUNT - 1), data=st.data())
@examples
def test_a_cut_is_found_against_any_newer_root_kept_outside(logged: Logged, size: int, data: st.DataObject) -> None:
    newer = data.draw(st.integers(size + 1, COUNT))
    kept = data.draw(
        st.sampled_from(
            [Root("a checkpoint", logged.heads[newer]["checkpoint"]), root_of_proof("a proof", logged.proofs[newer])]
        )
    )
    with logged.tampered() as connection:
        connection.execute(delete(audit_subjects).where(audit_subjects.c.position >= size))
        connection.execute(delete(audit_records).where(audit_records.c.position >= size))
        connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > size))
        connection.execute(update(audit_head).values(logged.heads[size]))
        # Whole in itself: nothing that is left tells of the cut.
        assert logged.verify(StoredLog(connection)).size == size
        logged.assert_broken(connection, kept, told="the newest records are missing")


def test_a_log_that_was_written_anew_and_signed_with_its_own_key_is_found_from_outside(logged: Logged) -> None:
    """Whoever has the log's key too can make a log that is whole; not one with the roots that others keep."""
    with logged.tampered() as connection:
        row = dict(logged.world.rows()[4]) | {"client": "nobody"}
        row["leaf"] = leaf_hash(entry_octets(row, _further(connection, 4)))
        _set(connection, audit_records, row, {"client": "nobody", "leaf": row["leaf"]})
        connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > 4))
        frontier = Frontier.of(StoredLog(connection).leaves())
        checkpoint = logged.world.log_key.sign(frontier.size, frontier.root, logged.world.clock())
        connection.execute(update(audit_head).values(frontier=frontier.octets, checkpoint=checkpoint))
        logged.verify(StoredLog(connection))
        for size in range(5, COUNT + 1):
            logged.assert_broken(connection, Root("outside", logged.heads[size]["checkpoint"]))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("column", [audit_records.c.received_at, audit_records.c.criteria, audit_records.c.client])
def test_what_cannot_even_be_read_is_a_breach_that_says_where(logged: Logged, column: Column[Any]) -> None:
    """PostgreSQL keeps nothing that its types do not allow."""
    with logged.tampered() as connection:
        no_text = text("CAST(x'ff00' AS TEXT)")
        connection.execute(update(audit_records).where(audit_records.c.position == 6).values({column: no_text}))
        logged.assert_broken(connection, told="cannot be read")


@pytest.fixture(scope="module")
def exported(logged: Logged, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "log.jsonl"
    with logged.world.database.read() as connection:
        write_export(StoredLog(connection), path, 0, COUNT)
    return path


@pytest.fixture
def changed_export(logged: Logged, exported: Path, tmp_path: Path) -> Callable[[Path, bytes], Verified]:
    """Verify the export with other octets in one of its files."""

    def verify_changed(file: Path, octets: bytes) -> Verified:
        for path in (exported, roots_file(exported)):
            (tmp_path / path.name).write_bytes(octets if path == file else path.read_bytes())
        return logged.verify(ExportedLog(tmp_path / exported.name))

    return verify_changed


ChangedExport = Callable[[Path, bytes], Verified]


def test_an_untouched_export_verifies(exported: Path, changed_export: ChangedExport) -> None:
    assert changed_export(exported, exported.read_bytes()).size == COUNT


@given(at=st.integers(min_value=0), bit=st.integers(0, 7), roots=st.booleans())
@examples
def test_any_bit_of_an_export_that_is_changed_is_found(
    exported: Path, changed_export: ChangedExport, at: int, bit: int, roots: bool
) -> None:
    file = roots_file(exported) if roots else exported
    octets = bytearray(file.read_bytes())
    octets[at % len(octets)] ^= 1 << bit
    with pytest.raises((Breach, ExportUnreadable)):
        changed_export(file, bytes(octets))


@given(length=st.integers(min_value=0), roots=st.booleans())
@examples
def test_an_export_that_is_cut_short_is_found(
    exported: Path, changed_export: ChangedExport, length: int, roots: bool
) -> None:
    file = roots_file(exported) if roots else exported
    octets = file.read_bytes()
    with pytest.raises((Breach, ExportUnreadable)):
        changed_export(file, octets[: length % len(octets)])


@given(
    one=st.integers(0, COUNT - 1), other=st.integers(0, COUNT - 1), what=st.sampled_from(["delete", "insert", "swap"])
)
@examples
def test_lines_of_an_export_that_are_deleted_inserted_or_reordered_are_found(
    exported: Path, changed_export: ChangedExport, one: int, other: int, what: str
) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    match what:
        case "delete":
            del lines[one]
        case "insert":
            lines.insert(one, lines[other])
        case "swap":
            assume(one != other)
            lines[one], lines[other] = lines[other], lines[one]
    with pytest.raises(Breach):
        changed_export(exported, b"".join(lines))
