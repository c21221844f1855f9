"""The log as it stands in the database, for whoever verifies, proves or exports it; all of it from one snapshot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import merge
from typing import Any, overload

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.exc import DBAPIError

from gateway.audit.entry import entry_octets
from gateway.audit.tree import Frontier
from gateway.audit.verification import Breach, Entry, EntryUnreadable, Root
from gateway.storage.tables import audit_checkpoints, audit_head, audit_records, audit_subjects

_CHUNK = 500
_RECORDS, _SUBJECTS, _KEPT = audit_records.c, audit_subjects.c, audit_checkpoints.c


@dataclass(slots=True)
class _Reading:
    what: str


@contextmanager
def _readable(what: str) -> Iterator[_Reading]:
    """Say what cannot be read: a column holds what no writer put there, a date that is none, bytes for text."""
    reading = _Reading(what)
    try:
        yield reading
    except (DBAPIError, ValueError, TypeError, AttributeError):
        raise EntryUnreadable(f"{reading.what} is not what was recorded: it cannot be read") from None


class StoredLog:
    """The whole log, read over a connection that sees one state (`Database.read`)."""

    start = Frontier()

    def __init__(self, connection: Connection) -> None:
        """Nothing is read yet."""
        self._connection = connection

    @property
    def size(self) -> int:
        """How many entries the head is over."""
        return self._connection.execute(select(audit_head.c.size)).scalar() or 0

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint of the head; empty before the first record."""
        return self._connection.execute(select(audit_head.c.checkpoint)).scalar() or ""

    def roots(self) -> Iterator[Root]:
        """Give the kept checkpoints and the head's, by their sizes; of one size the kept one first."""
        with _readable("the head"):
            rows = self._connection.execute(select(audit_head.c.size, audit_head.c.checkpoint)).all()
            heads = [Root("the head", str(row.checkpoint), row.size) for row in rows]
        with _readable("a checkpoint that was kept"):
            yield from merge(self._kept(), heads, key=lambda root: root.size or 0)

    def _kept(self) -> Iterator[Root]:
        statement = select(_KEPT.size, _KEPT.checkpoint, _KEPT.time_stamp).order_by(_KEPT.size).limit(_CHUNK)
        chunk = statement
        while rows := self._connection.execute(chunk).all():
            for row in rows:
                yield Root(f"the checkpoint kept at {row.size}", str(row.checkpoint), row.size, stamp=row.time_stamp)
            chunk = statement.where(_KEPT.size > rows[-1].size)

    def check_end(self, end: Frontier) -> None:
        """Return if the head holds this frontier, and nothing stands after it; Breach."""
        heads = self._connection.execute(select(audit_head.c.size, audit_head.c.frontier)).all()
        if [(row.size, row.frontier) for row in heads] != ([(end.size, end.octets)] if end.size else []):
            raise Breach(f"the head does not say that the log ends after {end.size} records, as they do")
        for bound in (func.min(_SUBJECTS.position), func.max(_SUBJECTS.position)):
            position = self._connection.execute(select(bound)).scalar()
            if position is not None and not 0 <= position < end.size:
                raise Breach(f"a person is told of a record {position}, which is not there")

    def entries(self, begin: int | None = None, end: int | None = None) -> Iterator[Entry]:
        """Give the entries at positions from `begin` to before `end`, or all that are there; EntryUnreadable."""
        first = begin or 0
        with _readable(f"one of the records from {first} on") as reading:
            for rows in self._chunks(select(audit_records), begin, end):
                further = self._further_subjects(rows[0].position, rows[-1].position)
                for row in rows:
                    reading.what = f"record {row.position}"
                    yield Entry(row.position, entry_octets(row._asdict(), further.get(row.position, ())), row.leaf)
                reading.what = f"one of the records from {rows[-1].position + 1} on"

    def leaves(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the stored hashes of the leaves at these positions."""
        for rows in self._chunks(select(_RECORDS.position, _RECORDS.leaf), begin, end):
            for row in rows:
                yield row.leaf

    def _chunks(self, statement: Select[Any], begin: int | None, end: int | None) -> Iterator[Sequence[Any]]:
        """Give the rows a few hundred at a time, each asked for by itself: whoever stops early leaves nothing open."""
        statement = statement.order_by(_RECORDS.position).limit(_CHUNK)
        if end is not None:
            statement = statement.where(_RECORDS.position < end)
        chunk = statement if begin is None else statement.where(_RECORDS.position >= begin)
        while rows := self._connection.execute(chunk).all():
            yield rows
            chunk = statement.where(_RECORDS.position > rows[-1].position)

    def _further_subjects(self, first: int, last: int) -> dict[int, list[str]]:
        further: dict[int, list[str]] = {}
        statement = select(audit_subjects).where(_SUBJECTS.position >= first, _SUBJECTS.position <= last)
        for position, subject in self._connection.execute(statement):
            further.setdefault(position, []).append(subject)
        return further


class StoredLeaves(Sequence[bytes]):
    """The leaf hashes of a range of the log, read when they are walked over: slices cost nothing.

    So `gateway.audit.tree` makes paths over a log of any length, in little memory.
    """

    def __init__(self, log: StoredLog, begin: int, end: int) -> None:
        self._log = log
        self._begin = begin
        self._end = end

    def __len__(self) -> int:
        return self._end - self._begin

    def __iter__(self) -> Iterator[bytes]:
        return self._log.leaves(self._begin, self._end)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> "StoredLeaves": ...

    def __getitem__(self, index: int | slice) -> "bytes | StoredLeaves":
        if isinstance(index, int):
            return next(self._log.leaves(self._begin + index, self._begin + index + 1))
        begin, end, _ = index.indices(len(self))
        return StoredLeaves(self._log, self._begin + begin, self._begin + max(begin, end))
