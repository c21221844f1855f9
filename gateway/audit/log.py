"""The log: every record a leaf of a Merkle tree, whose head is one row that each batch reads, checks, signs and writes.

All appending is done by works of `GroupCommit`, so under the one writer lock: the head is read by the first record
of a batch, and signed and written once, before the commit. A record's position is the index of its leaf. What a work
that is undone has appended is undone with it, and leaves no gap.

Nothing is appended to a head that is not what was signed, nor to one older than this process has seen: it would cover
up what was done to the log.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from gateway.audit.checkpoint import CheckpointBroken
from gateway.audit.entry import entry_octets
from gateway.audit.log_key import LogKey
from gateway.audit.tree import Frontier, leaf_hash
from gateway.storage.group_commit import notes_of
from gateway.storage.hot_statement import HotStatement
from gateway.storage.tables import audit_head, audit_records, audit_subjects

HEAD_ID = 1
# Of each batch, so by the driver's own cursor: SQLAlchemy would cost many times more than they.
_READ_HEAD = "SELECT size, frontier, checkpoint FROM audit_head"
_WRITE_HEAD = {
    "sqlite": "UPDATE audit_head SET size = ?, frontier = ?, checkpoint = ?",
    "postgresql": "UPDATE audit_head SET size = %s, frontier = %s, checkpoint = %s",
}
_WRITE_FIRST_HEAD = insert(audit_head)
_INSERT = HotStatement(insert(audit_records).inline())
_INSERT_SUBJECTS = insert(audit_subjects)


class LogBroken(Exception):
    """The head is not the one that was signed; nothing may be appended until it is put right. Names no person."""


@dataclass(slots=True)
class _Signed:
    """What is signed for a whole batch; empty before."""

    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the log. Its `checkpoint`, which covers it, is there once its batch is durable."""

    position: int
    leaf: bytes
    _signed: _Signed

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint of its batch."""
        return self._signed.checkpoint


@dataclass(frozen=True, slots=True)
class _Growth:
    """The log as a batch leaves it so far: a value, so that it is undone by forgetting it.

    `checkpoint` is what was signed before the batch; empty before the first record of all.
    """

    checkpoint: str
    frontier: Frontier
    signed: _Signed


class Log:
    """The log of one process, signed with its key; `clock` gives the time in the checkpoints."""

    def __init__(self, key: LogKey, clock: Callable[[], datetime]) -> None:
        """Nothing is read before the first record."""
        self._key = key
        self._clock = clock
        self._written: tuple[int, bytes, str] | None = None
        self._newest = 0, ""

    def append(self, connection: Connection, row: Mapping[str, Any], further_subjects: Sequence[str]) -> Place:
        """Write a row of `audit_records`, position and leaf added, and its further subjects; LogBroken."""
        notes = notes_of(connection)
        growth: _Growth = notes.get(self) or self._begin(connection)
        position = growth.frontier.size
        placed = {**row, "position": position}
        leaf = leaf_hash(entry_octets(placed, further_subjects))
        _INSERT.run(connection, {**placed, "leaf": leaf})
        if further_subjects:
            connection.execute(
                _INSERT_SUBJECTS, [{"position": position, "subject": subject} for subject in further_subjects]
            )
        notes[self] = _Growth(growth.checkpoint, growth.frontier.append(leaf), growth.signed)
        return Place(position, leaf, growth.signed)

    def note_durable(self, place: Place) -> None:
        """Take note that what was appended is durable: the log never ends before it again. Any thread may."""
        size = int(place.checkpoint.split("\n", 2)[1])
        if size > self._newest[0]:
            self._newest = size, place.checkpoint

    def finish(self, connection: Connection) -> None:
        """Sign and write the head, if anything was appended: the last step before the commit."""
        growth: _Growth | None = notes_of(connection).get(self)
        if growth is None:
            return
        frontier = growth.frontier
        checkpoint = self.sign(frontier)
        head = (frontier.size, frontier.octets, checkpoint)
        if growth.checkpoint:
            connection.connection.cursor().execute(_WRITE_HEAD[connection.dialect.name], head)
        else:
            connection.execute(
                _WRITE_FIRST_HEAD,
                {"id": HEAD_ID, "size": frontier.size, "frontier": frontier.octets, "checkpoint": checkpoint},
            )
        growth.signed.checkpoint = checkpoint
        self._written = head

    def read_head(self, connection: Connection) -> tuple[int, str]:
        """Return size and checkpoint of the log as they are before this transaction, empty at first; LogBroken."""
        growth = self._begin(connection)
        return growth.frontier.size, growth.checkpoint

    def sign(self, frontier: Frontier) -> str:
        """Return the signed checkpoint of a frontier."""
        return self._key.sign(frontier.size, frontier.root, self._clock())

    def _begin(self, connection: Connection) -> _Growth:
        cursor = connection.connection.cursor()
        cursor.execute(_READ_HEAD)
        head = cursor.fetchone()
        frontier = Frontier() if head is None else self._check(*head)
        checkpoint = "" if head is None else head[2]
        size, newest = self._newest
        if frontier.size < size:
            raise LogBroken(f"the log ends at {frontier.size}, and went as far as {size}: records were taken away")
        if frontier.size == size and checkpoint != newest:
            raise LogBroken(f"the log ends at {size} as it did, and with other records")
        self._newest = frontier.size, checkpoint
        return _Growth(checkpoint, frontier, _Signed())

    def _check(self, size: int, peaks: bytes, checkpoint: str) -> Frontier:
        """Return the frontier of a head that says what was signed; the one that was written here is not doubted."""
        try:
            frontier = Frontier.from_octets(size, peaks)
            known = (size, peaks, checkpoint) == self._written
            if not known and not self._key.is_own(checkpoint, size, frontier.root):
                signed = self._key.open(checkpoint)
                if (signed.size, signed.root) != (frontier.size, frontier.root):
                    raise LogBroken("the head of the log is not the one that was signed")
        except (ValueError, CheckpointBroken) as reason:
            raise LogBroken(f"the head of the log cannot be believed: {reason}") from None
        return frontier
