"""The personnel file: what accepted declarations come to, and which new ones it can take. Pure, no I/O.

`fold` is the one function from declarations to periods; nothing else makes a period. `declare` judges declarations one
after the other, each against the file as those before it left it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.dimona.codes import is_retired
from services.dimona.declaration import (
    OPEN_END,
    Accepted,
    Action,
    Declaration,
    DeclarationAnswer,
    RecordedDeclaration,
    Refused,
    WorkerIdentity,
)
from services.dimona.lateness import is_late
from services.dimona.numbers import render_declaration_number, render_period_id
from services.dimona.period import EmploymentPeriod
from services.dimona.rules import Case, find_anomalies
from services.dimona.worker import IdentityKey, Person, Standing, make_identity_key
from services.employer import Employer

Periods = Mapping[str, EmploymentPeriod]
"""Periods by their ids."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the registers know of the persons whom declarations name.

    `persons` holds every SSIN that is declared, the numbers in force for them, and those of the periods that
    declarations name; `namesakes` the persons of each identity that is declared.
    """

    persons: Mapping[str, Person] = field(default_factory=dict, repr=False)
    namesakes: Mapping[IdentityKey, tuple[Person, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A declaration that was accepted, and its period as it left it."""

    declaration: RecordedDeclaration
    period: EmploymentPeriod


@dataclass(frozen=True, slots=True)
class Declared:
    """What became of declarations: an answer for each, and a change for each that was accepted, in their order."""

    answers: tuple[DeclarationAnswer, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many declarations and periods there were before: the next ones are numbered after them."""

    declarations: int
    periods: int


def fold(declarations: Iterable[RecordedDeclaration], periods: Periods | None = None) -> dict[str, EmploymentPeriod]:
    """Return the periods that accepted declarations, in their order, come to, after those there were."""
    file = dict(periods or {})
    for recorded in declarations:
        file[recorded.period_id] = follow(file.get(recorded.period_id), recorded)
    return file


def follow(period: EmploymentPeriod | None, recorded: RecordedDeclaration) -> EmploymentPeriod:
    """Return the period as a declaration leaves it; an IN begins it, and comes without one."""
    if period is None:
        return _begin(recorded)
    told = replace(
        period,
        late=period.late or recorded.late,
        last_action=recorded.declaration.action,
        updated_at=recorded.received_at,
    )
    if recorded.declaration.action is Action.CANCEL:
        return replace(told, cancelled=True, locked=True)
    return _move(told, recorded.declaration)


def _begin(recorded: RecordedDeclaration) -> EmploymentPeriod:
    declaration = recorded.declaration
    if declaration.features is None or declaration.begin_date is None:
        raise ValueError("a period begins with an IN, which has features and a begin")
    return EmploymentPeriod(
        period_id=recorded.period_id,
        employer=recorded.employer,
        ssin=recorded.ssin,
        features=declaration.features,
        begin_date=declaration.begin_date,
        begin_hour=declaration.begin_hour,
        end_date=None if declaration.end_date == OPEN_END else declaration.end_date,
        end_hour=declaration.end_hour,
        planned_hours=declaration.planned_hours,
        planned_days=declaration.planned_days,
        cancelled=False,
        locked=is_retired(declaration.features.worker_type),
        late=recorded.late,
        last_action=declaration.action,
        created_at=recorded.received_at,
        updated_at=recorded.received_at,
    )


def _move(period: EmploymentPeriod, declaration: Declaration) -> EmploymentPeriod:
    """Return the period with what an OUT or an UPDATE says; what it does not say stays.

    An OUT to another day takes the hour of the end away, and so does reopening; planned hours and planned days take
    each other's place.
    """
    end_date, end_hour = period.end_date, period.end_hour
    if declaration.end_date is not None:
        end_date = None if declaration.end_date == OPEN_END else declaration.end_date
        if end_date is None or (declaration.action is Action.OUT and end_date != period.end_date):
            end_hour = None
    planned_hours, planned_days = period.planned_hours, period.planned_days
    if declaration.planned_hours is not None or declaration.planned_days is not None:
        planned_hours, planned_days = declaration.planned_hours, declaration.planned_days
    return replace(
        period,
        begin_date=declaration.begin_date or period.begin_date,
        begin_hour=period.begin_hour if declaration.begin_hour is None else declaration.begin_hour,
        end_date=end_date,
        end_hour=end_hour if declaration.end_hour is None else declaration.end_hour,
        planned_hours=planned_hours,
        planned_days=planned_days,
    )


def declare(
    declarations: Iterable[Declaration],
    employer: Employer,
    received_at: datetime,
    periods: Periods,
    known: Known,
    counts: Counts,
) -> Declared:
    """Judge the declarations of an employer, received at an aware moment, and number those that are accepted.

    `periods` holds those that the declarations name, and all of this employer's with workers whom they can mean.
    """
    file = dict(periods)
    answers: list[DeclarationAnswer] = []
    changes: list[Change] = []
    for declaration in declarations:
        case, recorded = _prepare(declaration, employer, received_at, file, known, counts)
        anomalies = find_anomalies(case)
        if anomalies:
            answers.append(Refused(anomalies, case.worker.ssin if case.worker else ""))
            continue
        late = is_late(declaration, case.period, follow(case.period, recorded), received_at)
        recorded = replace(recorded, late=late)
        file[recorded.period_id] = follow(case.period, recorded)
        counts = Counts(counts.declarations + 1, counts.periods + (case.period is None))
        answers.append(Accepted(recorded.number, recorded.period_id, recorded.late, recorded.ssin))
        changes.append(Change(recorded, file[recorded.period_id]))
    return Declared(tuple(answers), tuple(changes))


def _prepare(
    declaration: Declaration,
    employer: Employer,
    received_at: datetime,
    file: Periods,
    known: Known,
    counts: Counts,
) -> tuple[Case, RecordedDeclaration]:
    """Gather what a declaration is judged by, and make its record as it will be if it is accepted in time."""
    is_in = declaration.action is Action.IN
    period = None if is_in else _find_period(declaration, employer, file)
    candidates = _find_candidates(declaration, known)
    worker = _find_worker(candidates) if is_in else (known.persons[period.ssin] if period else None)
    recorded = RecordedDeclaration(
        number=render_declaration_number(counts.declarations + 1),
        received_at=received_at,
        employer=employer,
        ssin=(period.ssin if period else worker.ssin) if worker else "",
        period_id=period.period_id if period else render_period_id(counts.periods + 1),
        declaration=declaration,
    )
    is_judged = is_in or (period is not None and not period.locked and declaration.action is not Action.CANCEL)
    others = tuple(
        each
        for each in file.values()
        if worker and each.ssin == recorded.ssin and _is_with(each, employer) and each is not period
    )
    result = follow(period, recorded) if is_judged else None
    return Case(declaration, received_at, period, candidates, worker, result, others), recorded


def _find_period(declaration: Declaration, employer: Employer, file: Periods) -> EmploymentPeriod | None:
    period = file.get(declaration.period_id or "")
    return period if period is not None and _is_with(period, employer) else None


def _is_with(period: EmploymentPeriod, employer: Employer) -> bool:
    return period.employer.registration_number == employer.registration_number


def _find_candidates(declaration: Declaration, known: Known) -> tuple[Person, ...]:
    if declaration.identity is not None:
        return known.namesakes[key_of(declaration.identity)]
    return (known.persons[declaration.ssin],) if declaration.ssin is not None else ()


def _find_worker(candidates: tuple[Person, ...]) -> Person | None:
    in_force = [each for each in candidates if each.standing is Standing.IN_FORCE]
    return in_force[0] if len(candidates) == len(in_force) == 1 else None


def key_of(identity: WorkerIdentity) -> IdentityKey:
    """Return by what a worker is recognised who is declared without SSIN."""
    return make_identity_key(identity.name, identity.first_name, identity.birth_date, identity.sex)
