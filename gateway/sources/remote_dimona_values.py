"""Declarations as the criteria of a request, and the values of a reply as declarations and periods."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from services.consultation import SourceAnswerInvalid, Values
from services.dimona.declaration import (
    Accepted,
    Action,
    Anomaly,
    Declaration,
    DeclarationAnswer,
    Features,
    OccupationForm,
    RecordedDeclaration,
    Refused,
    UsingCompany,
    WorkerIdentity,
)
from services.dimona.period import EmploymentPeriod, WorkerName
from services.employer import Employer, EmployerReference, Register

_NUMBERS: Mapping[Register, str] = {
    Register.NSSO: "nssoRegistrationNumber",
    Register.NSSO_PPO: "nssoPpoRegistrationNumber",
}


def present(**elements: Any) -> dict[str, Any]:
    """Return the elements that are there."""
    return {name: value for name, value in elements.items() if value is not None}


def write_employer(reference: EmployerReference | None) -> Values | None:
    """Return an `employer` of criteria."""
    if reference is None:
        return None
    numbers = {_NUMBERS[reference.register]: reference.registration_number} if reference.register else {}
    return present(**numbers, enterpriseNumber=reference.enterprise_number)


def write_worker(ssin: str | None, name: WorkerName | None) -> Values | None:
    """Return a `worker` of criteria."""
    if ssin is not None:
        return {"ssin": ssin}
    return present(name=name.name, firstName=name.first_name, birthDate=name.birth_date) if name else None


def write_declaration(declaration: Declaration) -> Values:
    """Return a `declaration`: the inverse of `services.dimona.submission.read_declaration`."""
    begins = declaration.action is Action.IN
    identity = declaration.identity
    worker = {"identity": _write_identity(identity)} if identity else {"ssin": declaration.ssin}
    said = present(
        worker=worker if begins else None,
        features=_write_features(declaration.features),
        dimonaPeriodId=declaration.period_id,
        ssin=None if begins else declaration.ssin,
        startingDate=declaration.begin_date,
        startingHour=_write_hour(declaration.begin_hour),
        endingDate=declaration.end_date,
        endingHour=_write_hour(declaration.end_hour),
        plannedHours=declaration.planned_hours,
        plannedDays=declaration.planned_days,
    )
    return {declaration.action.value.lower(): said}


def read_result(values: Values) -> DeclarationAnswer:
    """Return what became of a declaration; whom it is about, the contract does not tell."""
    if values["result"] == "REFUSED":
        anomalies = values.get("anomalies", {}).get("anomaly", ())
        return Refused(tuple(Anomaly(each["code"], each["field"]) for each in anomalies))
    number, period, late = (_get(values, name) for name in ("declarationNumber", "dimonaPeriodId", "late"))
    return Accepted(number, period, late)


def read_declaration(values: Values) -> RecordedDeclaration:
    """Return a recorded declaration."""
    worker = _get(values, "worker")
    action = Action(_get(values, "action"))
    identity = worker.get("identity")
    period_id = _get(values, "dimonaPeriodId")
    return RecordedDeclaration(
        number=values["declarationNumber"],
        received_at=_get(values, "receivedAt"),
        employer=_read_employer(_get(values, "employer")),
        ssin=worker["ssin"],
        period_id=period_id,
        late=_get(values, "late"),
        declaration=Declaration(
            action=action,
            period_id=None if action is Action.IN else period_id,
            ssin=worker["ssin"] if identity is None else None,
            identity=_read_identity(identity) if identity else None,
            features=_read_features(values["features"]) if "features" in values else None,
            begin_date=values.get("startingDate"),
            begin_hour=_read_hour(values.get("startingHour")),
            end_date=values.get("endingDate"),
            end_hour=_read_hour(values.get("endingHour")),
            planned_hours=values.get("plannedHours"),
            planned_days=values.get("plannedDays"),
        ),
    )


def read_period(values: Values) -> EmploymentPeriod:
    """Return a period of employment."""
    return EmploymentPeriod(
        period_id=values["dimonaPeriodId"],
        employer=_read_employer(_get(values, "employer")),
        ssin=_get(values, "worker")["ssin"],
        features=_read_features(_get(values, "features")),
        begin_date=_get(values, "startingDate"),
        begin_hour=_read_hour(values.get("startingHour")),
        end_date=values.get("endingDate"),
        end_hour=_read_hour(values.get("endingHour")),
        planned_hours=values.get("plannedHours"),
        planned_days=values.get("plannedDays"),
        cancelled=_get(values, "cancelled"),
        locked=_get(values, "locked"),
        late=_get(values, "late"),
        last_action=Action(_get(values, "lastAction")),
        created_at=_get(values, "createdAt"),
        updated_at=_get(values, "updatedAt"),
    )


def invalid(contradiction: str) -> SourceAnswerInvalid:
    """Return the fault of an answer that cannot be used; the text names no data."""
    return SourceAnswerInvalid(f"the source gave {contradiction}", (("details", contradiction),))


def _get(values: Values, name: str) -> Any:
    """Return an element that is optional only so that an annex can withhold it: from us nothing may be withheld."""
    if name not in values:
        raise invalid(f"an item without its {name}")
    return values[name]


def _write_identity(identity: WorkerIdentity) -> Values:
    return {
        "name": identity.name,
        "firstName": identity.first_name,
        "birthDate": identity.birth_date,
        "sex": identity.sex,
        "address": dict(identity.address),
    }


def _read_identity(values: Values) -> WorkerIdentity:
    return WorkerIdentity(
        values["name"], values["firstName"], values["birthDate"], values["sex"], dict(values["address"])
    )


def _write_features(features: Features | None) -> Values | None:
    if features is None:
        return None
    using = features.using_company
    return present(
        workerType=features.worker_type,
        jointCommittee=features.joint_committee,
        subEntity=features.sub_entity,
        occupationForm=features.occupation_form.value if features.occupation_form else None,
        usingCompany=(
            present(name=using.name, enterpriseNumber=using.enterprise_number, jointCommittee=using.joint_committee)
            if using
            else None
        ),
        studentPlaceOfWork=features.student_place_of_work,
    )


def _read_features(values: Values) -> Features:
    using, form = values.get("usingCompany"), values.get("occupationForm")
    return Features(
        worker_type=_get(values, "workerType"),
        joint_committee=_get(values, "jointCommittee"),
        sub_entity=values.get("subEntity"),
        occupation_form=OccupationForm(form) if form else None,
        using_company=(
            UsingCompany(using.get("name"), using.get("enterpriseNumber"), using.get("jointCommittee"))
            if using is not None
            else None
        ),
        student_place_of_work=values.get("studentPlaceOfWork"),
    )


def _read_employer(values: Values) -> Employer:
    for register, name in _NUMBERS.items():
        if name in values:
            return Employer(register, values[name], values.get("enterpriseNumber"), values.get("name", ""))
    raise invalid("an employer without its number")


def _write_hour(hour: time | None) -> str | None:
    return f"{hour:%H:%M}" if hour is not None else None


def _read_hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None
