"""A migrated database with everything that writes to it; each world is closed by the test that opened it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from databases import Databases
from sqlalchemy import select

from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.record import Sealed
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.sealing import unseal
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import audit_records

NOON = datetime(2026, 3, 10, 12, 0, 5, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that moves when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> datetime:
        self.now += timedelta(**amount)
        return self.now


@dataclass
class World:
    """What a worker has."""

    url: str
    kind: str
    database: Database
    commit: GroupCommit
    keys: MonthKeys
    log_key: LogKey
    trail: AuditTrail
    auditor_key: X25519PrivateKey
    clock: Clock = field(default_factory=Clock)

    def unseal(self, row: Any) -> Sealed:
        """Return the sealed part of a row, as the auditor reads it."""
        return unseal(row, self.keys, self.auditor_key)

    def rows(self, table: Any = audit_records) -> list[Any]:
        """Return all rows of a table, as mappings, in the order of their keys."""
        with self.database.read() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)).mappings())


@contextmanager
def open_world(databases: Databases, directory: Path) -> Iterator[World]:
    """Give a fresh world; what of it is files lies in the directory."""
    with databases.migrated(directory) as url:
        database = Database(url)
        commit = GroupCommit(database)
        clock = Clock()
        keys = MonthKeys.make(directory / "keys")
        log_key = LogKey.generate("gateway.example/audit")
        try:
            auditor_key = X25519PrivateKey.generate()
            trail = AuditTrail(commit, SealingKeys(keys, auditor_key.public_key()), log_key, clock)
            yield World(url, databases.kind, database, commit, keys, log_key, trail, auditor_key, clock)
        finally:
            commit.close()
            database.close()
