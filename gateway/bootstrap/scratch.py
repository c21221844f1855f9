"""Opens a copy of the accounts of User Management, to try an import on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import insert, select

from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.user_tables import user_enterprises, user_history, user_identifiers, user_people
from gateway.users.store import UserStore


@contextmanager
def opened_scratch_store(store: UserStore, now: datetime) -> Iterator[UserStore]:
    """Give a store of its own with a copy of the accounts; nothing of it is kept."""
    with tempfile.TemporaryDirectory(prefix="ksz-users-") as directory:
        database = Database(f"sqlite:///{Path(directory) / 'scratch.db'}", connections=2)
        commit = GroupCommit(database)
        try:
            database.migrate()
            _copy_accounts(store.database, database)
            keys = SealingKeys(MonthKeys.make(Path(directory) / "keys"), X25519PrivateKey.generate().public_key())
            trail = AuditTrail(commit, keys, LogKey.generate("scratch"), lambda: now)
            yield UserStore(database, commit, trail, store.environment)
        finally:
            commit.close()
            database.close()


def _copy_accounts(source: Database, target: Database) -> None:
    """Copy what decisions rest on, table by table."""
    with source.read() as reading, target.write() as writing:
        for table in (user_history, user_enterprises, user_identifiers, user_people):
            rows = reading.execute(select(table).execution_options(yield_per=1000)).mappings()
            for part in rows.partitions():
                writing.execute(insert(table), [dict(row) for row in part])
