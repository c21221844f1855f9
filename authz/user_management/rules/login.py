"""Who acts: somebody of this very enterprise, by means that the enterprise lets in, or the NSSO."""

from authz.user_management.answer import Rule
from authz.user_management.commands import EndMandate, Member, Operator, RegisterMandate
from authz.user_management.model import Means, PasswordState
from authz.user_management.question import Question


def _is_own(question: Question) -> bool:
    if isinstance(question.actor, Operator):
        return isinstance(question.command, RegisterMandate | EndMandate)
    return question.member is not None


def _with_password(question: Question) -> bool:
    return isinstance(question.actor, Member) and question.actor.means is Means.PASSWORD


OWN_ENTERPRISE = Rule(
    "own-enterprise",
    "A manager or user acts within its own enterprise only.",
    "seed 001, Gebruikers aanmaken",
    _is_own,
)
NOT_BLOCKED = Rule(
    "blocked-cannot-log-in",
    "A blocked user cannot log in until the block is lifted.",
    "seed 001, Gebruikers blokkeren en verwijderen; seed 002, Een gebruiker blokkeren",
    lambda question: question.member is None or not question.member.blocked,
)
PASSWORD_LOGIN_ON = Rule(
    "password-login-off",
    "The enterprise switched login by user name and password off.",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: question.account.password_login or not _with_password(question),
)
ACTIVATED = Rule(
    "activated-first",
    "The first login activates the account; nothing can be done before.",
    "seed 002, Het account van mijn onderneming activeren",
    lambda question: question.member is None or question.member.activated,
)
GIVEN_PASSWORD_CHANGED = Rule(
    "given-password-changed-first",
    "A password that somebody else gave must be changed at the next login, before anything else.",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: (
        question.member is None or question.member.password is not PasswordState.GIVEN or not _with_password(question)
    ),
)
NSSO_ONLY = Rule(
    "nsso-only",
    "Only the NSSO receives and decides requests, makes mandates definitive and says what the registers hold.",
    "seed 001, Hoe duidt u een lokale beheerder aan?; seed 000, point 2",
    lambda question: isinstance(question.actor, Operator),
)
ACTIVATION_MEANS = Rule(
    "activation-means",
    "An account is activated by eID, itsme or app; only a manager without Belgian national number uses the user name"
    " and provisional password that were sent.",
    "seed 002, Het account van mijn onderneming activeren",
    lambda question: (
        not _with_password(question)
        or (question.is_chief and question.member is not None and question.member.person.national_number is None)
    ),
)
RULES = (
    OWN_ENTERPRISE,
    NOT_BLOCKED,
    PASSWORD_LOGIN_ON,
    ACTIVATED,
    GIVEN_PASSWORD_CHANGED,
    NSSO_ONLY,
    ACTIVATION_MEANS,
)
