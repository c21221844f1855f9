"""Users: who manages them, who can be one, and which applications they may be granted."""

import re

from authz.user_management.answer import Rule
from authz.user_management.applications import STTS, AccessClass, Application, load_applications
from authz.user_management.commands import ChooseUserName, CreateUser, GrantApplications, SetSttsProfile
from authz.user_management.model import User
from authz.user_management.question import Question, rank

_USER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{3,31}")


def _asked(question: Question) -> list[Application | None]:
    return [load_applications().get(each) for each in question.command.applications]


def _is_new(question: Question) -> bool:
    command = question.command
    return not any(
        user.person.national_number == command.person.national_number and user.quality is command.quality
        for user in question.account.users.values()
    )


def _is_below(question: Question) -> bool:
    member, account = question.member, question.account
    if member is None or question.is_chief:
        return question.is_chief
    return rank(account, member.user_id) > rank(account, question.command.user_id)


def _fits_stts(question: Question) -> bool:
    """STTS and a profile come together, and stay together."""
    command, user = question.command, question.target if not isinstance(question.command, CreateUser) else None
    had = user is not None and STTS in user.applications
    if isinstance(command, SetSttsProfile):
        return had
    if isinstance(command, GrantApplications) and command.stts_profile is None:
        return had or STTS not in command.applications
    return (STTS in command.applications) == (command.stts_profile is not None)


def _named(question: Question) -> User | None:
    """Return the user whose name it is about; None for one that is only being created."""
    if isinstance(question.command, CreateUser):
        return None
    return question.member if isinstance(question.command, ChooseUserName) else question.target


def _keeps_user_name(question: Question) -> bool:
    command, user = question.command, _named(question)
    return command.user_name is None or user is None or user.user_name in (None, command.user_name)


def _has_good_user_name(question: Question) -> bool:
    name = question.command.user_name
    return name is None or _USER_NAME.fullmatch(name) is not None


def _is_user_name_free(question: Question) -> bool:
    name, user = question.command.user_name, _named(question)
    return name is None or (user is not None and user.user_name == name) or not question.world.is_user_name_taken(name)


MANAGES_QUALITY = Rule(
    "manages-quality",
    "Users are managed by the access managers of their quality and by the chief and co-chief, by nobody else.",
    "seed 002, Gebruikers beheren",
    lambda question: question.manages(question.quality),
)
USER_KNOWN = Rule(
    "user-known",
    "The user is one of this enterprise.",
    "ours",
    lambda question: question.target is not None,
)
NOT_ABOVE = Rule(
    "not-above",
    "Nobody manages who stands as high as itself or higher; the chief stands above all.",
    "ours",
    _is_below,
)
USER_IDENTIFIED = Rule(
    "user-identified",
    "A user has a national number.",
    "seed 001, Gebruikers aanmaken",
    lambda question: question.command.person.national_number is not None,
)
USER_ONCE = Rule(
    "user-once",
    "A person is a user of a quality once.",
    "ours",
    _is_new,
)
USER_NAME_NEVER_CHANGES = Rule(
    "user-name-never-changes",
    "A user name, once chosen, never changes.",
    "seed 001, De eerste maal aanloggen and Gebruikers aanmaken",
    _keeps_user_name,
)
USER_NAME_FORM = Rule(
    "user-name-form",
    "A user name is a letter and 3 to 31 letters, digits, dots, underscores or hyphens.",
    "ours",
    _has_good_user_name,
)
USER_NAME_FREE = Rule(
    "user-name-free",
    "A user name is nobody else's and never was.",
    "ours",
    _is_user_name_free,
)
DELETION_CONFIRMED = Rule(
    "deletion-confirmed",
    "What is deleted is shown first, and deleted once that is confirmed.",
    "seed 001, Gebruikers blokkeren en verwijderen",
    lambda question: bool(question.command.confirmed),
)
CHIEF_ONLY_REPLACED = Rule(
    "chief-only-replaced",
    "A chief access manager is neither blocked nor deleted: a new appointment replaces it.",
    "seed 001, Hoe verandert u van lokale beheerder?",
    lambda question: question.command.user_id != question.account.chief,
)
APPLICATION_KNOWN = Rule(
    "application-known",
    "The application is one of the list.",
    "seed 000, Inleiding",
    lambda question: None not in _asked(question),
)
FREE_NEEDS_NO_GRANT = Rule(
    "free-needs-no-grant",
    "An application with free access is granted to nobody and taken from nobody.",
    "seed 000, Inleiding, Vrije toegang",
    lambda question: all(each is None or each.access is not AccessClass.FREE for each in _asked(question)),
)
E_BOX_FOR_ALL = Rule(
    "e-box-for-all",
    "All users see the e-Box of the enterprise: it is granted to nobody and taken from nobody.",
    "seed 002, Wat is een gebruiker?",
    lambda question: all(each is None or not each.everyone for each in _asked(question)),
)
APPLICATION_FOR_QUALITY = Rule(
    "application-for-quality",
    "A user is granted only applications that its quality may use: those of employers by them and their providers.",
    "seed 000, Inleiding, Werkgevers alleen",
    lambda question: all(each is None or question.quality in each.qualities for each in _asked(question)),
)
STTS_PROFILE = Rule(
    "stts-profile",
    "A user of STTS has one of the three profiles at a time, and nobody else has one.",
    "seed 001, Gebruikersprofielen voor de STTS-toepassingen",
    _fits_stts,
)
RULES = (
    MANAGES_QUALITY,
    USER_KNOWN,
    NOT_ABOVE,
    USER_IDENTIFIED,
    USER_ONCE,
    USER_NAME_NEVER_CHANGES,
    USER_NAME_FORM,
    USER_NAME_FREE,
    DELETION_CONFIRMED,
    CHIEF_ONLY_REPLACED,
    APPLICATION_KNOWN,
    FREE_NEEDS_NO_GRANT,
    E_BOX_FOR_ALL,
    APPLICATION_FOR_QUALITY,
    STTS_PROFILE,
)
