"""The search of users, and of all those who do NOT answer the criterion (seed 001, Gebruikers opzoeken)."""

from dataclasses import dataclass, field
from datetime import datetime

from authz.brussels import brussels_day
from authz.user_management.answer import Refused
from authz.user_management.commands import Member
from authz.user_management.decision import LOGGED_IN
from authz.user_management.model import EnterpriseAccount, User
from authz.user_management.question import Question
from authz.user_management.rules.users import MANAGES_QUALITY
from authz.user_management.world import World


@dataclass(frozen=True, slots=True)
class UserSearch:
    """What to look for; None leaves it out, and all that is given must be so. `complement` turns the whole around.

    `name` is a part of the name or first name, whatever its case.
    """

    name: str | None = field(default=None, repr=False)
    national_number: str | None = field(default=None, repr=False)
    blocked: bool | None = None
    application: str | None = None
    complement: bool = False

    def finds(self, user: User) -> bool:
        """Tell whether the user answers, or with `complement` does not answer, the criterion."""
        person = user.person
        names = f"{person.name}\n{person.first_name}".casefold()
        answers = (
            (self.name is None or self.name.casefold() in names)
            and (self.national_number is None or self.national_number == person.national_number)
            and (self.blocked is None or self.blocked == user.blocked)
            and (self.application is None or self.application in user.applications)
        )
        return answers != self.complement


def find_users(
    account: EnterpriseAccount, search: UserSearch, actor: Member, world: World, now: datetime
) -> tuple[User, ...] | Refused:
    """Return the users who are found among those that the actor manages, eldest first; blocked ones are listed too."""
    question = Question(account, search, actor, world, brussels_day(now))
    for rule in LOGGED_IN:
        if not rule.holds(question):
            return Refused(rule)
    if not any(question.manages(quality) for quality in (None, *account.qualities)):
        return Refused(MANAGES_QUALITY)
    found = (user for user in account.users.values() if question.manages(user.quality) and search.finds(user))
    return tuple(found)
