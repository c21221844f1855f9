"""Searching periods and declarations: a statement for each choice of criteria, made once."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, Select, Table, bindparam, or_

from gateway.sources.dimona_persons import find_numbers, numbers_of_named
from gateway.sources.dimona_rows import DECLARATIONS, PERIODS, make_declaration, make_period
from gateway.storage.dimona_tables import dimona_declarations, dimona_periods, dimona_workers
from gateway.storage.employer_tables import employers
from services.calendar import BRUSSELS
from services.dimona.period import DeclarationPage, DeclarationSearch, Event, PeriodPage, PeriodSearch, WorkerName
from services.dimona.worker import make_search_key
from services.employer import EmployerReference

_P, _D, _E, _W = dimona_periods.c, dimona_declarations.c, employers.c, dimona_workers.c

# Beyond these no declaration was received, and a day cannot always be told as a moment.
_FIRST_RECEPTION, _LAST_RECEPTION = date(1970, 1, 1), date(9000, 1, 1)

Conditions = Mapping[str, ColumnElement[bool]]


def _is(name: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam(name)


def _in(name: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))


def _common(table: Table, key: Column[Any]) -> Conditions:
    """Return the conditions that both tables have. Narrowing a name by date is a part of narrowing by name."""
    named = _is("search_key", _W.search_key)
    return {
        "ssins": _in("ssins", table.c.ssin),
        "search_key": table.c.ssin.in_(numbers_of_named(named)),
        "birth_date": table.c.ssin.in_(numbers_of_named(named, _is("birth_date", _W.birth_date))),
        "register": _is("register", _E.register),
        "registration_number": _is("registration_number", table.c.employer_number),
        "enterprise_number": _is("enterprise_number", _E.enterprise_number),
        "worker_types": _in("worker_types", table.c.worker_type),
        "joint_committees": _in("joint_committees", table.c.joint_committee),
        "using_company": _is("using_company", table.c.using_company),
        "after": key > bindparam("after"),
    }


_PERIODS: Conditions = {
    **_common(dimona_periods, _P.period_id),
    "overlaps_from": or_(_P.end_date.is_(None), _P.end_date >= bindparam("overlaps_from")),
    "overlaps_until": _P.begin_date <= bindparam("overlaps_until"),
    "started_from": _P.begin_date >= bindparam("started_from"),
    "started_until": _P.begin_date <= bindparam("started_until"),
    "ended_from": _P.end_date >= bindparam("ended_from"),
    "ended_until": _P.end_date <= bindparam("ended_until"),
    "ended": _P.end_date.is_not(None),
    "not_cancelled": ~_P.cancelled,
}
_DECLARATIONS: Conditions = {
    **_common(dimona_declarations, _D.number),
    "number": _is("number", _D.number),
    "received_from": _D.received_at >= bindparam("received_from"),
    "received_before": _D.received_at < bindparam("received_before"),
}


def search_periods(connection: Connection, search: PeriodSearch, limit: int) -> PeriodPage:
    """Return at most `limit` periods that meet every criterion."""
    numbers = find_numbers(connection, search.ssins)
    criteria = _given(
        ssins=list(numbers),
        **_worker(search.worker_name),
        **_employer(search.employer),
        worker_types=list(search.worker_types),
        joint_committees=list(search.joint_committees),
        using_company=search.using_company,
        after=search.after,
        **_time(search),
        ended=search.event is Event.ENDED,
        not_cancelled=not search.include_cancelled,
    )
    rows = connection.execute(_periods(tuple(criteria)), criteria | {"most": limit + 1}).all()
    return PeriodPage(tuple(make_period(row, numbers) for row in rows[:limit]), len(rows) > limit)


def search_declarations(connection: Connection, search: DeclarationSearch, limit: int) -> DeclarationPage:
    """Return at most `limit` declarations that meet every criterion."""
    numbers = find_numbers(connection, (search.ssin,) if search.ssin is not None else ())
    criteria = _given(
        number=search.number,
        ssins=list(numbers),
        **_worker(search.worker_name),
        **_employer(search.employer),
        worker_types=[search.worker_type] if search.worker_type is not None else None,
        joint_committees=[search.joint_committee] if search.joint_committee is not None else None,
        using_company=search.using_company,
        received_from=_midnight(search.received_from) if search.received_from else None,
        received_before=_midnight(search.received_until, days=1) if search.received_until else None,
        after=search.after,
    )
    rows = connection.execute(_declarations(tuple(criteria)), criteria | {"most": limit + 1}).all()
    return DeclarationPage(tuple(make_declaration(row, numbers) for row in rows[:limit]), len(rows) > limit)


@cache
def _periods(names: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    wanted = PERIODS.where(*(_PERIODS[name] for name in names))
    return wanted.order_by(_P.period_id).limit(bindparam("most", type_=Integer))


@cache
def _declarations(names: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    wanted = DECLARATIONS.where(*(_DECLARATIONS[name] for name in names))
    return wanted.order_by(_D.number).limit(bindparam("most", type_=Integer))


def _given(**criteria: Any) -> dict[str, Any]:
    return {name: value for name, value in criteria.items() if value not in (None, [], False)}


def _worker(name: WorkerName | None) -> dict[str, Any]:
    if name is None:
        return {}
    return {"search_key": make_search_key(name.name, name.first_name), "birth_date": name.birth_date}


def _employer(reference: EmployerReference | None) -> dict[str, Any]:
    if reference is None:
        return {}
    return {
        "register": reference.register,
        "registration_number": reference.registration_number,
        "enterprise_number": reference.enterprise_number,
    }


def _time(search: PeriodSearch) -> dict[str, Any]:
    kind = {Event.STARTED: "started", Event.ENDED: "ended", None: "overlaps"}[search.event]
    return {f"{kind}_from": search.begin, f"{kind}_until": search.end}


def _midnight(day: date, days: int = 0) -> datetime:
    """Return when a day begins in Belgium, or the one so many days later."""
    day = min(max(day, _FIRST_RECEPTION), _LAST_RECEPTION) + timedelta(days=days)
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)
