"""The audit trail: the only place that writes records, each durable before whoever recorded it goes on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection

from gateway.audit.keys import AuditKeysUnusable
from gateway.audit.log import Log, LogBroken, Place
from gateway.audit.log_key import LogKey
from gateway.audit.record import AuditRecord
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.sealing import SealedRecord, seal
from gateway.peer import source_of
from gateway.storage.conflicts import for_each_dialect
from gateway.storage.group_commit import CommitError, GroupCommit
from gateway.storage.tables import stranger_refusals

T = TypeVar("T")

# What a stranger can make us keep: of each source so many records a minute, each with so much of the message.
STRANGER_RECORDS_PER_MINUTE = 10
STRANGER_MESSAGE_BYTES = 4096

_COUNT = for_each_dialect(
    stranger_refusals,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["source", "minute"],
        set_={
            "refusals": stranger_refusals.c.refusals + 1,
            "last_refused_at": statement.excluded.last_refused_at,
            "last_code": statement.excluded.last_code,
        },
    ).returning(stranger_refusals.c.refusals),
)


class AuditUnavailable(Exception):
    """The record is not known to be durable: no reply may leave. The message names no person."""


class AuditTrail:
    """Writes records where `commit` writes, sealed under `keys`, in the log that `log_key` signs.

    `clock` gives the time of recording and of signing.
    """

    def __init__(self, commit: GroupCommit, keys: SealingKeys, log_key: LogKey, clock: Callable[[], datetime]) -> None:
        """Nothing is read or written before the first record."""
        self._commit = commit
        self._keys = keys
        self._clock = clock
        self.log = Log(log_key, clock)
        commit.before_commit(self.log.finish)

    def record(self, record: AuditRecord) -> Place:
        """Return where the record stands once it is durable; AuditUnavailable when that cannot be had."""
        sealed = self.seal(record)
        place = self._run(lambda connection: self.append(connection, sealed))
        self.log.note_durable(place)
        return place

    def record_stranger(self, record: AuditRecord) -> None:
        """Record the refusal of somebody whom no annex knows, durably, without letting him fill our disk.

        The first refusals of a source within a minute get a record each, cut to the beginning of the
        message; the others only count, in one row of `stranger_refusals`. A source is an IPv4 address or an
        IPv6 /64 network, since whoever has one IPv6 address has 2^64 of them. AuditUnavailable as in
        `record`.
        """
        count = {
            "source": source_of(record.source_address),
            "minute": record.received_at.astimezone(UTC).replace(second=0, microsecond=0),
            "refusals": 1,
            "last_refused_at": record.received_at,
            "last_code": record.code,
        }
        sealed = self.seal(replace(record, message=record.message[:STRANGER_MESSAGE_BYTES]))

        def work(connection: Connection) -> None:
            refusals = connection.execute(_COUNT[connection.dialect.name], count).scalar_one()
            if refusals <= STRANGER_RECORDS_PER_MINUTE:
                self.append(connection, sealed)

        self._run(work)

    def seal(self, record: AuditRecord) -> SealedRecord:
        """Prepare a record for `append`; AuditUnavailable without usable keys, or for a value that JSON lacks."""
        try:
            return seal(record, self._keys, self._clock())
        except (AuditKeysUnusable, TypeError) as error:
            raise AuditUnavailable(str(error)) from error

    def append(self, connection: Connection, sealed: SealedRecord) -> Place:
        """Write a sealed record in the transaction, a work of GroupCommit, of the change it is about.

        AuditUnavailable when the log is not as it was left.
        """
        try:
            return self.log.append(connection, sealed.row, sealed.further_subjects)
        except LogBroken as error:
            raise AuditUnavailable(str(error)) from error

    def _run(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._commit.run(work, repeatable=True)
        except CommitError as error:
            raise AuditUnavailable(str(error)) from error
