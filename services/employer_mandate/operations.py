"""CheckUnauthenticatedUserAccess: reads the question, asks User Management and tells its answer.

Pure functions of a consultation that is already authorised and of the port. Who has access is decided there.
"""

from collections.abc import Mapping
from typing import Any

from services.calendar import get_brussels_date
from services.consultation import Consultation, Outcome, Values
from services.criterion import UnusableCriterion
from services.employer import REGISTRATION_NUMBERS, read_reference
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits
from services.package_data import read_yaml
from services.user_access import AccessGiven, AccessQuestion, Mandate, NoAccessReason, UserAccess

_TEXTS: Mapping[str, Mapping[str, str]] = read_yaml("services.employer_mandate", "reasons.yaml")


def check_user_access(consultation: Consultation, users: UserAccess) -> Outcome:
    """Answer yes with the path, or no with the first reason; the audit is told which. Faults of the source pass
    through.
    """
    criteria = consultation.values["criteria"]
    ((element, number),) = criteria["entity"].items()
    if not _is_number(element, number):
        return UnusableCriterion(f"criteria/entity/{element}", "the check digits are wrong").to_outcome()
    question = AccessQuestion(
        technical_user_id=criteria["technicalUserId"],
        entity=read_reference(criteria["entity"]),
        application=criteria["application"],
        day=criteria.get("referenceDate") or get_brussels_date(consultation.now),
    )
    answer = users.check_access(question)
    if isinstance(answer, AccessGiven):
        return Outcome("data_found", {"userAccess": _render_given(answer)}, reason=f"access: {answer.words}")
    told = {"access": False, "reason": _render_reason(answer.reason)}
    return Outcome("data_found", {"userAccess": told}, reason=f"no access: {answer.reason}")


def _is_number(element: str, number: str) -> bool:
    registered = element in REGISTRATION_NUMBERS.values()
    return (has_valid_nsso_check_digits if registered else has_valid_enterprise_check_digits)(number)


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
