"""The history of User Management: every event ever, each chained to the one before, and the check that none changed.

Triggers refuse changes to its rows; the chain finds those that somebody made nevertheless, having become the master of
the database. Who cuts off the newest rows and puts the projections back can be found only with a head that was kept
elsewhere: `verify_history` takes one.
"""

import hashlib
import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from gateway.storage.user_tables import user_history

GENESIS = "0" * 64

_INSERT = insert(user_history)
_LAST = select(user_history.c.sequence, user_history.c.digest).order_by(user_history.c.sequence.desc()).limit(1)
_LAST_OF = (
    select(user_history.c.version)
    .where(user_history.c.enterprise == bindparam("of"))
    .order_by(user_history.c.version.desc())
    .limit(1)
)
_ALL = select(user_history).order_by(user_history.c.sequence)
_OF_ENTERPRISE = select(user_history).where(user_history.c.enterprise == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change: the name of the account, and the session in which it acts (empty: none, on this machine)."""

    name: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the history ends: the place and digest of its newest row. Kept elsewhere, it proves that none was cut."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the history; `event` is JSON text."""

    sequence: int
    enterprise: str
    version: int
    author: Author
    recorded_at: datetime
    event: str


class HistoryAltered(Exception):
    """The history is not what was written; the message says where, and quotes nothing."""


def find_head(connection: Connection) -> Head:
    """Return where the history ends now."""
    row = connection.execute(_LAST).first()
    return Head(row.sequence, row.digest) if row is not None else Head(0, GENESIS)


def append_events(
    connection: Connection, enterprise: str, version: int, events: Sequence[str], author: Author, now: datetime
) -> int:
    """Add events (JSON texts) to those of an enterprise, which has `version` of them, in the one writer's transaction.

    Returns the new version. IntegrityError when the enterprise has another version by now.
    """
    head = find_head(connection)
    rows = []
    for event in events:
        version += 1
        entry = Entry(head.sequence + 1, enterprise, version, author, now.astimezone(UTC), event)
        digest = _digest(entry, head.digest)
        rows.append(
            {
                "sequence": entry.sequence,
                "enterprise": enterprise,
                "version": version,
                "actor": author.name,
                "session": author.session,
                "recorded_at": now,
                "event": event,
                "previous": head.digest,
                "digest": digest,
            }
        )
        head = Head(entry.sequence, digest)
    if rows:
        connection.execute(_INSERT, rows)
    return version


def last_version(connection: Connection, enterprise: str) -> int:
    """Return how many events an enterprise has."""
    return connection.execute(_LAST_OF, {"of": enterprise}).scalar() or 0


def read_history(
    connection: Connection, enterprise: str, *, after: int = 0, limit: int | None = None
) -> Iterator[Entry]:
    """Yield the events of an enterprise (empty: of the operators) after a version, oldest first."""
    statement = _OF_ENTERPRISE.where(user_history.c.version > after).order_by(user_history.c.version).limit(limit)
    for row in connection.execute(statement.execution_options(yield_per=1000), {"of": enterprise}):
        yield _entry(row)


def read_whole_history(connection: Connection) -> Generator[Entry, None, None]:
    """Yield every event in the order of enterprises and versions."""
    statement = select(user_history).order_by(user_history.c.enterprise, user_history.c.version)
    with closing(connection.execute(statement.execution_options(yield_per=1000))) as rows:
        for row in rows:
            yield _entry(row)


def verify_chain(connection: Connection, kept: Head | None = None) -> Head:
    """Check every link, and that the history still has the row of a head that was kept; return where it ends.

    HistoryAltered names the first row that is missing or not as it was written.
    """
    with closing(connection.execute(_ALL.execution_options(yield_per=1000))) as rows:
        return _check_links(rows, kept)


def _check_links(rows: Iterable[Row[Any]], kept: Head | None) -> Head:
    head = Head(0, GENESIS)
    kept_found = kept is None or kept == head
    for row in rows:
        if row.sequence != head.sequence + 1:
            raise HistoryAltered(f"event {head.sequence + 1} is missing")
        if row.previous != head.digest or row.digest != _digest(_entry(row), row.previous):
            raise HistoryAltered(f"event {row.sequence} is not as it was written")
        head = Head(row.sequence, row.digest)
        kept_found = kept_found or head == kept
    if not kept_found and kept is not None:
        raise HistoryAltered(f"event {kept.sequence} is not the one whose digest was kept")
    return head


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.sequence, row.enterprise, row.version, Author(row.actor, row.session), row.recorded_at, row.event)


def _digest(entry: Entry, previous: str) -> str:
    """Hash the row with the digest before it, each value delimited by JSON."""
    values = (
        entry.sequence,
        entry.enterprise,
        entry.version,
        entry.author.name,
        entry.author.session,
        entry.recorded_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.event,
        previous,
    )
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()
