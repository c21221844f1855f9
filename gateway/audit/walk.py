"""Walking through the exchanges of a time, however many there are, with little memory and no long transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from gateway.audit.record import RecordKind
from gateway.audit.search import Row
from gateway.storage.database import Database
from gateway.storage.tables import audit_records

_PAGE = 500
_COLUMNS = audit_records.c


@dataclass(frozen=True, slots=True)
class Stretch:
    """The exchanges received from `since` on and before `until`, of one client if it is named."""

    since: datetime
    until: datetime
    client: str | None = None


def count_exchanges(database: Database, stretch: Stretch) -> int:
    """Return how many exchanges the walk will give."""
    with database.read() as connection:
        return connection.execute(select(func.count()).where(*_within(stretch))).scalar_one()


def walk_exchanges(database: Database, stretch: Stretch) -> Iterator[Row]:
    """Give the exchanges in the order of their positions.

    Pages go by position: were the time named in them, each page would sort all that are left of it.
    """
    with database.read() as connection:
        extent = select(func.min(_COLUMNS.position), func.max(_COLUMNS.position)).where(*_within(stretch))
        first, last = connection.execute(extent).one()
    while first is not None and first <= last:
        page = select(audit_records).where(_COLUMNS.position.between(first, last), *_of(stretch))
        with database.read() as connection:
            rows = connection.execute(page.order_by(_COLUMNS.position).limit(_PAGE)).mappings().all()
        for row in rows:
            if stretch.since <= row["received_at"] < stretch.until:
                yield dict(row)
        first = rows[-1]["position"] + 1 if rows else None


def _of(stretch: Stretch) -> Iterator[ColumnElement[bool]]:
    yield _COLUMNS.kind == RecordKind.EXCHANGE.value
    if stretch.client is not None:
        yield _COLUMNS.client == stretch.client


def _within(stretch: Stretch) -> Iterator[ColumnElement[bool]]:
    yield _COLUMNS.received_at >= stretch.since
    yield _COLUMNS.received_at < stretch.until
    yield from _of(stretch)
