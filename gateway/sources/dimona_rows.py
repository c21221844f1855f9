"""Rows of the `dimona_…` tables and the values that they hold, both ways."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row, select

from gateway.sources.dimona_persons import in_force_of
from gateway.storage.dimona_tables import dimona_declarations, dimona_periods
from gateway.storage.employer_tables import employers
from gateway.storage.tables import persons
from services.consultation import SourceAnswerInvalid
from services.dimona.declaration import Action, Declaration, DeclarationAnswer, Features, RecordedDeclaration
from services.dimona.period import EmploymentPeriod
from services.dimona.personnel_file import Change
from services.employer import Employer, Register

_FEATURES = TypeAdapter(Features)
_DECLARATION = TypeAdapter(Declaration)
_ANSWERS: TypeAdapter[tuple[DeclarationAnswer, ...]] = TypeAdapter(tuple[DeclarationAnswer, ...])

AnyRow = Row[*tuple[Any, ...]]

PERIODS, DECLARATIONS = (
    select(table, employers, in_force_of(table.c.ssin))
    .join_from(table, employers, employers.c.registration_number == table.c.employer_number)
    .join(persons, persons.c.ssin == table.c.ssin, isouter=True)
    for table in (dimona_periods, dimona_declarations)
)
"""All that there is, in rows that `make_period` and `make_declaration` read."""

_NO_NUMBERS: Mapping[str, str] = MappingProxyType({})


def make_employer(row: AnyRow) -> Employer:
    """Read the columns of `employers`."""
    return Employer(
        Register(row.register),
        row.registration_number,
        row.enterprise_number,
        row.name,
        row.natural_person,
        row.deletion_date,
    )


def make_period(row: AnyRow, numbers: Mapping[str, str] = _NO_NUMBERS) -> EmploymentPeriod:
    """Read a row of `PERIODS`; SourceAnswerInvalid for what is no period.

    `numbers` says under which number to tell what was recorded under another, by that other; else the one in force.
    """
    with _reading("a period"):
        return EmploymentPeriod(
            period_id=row.period_id,
            employer=make_employer(row),
            ssin=numbers.get(row.ssin, row.in_force),
            features=_FEATURES.validate_python(row.features),
            begin_date=row.begin_date,
            begin_hour=row.begin_hour,
            end_date=row.end_date,
            end_hour=row.end_hour,
            planned_hours=row.planned_hours,
            planned_days=row.planned_days,
            cancelled=row.cancelled,
            locked=row.locked,
            late=row.late,
            last_action=Action(row.last_action),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def make_declaration(row: AnyRow, numbers: Mapping[str, str] = _NO_NUMBERS) -> RecordedDeclaration:
    """Read a row of `DECLARATIONS` as `make_period` does; SourceAnswerInvalid for what is no declaration."""
    with _reading("a declaration"):
        return RecordedDeclaration(
            number=row.number,
            received_at=row.received_at,
            employer=make_employer(row),
            ssin=numbers.get(row.ssin, row.in_force),
            period_id=row.period_id,
            late=row.late,
            declaration=_DECLARATION.validate_python(row.declaration),
        )


def make_period_row(period: EmploymentPeriod) -> dict[str, Any]:
    """Return the row of a period."""
    return _searched(period.features) | {
        "period_id": period.period_id,
        "employer_number": period.employer.registration_number,
        "ssin": period.ssin,
        "begin_date": period.begin_date,
        "begin_hour": period.begin_hour,
        "end_date": period.end_date,
        "end_hour": period.end_hour,
        "planned_hours": period.planned_hours,
        "planned_days": period.planned_days,
        "cancelled": period.cancelled,
        "locked": period.locked,
        "late": period.late,
        "last_action": period.last_action,
        "created_at": period.created_at,
        "updated_at": period.updated_at,
        "features": _FEATURES.dump_python(period.features, mode="json", exclude_none=True),
    }


def make_declaration_row(change: Change) -> dict[str, Any]:
    """Return the row of an accepted declaration, with what it is searched by from its period."""
    recorded = change.declaration
    return _searched(change.period.features) | {
        "number": recorded.number,
        "received_at": recorded.received_at,
        "employer_number": recorded.employer.registration_number,
        "ssin": recorded.ssin,
        "period_id": recorded.period_id,
        "late": recorded.late,
        "declaration": _DECLARATION.dump_python(recorded.declaration, mode="json", exclude_none=True),
    }


def write_answers(answers: tuple[DeclarationAnswer, ...]) -> Any:
    """Return the answers of a submission as a document."""
    return _ANSWERS.dump_python(answers, mode="json")


def read_answers(document: Any) -> tuple[DeclarationAnswer, ...]:
    """Read back what `write_answers` gave; SourceAnswerInvalid for anything else."""
    with _reading("an answer"):
        return _ANSWERS.validate_python(document)


def _searched(features: Features) -> dict[str, Any]:
    using = features.using_company
    return {
        "worker_type": features.worker_type,
        "joint_committee": features.joint_committee,
        "using_company": using.enterprise_number if using else None,
    }


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except ValidationError:
        # Its text would repeat what stands there.
        raise SourceAnswerInvalid(f"the register holds {what} that cannot be read") from None
