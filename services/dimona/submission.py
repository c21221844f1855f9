"""Reads the declarations of a message as values, and says what makes the message as a whole unusable.

What is wrong with one declaration is not judged here: that declaration is refused with an anomaly.
"""

import hashlib
import json
from datetime import time

from services.consultation import Consultation, Values
from services.criterion import UnusableCriterion
from services.dimona.criteria import find_number_fault, read_employer
from services.dimona.declaration import (
    Action,
    Declaration,
    Features,
    OccupationForm,
    Submission,
    UsingCompany,
    WorkerIdentity,
)
from services.employer import EmployerReference

TICKET = "informationCustomer/ticket"


def read_submission(consultation: Consultation) -> Submission | UnusableCriterion:
    """Return the declarations, or the first element that cannot be used."""
    criteria = consultation.values["criteria"]
    ticket = consultation.values["informationCustomer"].get("ticket", "").strip()
    if not ticket:
        return UnusableCriterion(TICKET, "is missing: it names the message, so that it can be sent again without harm")
    fault = find_number_fault(criteria)
    if fault is not None:
        return fault
    return Submission(
        client=consultation.client,
        ticket=ticket,
        digest=_digest(criteria),
        employer=read_employer(criteria) or EmployerReference(),
        declarations=tuple(read_declaration(each) for each in criteria["declaration"]),
        received_at=consultation.now,
    )


def read_declaration(values: Values) -> Declaration:
    """Return a `declaration` element, which holds one of `in`, `out`, `update` and `cancel`."""
    ((name, said),) = values.items()
    worker = said.get("worker", {})
    return Declaration(
        action=Action(name.upper()),
        period_id=said.get("dimonaPeriodId"),
        ssin=worker.get("ssin", said.get("ssin")),
        identity=_read_identity(worker["identity"]) if "identity" in worker else None,
        features=_read_features(said["features"]) if "features" in said else None,
        begin_date=said.get("startingDate"),
        begin_hour=_read_hour(said.get("startingHour")),
        end_date=said.get("endingDate"),
        end_hour=_read_hour(said.get("endingHour")),
        planned_hours=said.get("plannedHours"),
        planned_days=said.get("plannedDays"),
    )


def _read_identity(values: Values) -> WorkerIdentity:
    return WorkerIdentity(
        name=values["name"],
        first_name=values["firstName"],
        birth_date=values["birthDate"],
        sex=values["sex"],
        address=values["address"],
    )


def _read_features(values: Values) -> Features:
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


def _read_hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _digest(criteria: Values) -> bytes:
    """Return the SHA-256 of everything declared, however its XML was written."""
    text = json.dumps(criteria, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()
