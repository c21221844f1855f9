"""Enterprises and their qualities, as the registers have them."""

from authz.enterprise import has_valid_cbe_check_digits
from authz.user_management.answer import Rule
from authz.user_management.question import Question


def _is_registered(question: Question) -> bool:
    enterprise = question.command.enterprise
    return not enterprise.has_staff or bool(enterprise.nsso_number or enterprise.nsso_ppo_number)


ENTERPRISE_KNOWN = Rule(
    "enterprise-known",
    "User Management knows the enterprise.",
    "ours",
    lambda question: True,
)
"""Checked by `decide` itself: without an account there is no question to ask."""
ENTERPRISE_ONCE = Rule(
    "enterprise-once",
    "An enterprise has one account.",
    "ours",
    lambda question: question.world.find_enterprise(question.enterprise.number) is None,
)
NUMBER_VALID = Rule(
    "enterprise-number-valid",
    "An enterprise number has ten digits, 0 or 1 first, and its check digits agree.",
    "seed 001, Ter informatie",
    lambda question: has_valid_cbe_check_digits(question.command.enterprise.number),
)
NUMBER_STAYS = Rule(
    "enterprise-number-stays",
    "An account stays with its enterprise number.",
    "ours",
    lambda question: question.command.enterprise.number == question.enterprise.number,
)
EMPLOYER_REGISTERED = Rule(
    "employer-registered",
    "An employer has a registration number of the NSSO or of the NSSO-PPO.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    _is_registered,
)
NOT_STRUCK_OFF = Rule(
    "enterprise-exists",
    "Nothing more is arranged for an enterprise that was struck off.",
    "ours",
    lambda question: not question.enterprise.is_struck_off(question.day),
)
QUALITY_OF_ENTERPRISE = Rule(
    "quality-of-enterprise",
    "An enterprise activates only a quality that it has.",
    "seed 002, Helpers aanstellen",
    lambda question: question.command.quality in question.enterprise.qualities,
)
QUALITY_ACTIVATED = Rule(
    "quality-activated",
    "Managers, users and structured messages belong to a quality that was activated and that the enterprise still has.",
    "seed 002, Helpers aanstellen",
    lambda question: (
        question.command.quality in question.account.qualities
        and question.command.quality in question.enterprise.qualities
    ),
)
RULES = (
    ENTERPRISE_KNOWN,
    ENTERPRISE_ONCE,
    NUMBER_VALID,
    NUMBER_STAYS,
    EMPLOYER_REGISTERED,
    NOT_STRUCK_OFF,
    QUALITY_OF_ENTERPRISE,
    QUALITY_ACTIVATED,
)
