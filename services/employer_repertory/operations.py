"""The operation: which registrations are told, and which case that is.

Pure functions of a consultation that is already authorised and of the ports. Faults of a source pass through as they
are raised.
"""

from dataclasses import replace

from services.consultation import Consultation, Outcome, SourceAnswerInvalid
from services.criterion import UnusableCriterion
from services.employer import EmployerReference
from services.employer_repertory.criteria import read_criteria
from services.employer_repertory.natural_persons import judge
from services.employer_repertory.registration import Registration
from services.employer_repertory.reply import make_registrations
from services.employer_repertory.repository import EmployerRegister
from services.user_access import UserAccess


def consult_employer(consultation: Consultation, register: EmployerRegister, access: UserAccess) -> Outcome:
    """Answer with every registration of the employer, unless it is a natural person of whom this client is not told."""
    employer = read_criteria(consultation.values["criteria"])
    if isinstance(employer, UnusableCriterion):
        return employer.to_outcome()
    registrations = register.find_registrations(employer)
    _check_answer(employer, registrations)
    if not registrations:
        return Outcome("no_data")
    judged = judge(consultation, registrations, access)
    if judged.refusal is None:
        outcome = Outcome("data_found", {"registrations": make_registrations(registrations)})
    else:
        outcome = judged.refusal
    persons = dict.fromkeys(found.ssin for found in registrations if found.ssin is not None)
    return replace(outcome, concerned=tuple(persons), reason=judged.reason)


def _check_answer(employer: EmployerReference, registrations: tuple[Registration, ...]) -> None:
    """Refuse registrations of another employer: they would be told to whom they do not concern."""
    asked = (employer.register, employer.registration_number, employer.enterprise_number)
    for found in registrations:
        numbers = (found.register, found.registration_number, found.enterprise_number)
        if any(wanted is not None and wanted != number for wanted, number in zip(asked, numbers, strict=True)):
            raise SourceAnswerInvalid.giving("a registration of another employer")
