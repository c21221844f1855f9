"""Records that were there before the log become its leaves, and stay when it is forgotten again."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from databases import Databases
from sqlalchemy import column, insert, select, table
from storage_world import NOON, World
from test_audit_log import record, verified

from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.sealing import seal
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import audit_head, audit_records, audit_subjects

FORMER = [column for column in audit_records.columns if column.name not in ("position", "leaf", "refusals")]
SUBJECTS = ("85660112444", "85660112543")


def fill(database: Database, keys: SealingKeys, count: int, first: int = 1) -> None:
    """Write records as a version without a log did, with gaps in their positions."""
    before = table("audit_records", column("position"), *(column(each.name, each.type) for each in FORMER))
    with database.write() as connection:
        for number in range(first, first + count):
            sealed = seal(record(number, further_subjects=SUBJECTS[: number % 3]), keys, NOON)
            row = {name: value for name, value in sealed.row.items() if name != "refusals"}
            position = 3 * number
            connection.execute(insert(before), {**row, "position": position})
            for subject in sealed.further_subjects:
                connection.execute(insert(audit_subjects), {"position": position, "subject": subject})


@pytest.mark.parametrize("count", [0, 7, 1203])
def test_records_become_leaves_and_stay_when_the_log_is_forgotten(
    databases: Databases, tmp_path: Path, count: int
) -> None:
    log_key, auditor_key = LogKey.generate("gateway.example/audit"), X25519PrivateKey.generate()
    keys = MonthKeys.make(tmp_path / "keys")
    sealing = SealingKeys(keys, auditor_key.public_key())
    with databases.empty(tmp_path) as url:
        database = Database(url)
        commit = GroupCommit(database)
        trail = AuditTrail(commit, sealing, log_key, lambda: NOON)
        database.migrate(sign_head=trail.log.sign)
        database.downgrade("0009")
        fill(database, sealing, count)
        before = contents(database)
        database.migrate(sign_head=trail.log.sign)
        world = World(url, databases.kind, database, commit, keys, log_key, trail, auditor_key)
        assert [each[1:] for each in contents(database)] == [each[1:] for each in before]
        if count:
            assert verified(world) == count
        else:
            assert world.rows(audit_head) == []
        trail.record(record(count + 1))
        assert verified(world) == count + 1
        database.downgrade("0009")
        assert [each[1:] for each in contents(database)][:count] == [each[1:] for each in before]
        fill(database, sealing, 2, first=count + 2)
        database.migrate(sign_head=trail.log.sign)
        assert verified(world) == count + 3
        commit.close()
        database.close()


def contents(database: Database) -> list[tuple[Any, ...]]:
    """Return each record's position, ticket and further subjects, in their order."""
    positions = table("audit_records", column("position"), column("ticket_cbss"))
    with database.read() as connection:
        subjects: dict[int, list[str]] = {}
        for position, subject in connection.execute(select(audit_subjects)):
            subjects.setdefault(position, []).append(subject)
        rows = connection.execute(select(positions).order_by(positions.c.position)).all()
        return [(position, ticket, sorted(subjects.get(position, []))) for position, ticket in rows]


def test_records_are_not_migrated_without_the_key_that_signs_them(databases: Databases, tmp_path: Path) -> None:
    """All of the change is made or none: the records stay as they were."""
    with databases.empty(tmp_path) as url:
        database = Database(url)
        database.migrate()
        database.downgrade("0009")
        fill(database, SealingKeys(MonthKeys.make(tmp_path / "keys"), X25519PrivateKey.generate().public_key()), 3)
        before = contents(database)
        with pytest.raises(KeyError, match="sign_head"):
            database.migrate()
        assert contents(database) == before
        assert not database.is_current()
        database.close()
