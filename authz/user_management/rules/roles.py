"""Who appoints which helper, and who may be one."""

from authz.user_management.answer import Rule
from authz.user_management.commands import AppointAccessManager, AppointCoAccessManager, AppointCoChief
from authz.user_management.question import Question


def _is_fit(question: Question) -> bool:
    command, helper = question.command, question.target
    if command.user_id is None or isinstance(command, AppointCoChief):
        return command.user_id is None or (helper is not None and not helper.blocked)
    if helper is None or helper.blocked:
        return False
    chief_itself = isinstance(command, AppointAccessManager) and command.user_id == question.account.chief
    return chief_itself or helper.quality is command.quality


def _is_another(question: Question) -> bool:
    command = question.command
    if command.user_id is None:
        return True
    if isinstance(command, AppointCoAccessManager):
        return bool(command.user_id != question.account.manager_of(command.quality))
    return bool(command.user_id != question.account.chief)


CHIEF_APPOINTS_CO_CHIEF = Rule(
    "chief-appoints-co-chief",
    "Only the chief access manager appoints the co-chief.",
    "seed 002, Helpers aanstellen",
    lambda question: question.is_chief,
)
CHIEF_APPOINTS_ACCESS_MANAGERS = Rule(
    "chief-appoints-access-managers",
    "The chief access manager, or the co-chief, activates qualities and appoints the access manager of each.",
    "seed 002, Helpers aanstellen",
    lambda question: question.is_chief_or_co_chief,
)
ACCESS_MANAGER_APPOINTS_CO = Rule(
    "access-manager-appoints-co",
    "The co-access manager of a quality is appointed by its access manager or by the chief.",
    "seed 002, Helpers aanstellen",
    lambda question: (
        question.is_chief
        or (
            question.member is not None
            and question.member.user_id == question.account.manager_of(question.command.quality)
        )
    ),
)
HELPER_IS_USER = Rule(
    "helper-is-user",
    "A helper is a user of the enterprise who is not blocked, and the manager of a quality is one of that quality or"
    " the chief itself.",
    "seed 002, Gebruikers beheren",
    _is_fit,
)
HELPER_IS_ANOTHER = Rule(
    "helper-is-another",
    "Nobody is its own helper: a co-manager is another person than the manager.",
    "seed 002, Helpers aanstellen",
    _is_another,
)
RULES = (
    CHIEF_APPOINTS_CO_CHIEF,
    CHIEF_APPOINTS_ACCESS_MANAGERS,
    ACCESS_MANAGER_APPOINTS_CO,
    HELPER_IS_USER,
    HELPER_IS_ANOTHER,
)
