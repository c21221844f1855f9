"""The audit trail: durable before it returns, closed when it cannot be, and not to be filled by strangers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from databases import Databases, SqliteDatabases
from sqlalchemy import or_, select, text
from storage_world import NOON, World, open_world

from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.sealing import pseudonym
from gateway.audit.trail import STRANGER_MESSAGE_BYTES, STRANGER_RECORDS_PER_MINUTE, AuditUnavailable
from gateway.storage.tables import audit_records, audit_subjects, stranger_refusals

RECORD = AuditRecord(
    ticket_cbss="5a1a0c1e-0000-4000-8000-000000000001",
    received_at=NOON,
    outcome=RecordOutcome.REPLY,
    value="DATA_FOUND",
    code="MSG00000",
    client="pcsa",
    annex_revision="a" * 64,
    annex_clause="operations[0]",
    certificate="c" * 64,
    source_address="127.0.0.1",
    authentication_method="x509Token",
    organisation="cbe:0999900120",
    service="SelfEmployedService/v2",
    operation="consultCareer",
    legal_context="PCSA:SOCIAL_INQUIRY",
    deliberation="21/001",
    customer_ticket="T-1",
    criteria=("criteria/ssin",),
    delivered=("career",),
    withheld=("career/occupation",),
    subject="85660112345",
    message=b"<message/>",
)


OTHERS = ("85660112444", "85660112543")
OPEN_FIELDS = (
    "ticket_cbss",
    "received_at",
    "outcome",
    "value",
    "code",
    "client",
    "annex_revision",
    "annex_clause",
    "certificate",
    "source_address",
    "authentication_method",
    "organisation",
    "service",
    "operation",
    "legal_context",
    "deliberation",
    "customer_ticket",
    "kind",
)


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def stranger(number: int, address: str = "192.0.2.7", message: bytes = b"") -> AuditRecord:
    return AuditRecord(
        ticket_cbss=f"5a1a0c1e-0000-4000-8000-{number:012}",
        received_at=NOON,
        outcome=RecordOutcome.FAULT,
        code="wsse:FailedAuthentication",
        source_address=address,
        message=message,
    )


def test_record_holds_all_that_it_was_given(world: World) -> None:
    recorded_at = world.clock.advance(seconds=1)
    world.trail.record(RECORD)
    (row,) = world.rows()
    named = {name: row[name] for name in OPEN_FIELDS}
    assert named == {name: getattr(RECORD, name) for name in named}
    assert row["recorded_at"] == recorded_at
    assert row["month"] == "2026-03"
    assert (row["criteria"], row["delivered"], row["withheld"]) == (
        ["criteria/ssin"],
        ["career"],
        ["career/occupation"],
    )
    assert world.unseal(row)["message"] == b"<message/>"


def test_database_shows_neither_ssin_nor_message(world: World) -> None:
    world.trail.record(replace(RECORD, reason="the reason for it"))
    octets = b" ".join(
        value if isinstance(value, bytes) else str(value).encode() for row in world.rows() for value in row.values()
    )
    assert b"5a1a0c1e-0000-4000-8000-000000000001" in octets
    assert b"85660112345" not in octets
    assert b"<message/>" not in octets
    assert b"the reason" not in octets


def test_file_of_a_sqlite_database_shows_neither_ssin_nor_message(tmp_path: Path) -> None:
    """Of SQLite alone, whose files are ours to look at: nothing else of the record is in them either."""
    with open_world(SqliteDatabases(lambda: tmp_path / "template"), tmp_path / "world") as world:
        world.trail.record(replace(RECORD, reason="the reason for it"))
        octets = b"".join(path.read_bytes() for path in (tmp_path / "world").glob("ksz.db*"))
    assert b"5a1a0c1e-0000-4000-8000-000000000001" in octets
    for secret in (b"85660112345", b"<message/>", b"the reason"):
        assert secret not in octets


def records_about(world: World, ssin: str) -> set[str]:
    """Return the tickets of the records that are about a person, as an auditor finds them: by pseudonym."""
    key = world.keys.find("2026-03")
    assert key is not None
    about = pseudonym(key, ssin)
    further = select(audit_subjects.c.position).where(audit_subjects.c.subject == about)
    found = select(audit_records.c.ticket_cbss).where(
        or_(audit_records.c.subject == about, audit_records.c.position.in_(further))
    )
    with world.database.read() as connection:
        return set(connection.execute(found).scalars())


def test_each_person_that_a_record_is_about_is_found_by_pseudonym(world: World) -> None:
    world.trail.record(RECORD)
    listing = replace(RECORD, ticket_cbss="5a1a0c1e-0000-4000-8000-000000000002", further_subjects=OTHERS, left_out=4)
    world.trail.record(listing)
    assert records_about(world, "85660112345") == {RECORD.ticket_cbss, listing.ticket_cbss}
    for ssin in OTHERS:
        assert records_about(world, ssin) == {listing.ticket_cbss}
    assert records_about(world, "85660112642") == set()
    _, row = world.rows()
    assert row["left_out"] == 4
    assert world.unseal(row)["furtherSubjects"] == list(OTHERS)
    shown = str(world.rows(audit_subjects))
    assert not any(ssin in shown for ssin in OTHERS)


def test_a_record_about_one_person_takes_one_row(world: World) -> None:
    world.trail.record(RECORD)
    world.trail.record_stranger(stranger(7))
    assert len(world.rows()) == 2
    assert world.rows(audit_subjects) == []


def test_a_record_and_its_further_persons_are_written_together_or_not_at_all(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(text("ALTER TABLE audit_subjects RENAME TO audit_subjects_elsewhere"))
    with pytest.raises(AuditUnavailable):
        world.trail.record(replace(RECORD, further_subjects=OTHERS))
    assert world.rows() == []


def test_exchange_has_one_record_and_its_failed_signature_another(world: World) -> None:
    world.trail.record(RECORD)
    world.trail.record(replace(RECORD, kind=RecordKind.SIGNATURE_FAILURE))
    with pytest.raises(AuditUnavailable):
        world.trail.record(RECORD)
    assert [row["kind"] for row in world.rows()] == ["exchange", "signature failure"]


def test_without_a_database_nothing_is_recorded_and_nobody_is_named(world: World, databases: Databases) -> None:
    world.database.close()
    with databases.away(world.url), pytest.raises(AuditUnavailable) as caught:
        world.trail.record(RECORD)
    assert "85660112345" not in str(caught.value)


def test_without_keys_nothing_is_recorded(world: World, tmp_path: Path) -> None:
    (tmp_path / "keys").rmdir()
    with pytest.raises(AuditUnavailable, match="keys"):
        world.trail.record(RECORD)
    assert world.rows() == []


def test_record_that_cannot_be_sealed_is_not_silently_cut(world: World) -> None:
    with pytest.raises(AuditUnavailable, match="object cannot be sealed"):
        world.trail.record(replace(RECORD, request={"what": object()}))
    assert world.rows() == []


def test_first_refusals_of_a_stranger_have_records_and_the_others_are_counted(world: World) -> None:
    for number in range(STRANGER_RECORDS_PER_MINUTE + 5):
        world.trail.record_stranger(stranger(number))
    assert len(world.rows()) == STRANGER_RECORDS_PER_MINUTE
    (row,) = world.rows(stranger_refusals)
    assert (row["source"], row["refusals"], row["last_code"]) == (
        "192.0.2.7",
        STRANGER_RECORDS_PER_MINUTE + 5,
        "wsse:FailedAuthentication",
    )


def test_strangers_are_counted_exactly_by_concurrent_threads(world: World) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: world.trail.record_stranger(stranger(number)), range(100)))
    assert len(world.rows()) == STRANGER_RECORDS_PER_MINUTE
    assert world.rows(stranger_refusals)[0]["refusals"] == 100


def test_another_minute_and_another_address_begin_anew(world: World) -> None:
    for number in range(STRANGER_RECORDS_PER_MINUTE):
        world.trail.record_stranger(stranger(number))
    later = replace(stranger(100), received_at=NOON.replace(minute=1))
    for record in (later, stranger(101, "192.0.2.8")):
        world.trail.record_stranger(record)
    assert len(world.rows()) == STRANGER_RECORDS_PER_MINUTE + 2
    assert len(world.rows(stranger_refusals)) == 3


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("unix:" + "x" * 100, "unix:" + "x" * 59),
        (None, "unknown"),
    ],
)
def test_stranger_is_counted_by_what_he_cannot_change_at_will(world: World, address: str | None, source: str) -> None:
    world.trail.record_stranger(replace(stranger(1), source_address=address))
    assert world.rows(stranger_refusals)[0]["source"] == source


def test_of_a_strangers_message_only_the_beginning_is_kept(world: World) -> None:
    world.trail.record_stranger(stranger(1, message=b"x" * 100_000))
    assert world.unseal(world.rows()[0])["message"] == b"x" * STRANGER_MESSAGE_BYTES
