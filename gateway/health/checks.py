"""The checks that ask something that can be away: the database, the audit and the sources."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from socket import gethostname
from typing import Protocol, runtime_checkable
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.audit.sealing import SealedRecord
from gateway.audit.trail import AuditTrail
from gateway.health.measure import Check, Finding
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import annex_revisions, replay_keys
from services.consultation import SourceFault
from services.health import State


@runtime_checkable
class Probe(Protocol):
    """A source that can be asked whether it answers, at next to no cost and about nobody."""

    def probe(self) -> None:
        """Return if the source answers; raise otherwise, as for any question."""
        ...


def check_source(repository: object) -> Finding:
    """Ask a source whether it answers; one that cannot be asked is never well."""
    if not isinstance(repository, Probe):
        return Finding(State.NOK, "this source cannot be measured")
    repository.probe()
    return Finding()


def check_part(part: Probe) -> Finding:
    """Ask a part of a source, without which the rest still answers."""
    try:
        part.probe()
    except SourceFault as error:
        return Finding(State.DEGRADED, type(error).__name__)
    return Finding()


def check_database(database: Database) -> Finding:
    """Read a row."""
    with database.read() as connection:
        connection.execute(select(annex_revisions.c.sequence).limit(1)).first()
    return Finding()


def make_audit_check(commit: GroupCommit, trail: AuditTrail, keys: MonthKeys, clock: Callable[[], datetime]) -> Check:
    """Return the check that writes what every message writes: the note of its admission, and its audit record.

    The note is committed, durably, and replaces the one of the measurement before; the record is sealed, inserted and
    taken back, so that the audit holds exchanges alone.
    """

    def check() -> Finding:
        now = clock()
        sealed = trail.seal(AuditRecord(ticket_cbss=str(uuid4()), received_at=now, outcome=RecordOutcome.DONE))
        commit.run(partial(_write, trail=trail, sealed=sealed, now=now))
        if keys.find(sealed.row["month"]) is None:
            return Finding(State.NOK, f"the audit keys of {sealed.row['month']} are gone from their directory")
        return Finding()

    return check


_NOTE = sha256(f"health of {gethostname()}".encode()).digest()


def _write(connection: Connection, trail: AuditTrail, sealed: SealedRecord, now: datetime) -> None:
    with connection.begin_nested() as savepoint:
        # A position of its own: on PostgreSQL the next of the sequence would be used up.
        trail.append(connection, replace(sealed, row={**sealed.row, "position": 0}))
        savepoint.rollback()
    connection.execute(delete(replay_keys).where(replay_keys.c.replay_key == _NOTE))
    connection.execute(insert(replay_keys), {"replay_key": _NOTE, "forget_at": now})
