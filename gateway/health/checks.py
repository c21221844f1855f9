"""The checks that ask something that can be away: the database, the audit and the sources."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from socket import gethostname
from typing import Protocol, runtime_checkable
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from gateway.audit.keeping import find_overdue_stamp
from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.audit.sealing import SealedRecord
from gateway.audit.trail import AuditTrail, AuditUnavailable
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


def make_audit_check(
    commit: GroupCommit, trail: AuditTrail, keys: MonthKeys, clock: Callable[[], datetime], *, time_stamps: bool
) -> Check:
    """Return the check that writes what every message writes: the note of its admission, and its audit record.

    The note is committed, durably, and replaces the one of the measurement before; the record is sealed, appended to
    the log, whose head must be as it was signed, and taken back, so that the audit holds exchanges alone. With
    `time_stamps`, the check says too when none comes.
    """

    def check() -> Finding:
        now = clock()
        sealed = trail.seal(AuditRecord(ticket_cbss=str(uuid4()), received_at=now, outcome=RecordOutcome.DONE))
        try:
            with suppress(_TakenBack):
                commit.run(partial(_append_and_take_back, trail=trail, sealed=sealed))
        except AuditUnavailable as error:
            return Finding(State.NOK, str(error))
        commit.run(partial(_note, now=now))
        if keys.find(sealed.row["month"]) is None:
            return Finding(State.NOK, f"the audit keys of {sealed.row['month']} are gone from their directory")
        overdue = commit.run(partial(find_overdue_stamp, now=now)) if time_stamps else None
        if overdue is not None:
            return Finding(State.DEGRADED, f"no time stamp of a checkpoint since {overdue:%Y-%m-%dT%H:%M:%SZ}")
        return Finding()

    return check


_NOTE = sha256(f"health of {gethostname()}".encode()).digest()


class _TakenBack(Exception):
    """Raised by a work so that it is undone."""


def _append_and_take_back(connection: Connection, trail: AuditTrail, sealed: SealedRecord) -> None:
    trail.append(connection, sealed)
    raise _TakenBack


def _note(connection: Connection, now: datetime) -> None:
    connection.execute(delete(replay_keys).where(replay_keys.c.replay_key == _NOTE))
    connection.execute(insert(replay_keys), {"replay_key": _NOTE, "forget_at": now})
