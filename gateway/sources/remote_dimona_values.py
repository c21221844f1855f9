"""Declarations as the criteria of a request, and the values of a reply as declarations and periods."""

from typing import Any

from services.consultation import SourceAnswerInvalid, Values, present
from services.dimona.declaration import (
    Accepted,
    Action,
    Anomaly,
    Declaration,
    DeclarationAnswer,
    Features,
    RecordedDeclaration,
    Refused,
)
from services.dimona.elements import read_features, read_identity, read_times, write_identity, write_occupation
from services.dimona.period import EmploymentPeriod, WorkerName
from services.employer import REGISTRATION_NUMBERS, Employer, EmployerReference


def write_employer(reference: EmployerReference | None) -> Values | None:
    """Return an `employer` of criteria."""
    if reference is None:
        return None
    numbers = {REGISTRATION_NUMBERS[reference.register]: reference.registration_number} if reference.register else {}
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
    worker = {"identity": write_identity(identity)} if identity else {"ssin": declaration.ssin}
    said = present(
        worker=worker if begins else None,
        dimonaPeriodId=declaration.period_id,
        ssin=None if begins else declaration.ssin,
        **write_occupation(declaration),
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
            identity=read_identity(identity) if identity else None,
            features=_read_features(values["features"]) if "features" in values else None,
            **read_times(values),
        ),
    )


def read_period(values: Values) -> EmploymentPeriod:
    """Return a period of employment."""
    _expect(values, "startingDate")
    return EmploymentPeriod(
        period_id=values["dimonaPeriodId"],
        employer=_read_employer(_get(values, "employer")),
        ssin=_get(values, "worker")["ssin"],
        features=_read_features(_get(values, "features")),
        **read_times(values),
        cancelled=_get(values, "cancelled"),
        locked=_get(values, "locked"),
        late=_get(values, "late"),
        last_action=Action(_get(values, "lastAction")),
        created_at=_get(values, "createdAt"),
        updated_at=_get(values, "updatedAt"),
    )


def _get(values: Values, name: str) -> Any:
    """Return an element that is optional only so that an annex can withhold it: from us nothing may be withheld."""
    _expect(values, name)
    return values[name]


def _expect(values: Values, *names: str) -> None:
    for name in names:
        if name not in values:
            raise SourceAnswerInvalid.giving(f"an item without its {name}")


def _read_features(values: Values) -> Features:
    _expect(values, "workerType", "jointCommittee")
    return read_features(values)


def _read_employer(values: Values) -> Employer:
    for register, name in REGISTRATION_NUMBERS.items():
        if name in values:
            return Employer(register, values[name], values.get("enterpriseNumber"), values.get("name", ""))
    raise SourceAnswerInvalid.giving("an employer without its number")
