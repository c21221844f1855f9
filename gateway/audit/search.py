"""Finding records by what stands in the open, or by the person, whose pseudonym is another one each month."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from gateway.audit.keys import MonthKeys
from gateway.audit.sealing import pseudonym
from gateway.storage.tables import audit_records, audit_subjects

Row = Mapping[str, Any]
"""A row of `audit_records`, by the names of its columns."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a record must have; None asks for nothing, and so do no `kinds`.

    `since` is the first moment, `until` the first too late.
    """

    client: str | None = None
    organisation: str | None = None
    service: str | None = None
    operation: str | None = None
    outcome: str | None = None
    code: str | None = None
    kinds: tuple[str, ...] = ()
    ticket_cbss: str | None = None
    customer_ticket: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    person: str | None = None


_NOT_COLUMNS = frozenset({"kinds", "since", "until", "person"})
_COLUMNS = [each.name for each in fields(Criteria) if each.name not in _NOT_COLUMNS]


def search(
    connection: Connection, criteria: Criteria, keys: MonthKeys, *, limit: int | None = None, before: int | None = None
) -> Iterator[Row]:
    """Give the records, the newest first, at most `limit` of them, and only those at positions below `before`.

    A person is found in the months whose keys are there.
    """
    statement = select(audit_records).order_by(audit_records.c.position.desc()).limit(limit)
    statement = statement.where(*_conditions(criteria))
    if before is not None:
        statement = statement.where(audit_records.c.position < before)
    if criteria.person is not None:
        statement = statement.where(_about(criteria.person, keys))
    with connection.execute(statement.execution_options(yield_per=500)) as rows:
        for row in rows:
            yield row._asdict()


def find_record(connection: Connection, name: str) -> Sequence[Row]:
    """Return the record at a position, or those with a ticket: the exchange's own, or the client's; oldest first."""
    columns = audit_records.c
    statement = select(audit_records).order_by(columns.position)
    if name.isascii() and name.isdigit() and len(name) < 19:
        statement = statement.where(or_(columns.position == int(name), columns.customer_ticket == name))
    else:
        statement = statement.where(or_(columns.ticket_cbss == name, columns.customer_ticket == name))
    return [row._asdict() for row in connection.execute(statement)]


def _conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    columns = audit_records.c
    for name in _COLUMNS:
        wanted = getattr(criteria, name)
        if wanted is not None:
            yield columns[name] == wanted
    if criteria.kinds:
        yield columns.kind.in_(criteria.kinds)
    if criteria.since is not None:
        yield columns.received_at >= criteria.since
    if criteria.until is not None:
        yield columns.received_at < criteria.until


def _about(ssin: str, keys: MonthKeys) -> ColumnElement[bool]:
    """Return the condition that a record is about the person: asked about, told about, or both."""
    conditions = []
    for month in keys.list_months():
        key = keys.find(month)
        if key is not None:
            name = pseudonym(key, ssin)
            further = select(audit_subjects.c.position).where(audit_subjects.c.subject == name)
            of_record = or_(audit_records.c.subject == name, audit_records.c.position.in_(further))
            conditions.append(and_(audit_records.c.month == month, of_record))
    return or_(false(), *conditions)
