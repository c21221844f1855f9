"""Passwords: what one must be, and who may set, reset or do without them."""

from authz.user_management.answer import Rule
from authz.user_management.commands import Member
from authz.user_management.model import Means
from authz.user_management.passwords import has_digits_or_specials, is_long_enough
from authz.user_management.question import Question


def _keeps_a_way_in(question: Question) -> bool:
    numbers = (user.person.national_number for user in question.account.users.values())
    return question.command.on or None not in numbers


PASSWORD_LENGTH = Rule(
    "password-length",
    "A password has at least 10 characters.",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: question.command.password is None or is_long_enough(question.command.password),
)
PASSWORD_DIGITS_OR_SPECIALS = Rule(
    "password-digits-or-specials",
    "A password has at least 2 digits or special characters: ; : = ? . / + * $ % > < & @ # ' ( ! { } ) -",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: question.command.password is None or has_digits_or_specials(question.command.password),
)
SELF_RESET_MEANS = Rule(
    "self-reset-means",
    "Who forgot its password replaces it after a login by eID, itsme or app.",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: isinstance(question.actor, Member) and question.actor.means is not Means.PASSWORD,
)
CHIEF_SWITCHES_PASSWORD_LOGIN = Rule(
    "chief-switches-password-login",
    "Only the chief access manager switches login by user name and password off, or on again.",
    "seed 002, Een nieuw wachtwoord aanmaken",
    lambda question: question.is_chief,
)
KEEPS_A_WAY_IN = Rule(
    "keeps-a-way-in",
    "Login by password stays on while somebody has no national number, and so no other means; the appointment of such a"
    " manager switches it on.",
    "ours",
    _keeps_a_way_in,
)
RULES = (
    PASSWORD_LENGTH,
    PASSWORD_DIGITS_OR_SPECIALS,
    SELF_RESET_MEANS,
    CHIEF_SWITCHES_PASSWORD_LOGIN,
    KEEPS_A_WAY_IN,
)
