"""Maintenance: while an operator has closed the gateway, callers of all nodes get GTW00002 with the operator's words.

It is a row of the database. Each process looks for it twice a second and keeps what it saw: a request asks nobody, and
what was seen last counts while the database is away, as it may well be during maintenance. HealthCheck is answered all
the same, and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import maintenance
from gateway.watch import Watch
from services.health import Component, Kind, State

log = structlog.get_logger(__name__)

LONGEST_MESSAGE = 120
"""So that code, message, end and the address of the explanation fit into what the contracts hold."""
_POLL_SECONDS = 0.5


class MaintenanceRefused(Exception):
    """It cannot be begun or ended so: the message says why."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Closed by `account` since `since`; `until`, the announced end, ends nothing by itself. Times are aware."""

    message: str
    until: datetime | None
    since: datetime
    account: str

    @property
    def told(self) -> str:
        """What callers are told."""
        return f"{self.message} (expected until {self.until:%Y-%m-%d %H:%M} UTC)" if self.until else self.message


def begin_maintenance(
    commit: GroupCommit, trail: AuditTrail, message: str, until: datetime | None, account: str, now: datetime
) -> Maintenance:
    """Close the gateway, or change what is told while it is closed, and record who did; MaintenanceRefused."""
    if not message.strip() or len(message) > LONGEST_MESSAGE or not message.isprintable():
        raise MaintenanceRefused(f"the message must be one line of 1 to {LONGEST_MESSAGE} characters")
    if until is not None and until <= now:
        raise MaintenanceRefused("the announced end is past")
    begun = Maintenance(message, until.astimezone(UTC) if until else None, now, account)
    request = {"message": message, "until": until}
    sealed = trail.seal(AuditRecord.of_deed(RecordKind.MAINTENANCE, "maintenance on", account, request, now))

    def work(connection: Connection) -> None:
        connection.execute(delete(maintenance))
        row = {"id": 1, "message": message, "until": begun.until, "since": now, "account": account}
        connection.execute(insert(maintenance), row)
        trail.append(connection, sealed)

    commit.run(work)
    return begun


def end_maintenance(commit: GroupCommit, trail: AuditTrail, account: str, now: datetime) -> None:
    """Open the gateway again, and record who did; MaintenanceRefused when it is not closed."""
    sealed = trail.seal(AuditRecord.of_deed(RecordKind.MAINTENANCE, "maintenance off", account, {}, now))

    def work(connection: Connection) -> None:
        if find_maintenance(connection) is None:
            raise MaintenanceRefused("the gateway is not under maintenance")
        connection.execute(delete(maintenance))
        trail.append(connection, sealed)

    commit.run(work)


def find_maintenance(connection: Connection) -> Maintenance | None:
    """Return the maintenance that goes on; None while the gateway is open."""
    row = connection.execute(select(maintenance)).first()
    return Maintenance(row.message, row.until, row.since, row.account) if row is not None else None


class MaintenanceWatch(Watch):
    """What a process knows of maintenance; `current` costs nothing to ask."""

    def __init__(self, database: Database, poll_seconds: float = _POLL_SECONDS) -> None:
        super().__init__("maintenance", poll_seconds)
        self._database = database
        self.current: Maintenance | None = None

    def start(self) -> None:
        """Look, and go on looking."""
        self.look()
        super().start()

    def look(self) -> None:
        """Read what the database says; what was seen before stays while it does not answer."""
        try:
            with self._database.read() as connection:
                seen = find_maintenance(connection)
        except SQLAlchemyError:
            # The registry of annexes, which looks as often, says so in the log.
            return
        if seen != self.current:
            log.info("maintenance", on=seen is not None)
        self.current = seen

    def components(self, now: datetime) -> Iterator[Component]:
        """Yield the component of HealthCheck that says so, while the gateway is closed."""
        if self.current is not None:
            yield Component("maintenance", Kind.GATEWAY, State.DEGRADED, None, now, self.current.told)
