"""Writes answers, declarations and periods as the elements of a reply; what is None is left out."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from services.consultation import Values
from services.dimona.anomalies import BY_CODE
from services.dimona.declaration import (
    Anomaly,
    DeclarationAnswer,
    Features,
    RecordedDeclaration,
    Refused,
    UsingCompany,
    WorkerIdentity,
)
from services.dimona.period import EmploymentPeriod
from services.employer import Employer, Register

_NUMBERS: Mapping[Register, str] = {
    Register.NSSO: "nssoRegistrationNumber",
    Register.NSSO_PPO: "nssoPpoRegistrationNumber",
}


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
    found = [_present(dimonaPeriodId=period.period_id, **_make_occupation(period)) for period in periods]
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
    return _present(
        declarationNumber=recorded.number,
        action=declared.action.value,
        receivedAt=recorded.received_at,
        late=recorded.late,
        dimonaPeriodId=recorded.period_id,
        employer=_make_employer(recorded.employer),
        worker=_present(ssin=recorded.ssin, identity=_make_identity(declared.identity)),
        features=_make_features(declared.features),
        startingDate=declared.begin_date,
        startingHour=_make_hour(declared.begin_hour),
        endingDate=declared.end_date,
        endingHour=_make_hour(declared.end_hour),
        plannedHours=declared.planned_hours,
        plannedDays=declared.planned_days,
    )


def _make_period(period: EmploymentPeriod) -> Values:
    return _present(
        dimonaPeriodId=period.period_id,
        employer=_make_employer(period.employer),
        worker={"ssin": period.ssin},
        **_make_occupation(period),
        cancelled=period.cancelled,
        locked=period.locked,
        late=period.late,
        lastAction=period.last_action.value,
        createdAt=period.created_at,
        updatedAt=period.updated_at,
    )


def _make_occupation(period: EmploymentPeriod) -> dict[str, Any]:
    return {
        "features": _make_features(period.features),
        "startingDate": period.begin_date,
        "startingHour": _make_hour(period.begin_hour),
        "endingDate": period.end_date,
        "endingHour": _make_hour(period.end_hour),
        "plannedHours": period.planned_hours,
        "plannedDays": period.planned_days,
    }


def _make_employer(employer: Employer) -> Values:
    return _present(
        **{_NUMBERS[employer.register]: employer.registration_number},
        enterpriseNumber=employer.enterprise_number,
        name=employer.name,
    )


def _make_identity(identity: WorkerIdentity | None) -> Values | None:
    if identity is None:
        return None
    return {
        "name": identity.name,
        "firstName": identity.first_name,
        "birthDate": identity.birth_date,
        "sex": identity.sex,
        "address": identity.address,
    }


def _make_features(features: Features | None) -> Values | None:
    if features is None:
        return None
    return _present(
        workerType=features.worker_type,
        jointCommittee=features.joint_committee,
        subEntity=features.sub_entity,
        occupationForm=features.occupation_form.value if features.occupation_form else None,
        usingCompany=_make_using_company(features.using_company),
        studentPlaceOfWork=features.student_place_of_work,
    )


def _make_using_company(company: UsingCompany | None) -> Values | None:
    if company is None:
        return None
    return _present(
        name=company.name, enterpriseNumber=company.enterprise_number, jointCommittee=company.joint_committee
    )


def _make_hour(hour: time | None) -> str | None:
    return f"{hour:%H:%M}" if hour is not None else None


def _present(**elements: Any) -> dict[str, Any]:
    return {name: value for name, value in elements.items() if value is not None}
