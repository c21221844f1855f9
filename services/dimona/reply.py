"""Writes answers, declarations and periods as the elements of a reply; what is None is left out."""

from collections.abc import Iterable
from typing import Any

from services.consultation import Values, present
from services.dimona.anomalies import BY_CODE
from services.dimona.declaration import (
    Anomaly,
    DeclarationAnswer,
    RecordedDeclaration,
    Refused,
)
from services.dimona.elements import write_identity, write_occupation
from services.dimona.period import EmploymentPeriod
from services.employer import REGISTRATION_NUMBERS, Employer


def make_results(answers: Iterable[DeclarationAnswer]) -> Values:
    """Return `declarationResults`, in the order given."""
    return {"declarationResult": [_make_result(number, answer) for number, answer in enumerate(answers, 1)]}


def make_declarations(declarations: Iterable[RecordedDeclaration]) -> Values:
    """Return `declarations`, in the order given."""
    return {"declaration": [_make_declaration(declaration) for declaration in declarations]}


def make_periods(periods: Iterable[EmploymentPeriod]) -> Values:
    """Return `employmentPeriods`, in the order given."""
    return {"employmentPeriod": [_make_period(period) for period in periods]}


def make_check(ssin: str, periods: Iterable[EmploymentPeriod], *, throughout: bool) -> Values:
    """Return an `employmentCheck`; without periods the worker was not in service."""
    found = [present(dimonaPeriodId=period.period_id, **write_occupation(period)) for period in periods]
    check: dict[str, Any] = {"ssin": ssin, "inService": bool(found), "throughout": throughout}
    return check | ({"employmentPeriods": {"employmentPeriod": found}} if found else {})


def _make_result(number: int, answer: DeclarationAnswer) -> Values:
    if isinstance(answer, Refused):
        anomalies = {"anomaly": [_make_anomaly(anomaly) for anomaly in answer.anomalies]}
        return {"sequenceNumber": number, "result": "REFUSED", "anomalies": anomalies}
    return {
        "sequenceNumber": number,
        "result": "ACCEPTED",
        "declarationNumber": answer.number,
        "dimonaPeriodId": answer.period_id,
        "late": answer.late,
    }


def _make_anomaly(anomaly: Anomaly) -> Values:
    return {
        "field": anomaly.field,
        "code": anomaly.code,
        "descriptions": {"description": BY_CODE[anomaly.code].describe()},
    }


def _make_declaration(recorded: RecordedDeclaration) -> Values:
    declared = recorded.declaration
    return present(
        declarationNumber=recorded.number,
        action=declared.action.value,
        receivedAt=recorded.received_at,
        late=recorded.late,
        dimonaPeriodId=recorded.period_id,
        employer=_make_employer(recorded.employer),
        worker=present(ssin=recorded.ssin, identity=write_identity(declared.identity) if declared.identity else None),
        **write_occupation(declared),
    )


def _make_period(period: EmploymentPeriod) -> Values:
    return present(
        dimonaPeriodId=period.period_id,
        employer=_make_employer(period.employer),
        worker={"ssin": period.ssin},
        **write_occupation(period),
        cancelled=period.cancelled,
        locked=period.locked,
        late=period.late,
        lastAction=period.last_action.value,
        createdAt=period.created_at,
        updatedAt=period.updated_at,
    )


def _make_employer(employer: Employer) -> Values:
    return present(
        **{REGISTRATION_NUMBERS[employer.register]: employer.registration_number},
        enterpriseNumber=employer.enterprise_number,
        name=employer.name,
    )
