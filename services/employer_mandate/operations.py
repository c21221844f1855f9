"""CheckUnauthenticatedUserAccess: reads the question, asks User Management and tells its answer.

Pure functions of a consultation that is already authorised and of the port. Who has access is decided there.
"""

from collections.abc import Mapping
from typing import Any

from services.calendar import get_brussels_date
from services.consultation import Consultation, Outcome, Values
from services.employer import EmployerReference, Register
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits
from services.package_data import read_yaml
from services.user_access import AccessGiven, AccessQuestion, Mandate, NoAccessReason, UserAccess

_TEXTS: Mapping[str, Mapping[str, str]] = read_yaml("services.employer_mandate", "reasons.yaml")
_REGISTERS = {"nssoRegistrationNumber": Register.NSSO, "nssoPpoRegistrationNumber": Register.NSSO_PPO}


def check_user_access(consultation: Consultation, users: UserAccess) -> Outcome:
    """Answer yes with the path, or no with the first reason; the audit is told which. Faults of the source pass
    through.
    """
    criteria = consultation.values["criteria"]
    ((element, number),) = criteria["entity"].items()
    if not _is_number(element, number):
        information = (("field", f"criteria/entity/{element}"), ("details", "the check digits are wrong"))
        return Outcome("criterion_unusable", information=information)
    question = AccessQuestion(
        technical_user_id=criteria["technicalUserId"],
        entity=_read_entity(element, number),
        application=criteria["application"],
        day=criteria.get("referenceDate") or get_brussels_date(consultation.now),
    )
    answer = users.check_access(question)
    if isinstance(answer, AccessGiven):
        return Outcome("data_found", {"userAccess": _render_given(answer)}, reason=f"access: {answer.words}")
    told = {"access": False, "reason": _render_reason(answer.reason)}
    return Outcome("data_found", {"userAccess": told}, reason=f"no access: {answer.reason}")


def _is_number(element: str, number: str) -> bool:
    return (has_valid_nsso_check_digits if element in _REGISTERS else has_valid_enterprise_check_digits)(number)


def _read_entity(element: str, number: str) -> EmployerReference:
    if element in _REGISTERS:
        return EmployerReference(register=_REGISTERS[element], registration_number=number)
    return EmployerReference(enterprise_number=number)


def _render_given(answer: AccessGiven) -> Values:
    values: dict[str, Any] = {"access": True, "path": answer.path.value}
    if answer.mandate is not None:
        values["mandate"] = _render_mandate(answer.mandate)
    return values


def _render_mandate(mandate: Mandate) -> Values:
    validity = {"beginDate": mandate.begin} | ({"endDate": mandate.end} if mandate.end else {})
    return {"provider": mandate.provider, "validity": validity}


def _render_reason(reason: NoAccessReason) -> Values:
    texts = [{"#text": text, "@language": language} for language, text in _TEXTS[reason].items()]
    return {"code": reason.value, "descriptions": {"description": texts}}
