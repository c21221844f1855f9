"""Who may be told of an employer who is a natural person: deliberation 07/039, 2.1 to 2.3.

One client, under one legal context, for a user who belongs to that employer or to who acts for it. Nobody else,
whatever an annex says: the rule stands here and in no annex, and `annex check` refuses a grant that pretends otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.calendar import get_brussels_date
from services.consultation import Consultation, Outcome
from services.descriptor import ReservedContext
from services.employer_repertory.registration import Registration
from services.package_data import read_yaml
from services.user_access import AccessQuestion, AccessRefused, UserAccess

RESERVED = ReservedContext(
    legal_context="FRONTOFFICE:EMPLOYMENT_MEASURES", client="front-office", deliberation="Deliberation 07/039"
)
# What the user must be able to reach in User Management: the secured version of the repertory itself.
APPLICATION = "employer-repertory-secured"
# What an access manager, or the client, can do about each reason.
REMEDIES: Mapping[str, str] = read_yaml("services.employer_repertory", "remedies.yaml")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether registrations may be told: `refusal` is None when they may. `reason` is for the audit."""

    refusal: Outcome | None = None
    reason: str = ""


def judge(consultation: Consultation, registrations: Iterable[Registration], access: UserAccess) -> Judgement:
    """Judge whether registrations may be told to this client, for this user.

    Of legal persons nothing is asked. Where one registration is a natural person's, all of them are judged as such.
    """
    employers = tuple(registrations)
    if not any(registration.natural_person for registration in employers):
        return Judgement()
    values = consultation.values
    if (consultation.client, values["legalContext"]) != (RESERVED.client, RESERVED.legal_context):
        return _refuse(
            "natural_person_reserved",
            "legalContext",
            "the employer is a natural person: only the Front Office Employment application is told of one, "
            f"under {RESERVED.legal_context} ({RESERVED.deliberation})",
        )
    user = values["criteria"].get("onBehalfOf")
    if user is None:
        return _refuse(
            "user_not_named",
            "criteria/onBehalfOf",
            "the employer is a natural person: name the user who is to see the answer",
        )
    day = get_brussels_date(consultation.now)
    paths = []
    for registration in employers:
        found = access.check_access(AccessQuestion(user, registration.reference, APPLICATION, day))
        if isinstance(found, AccessRefused):
            return _refuse("user_without_access", "criteria/onBehalfOf", REMEDIES[found.reason])
        paths.append(found.words)
    return Judgement(reason="the user reaches the employer: " + "; ".join(dict.fromkeys(paths)))


def _refuse(case: str, path: str, remedy: str) -> Judgement:
    return Judgement(Outcome(case, information=(("field", path), ("details", remedy)), refused=True), remedy)
