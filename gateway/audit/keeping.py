"""What the log needs besides its records: checkpoints kept once a minute, stamped where there is an authority."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from gateway.audit.log import Log
from gateway.audit.strangers import sum_up
from gateway.audit.time_stamp import TimeStampAuthority
from gateway.audit.trail import AuditTrail
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import audit_checkpoints

KEEP_EVERY = timedelta(minutes=1)
STAMP_OVERDUE = timedelta(minutes=5)

_kept = audit_checkpoints.c
_NEWEST = select(audit_checkpoints).order_by(_kept.size.desc()).limit(1)
_STAMPED = (
    select(func.coalesce(func.max(_kept.size), -1))
    .where(_kept.time_stamp.is_not(None))
    .correlate(None)
    .scalar_subquery()
)
_UNSTAMPED_SINCE = select(func.min(_kept.recorded_at)).where(_kept.size > _STAMPED)


class LogKeeper:
    """Keeps the log of a database; several nodes may do so side by side. `authority` is None where none is set."""

    def __init__(
        self,
        commit: GroupCommit,
        trail: AuditTrail,
        authority: TimeStampAuthority | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._commit = commit
        self._trail = trail
        self._authority = authority
        self._clock = clock

    def keep(self) -> None:
        """Do what is due now. AuditUnavailable, CommitError; TimeStampFailed, when all else is done."""
        while self._commit.run(lambda connection: sum_up(connection, self._trail, self._clock())):
            pass
        newest = self._commit.run(lambda connection: keep_checkpoint(connection, self._trail.log, self._clock()))
        if self._authority is not None and newest is not None:
            size, checkpoint = newest
            # Outside the transaction: everybody would wait for the authority.
            response = self._authority.stamp(checkpoint.encode())
            stamped = update(audit_checkpoints).where(_kept.size == size).values(time_stamp=response)
            self._commit.run(lambda connection: connection.execute(stamped))


def keep_checkpoint(connection: Connection, log: Log, now: datetime) -> tuple[int, str] | None:
    """Keep the head's checkpoint if the log grew, unless one was kept within the minute; a work.

    Returns the newest kept, by size and text, if it has no time stamp. LogBroken when the head is not what was signed.
    """
    newest = connection.execute(_NEWEST).one_or_none()
    if newest is None or now - newest.recorded_at >= KEEP_EVERY:
        size, checkpoint = log.read_head(connection)
        if size > (newest.size if newest is not None else 0):
            connection.execute(insert(audit_checkpoints), {"size": size, "checkpoint": checkpoint, "recorded_at": now})
            return size, checkpoint
    return None if newest is None or newest.time_stamp is not None else (newest.size, newest.checkpoint)


def find_overdue_stamp(connection: Connection, now: datetime) -> datetime | None:
    """Return since when no kept checkpoint has a time stamp, if that is too long."""
    since: datetime | None = connection.execute(_UNSTAMPED_SINCE).scalar_one()
    return since if since is not None and now - since > STAMP_OVERDUE else None
