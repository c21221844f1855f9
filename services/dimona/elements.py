"""Reads and writes the elements that declarations and periods have in common, in requests and in replies alike."""

from datetime import time
from typing import Any

from services.consultation import Values, present
from services.dimona.declaration import Declaration, Features, OccupationForm, UsingCompany, WorkerIdentity
from services.dimona.period import EmploymentPeriod


def read_identity(values: Values) -> WorkerIdentity:
    """Return an `identity`."""
    return WorkerIdentity(
        name=values["name"],
        first_name=values["firstName"],
        birth_date=values["birthDate"],
        sex=values["sex"],
        address=values["address"],
    )


def write_identity(identity: WorkerIdentity) -> Values:
    """Return an `identity`."""
    return {
        "name": identity.name,
        "firstName": identity.first_name,
        "birthDate": identity.birth_date,
        "sex": identity.sex,
        "address": identity.address,
    }


def read_features(values: Values) -> Features:
    """Return `features`."""
    using, form = values.get("usingCompany"), values.get("occupationForm")
    return Features(
        worker_type=values["workerType"],
        joint_committee=values["jointCommittee"],
        sub_entity=values.get("subEntity"),
        occupation_form=OccupationForm(form) if form else None,
        using_company=(
            UsingCompany(using.get("name"), using.get("enterpriseNumber"), using.get("jointCommittee"))
            if using is not None
            else None
        ),
        student_place_of_work=values.get("studentPlaceOfWork"),
    )


def write_features(features: Features) -> Values:
    """Return `features`."""
    using, form = features.using_company, features.occupation_form
    return present(
        workerType=features.worker_type,
        jointCommittee=features.joint_committee,
        subEntity=features.sub_entity,
        occupationForm=form.value if form else None,
        usingCompany=(
            present(name=using.name, enterpriseNumber=using.enterprise_number, jointCommittee=using.joint_committee)
            if using
            else None
        ),
        studentPlaceOfWork=features.student_place_of_work,
    )


def read_times(values: Values) -> dict[str, Any]:
    """Return begin, end and what is planned, as the fields of a Declaration or an EmploymentPeriod."""
    return {
        "begin_date": values.get("startingDate"),
        "begin_hour": _read_hour(values.get("startingHour")),
        "end_date": values.get("endingDate"),
        "end_hour": _read_hour(values.get("endingHour")),
        "planned_hours": values.get("plannedHours"),
        "planned_days": values.get("plannedDays"),
    }


def write_occupation(occupation: Declaration | EmploymentPeriod) -> dict[str, Any]:
    """Return `features`, begin, end and what is planned, None what is not there."""
    return {
        "features": write_features(occupation.features) if occupation.features else None,
        "startingDate": occupation.begin_date,
        "startingHour": _write_hour(occupation.begin_hour),
        "endingDate": occupation.end_date,
        "endingHour": _write_hour(occupation.end_hour),
        "plannedHours": occupation.planned_hours,
        "plannedDays": occupation.planned_days,
    }


def _read_hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _write_hour(hour: time | None) -> str | None:
    return f"{hour:%H:%M}" if hour is not None else None
