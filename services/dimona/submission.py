"""Reads the declarations of a message as values, and says what makes the message as a whole unusable.

What is wrong with one declaration is not judged here: that declaration is refused with an anomaly.
"""

import hashlib
import json

from services.consultation import Consultation, Values
from services.criterion import UnusableCriterion
from services.dimona.criteria import find_number_fault, read_employer
from services.dimona.declaration import (
    Action,
    Declaration,
    Submission,
)
from services.dimona.elements import read_features, read_identity, read_times
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
        identity=read_identity(worker["identity"]) if "identity" in worker else None,
        features=read_features(said["features"]) if "features" in said else None,
        **read_times(said),
    )


def _digest(criteria: Values) -> bytes:
    """Return the SHA-256 of everything declared, however its XML was written."""
    text = json.dumps(criteria, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()
