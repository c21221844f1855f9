"""Searching the users of an enterprise: by name, national number, blocked or not, application; and the complement."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from authz.user_management.model import User


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a user must answer to, all of it; None asks nothing."""

    name: str | None = None
    national_number: str | None = field(default=None, repr=False)
    blocked: bool | None = None
    application: str | None = None

    def fits(self, user: User) -> bool:
        """Tell whether the user answers to all that is asked."""
        return (
            (self.name is None or _begins(self.name, user.person.name, user.person.first_name))
            and self.national_number in (None, user.person.national_number)
            and self.blocked in (None, user.blocked)
            and (self.application is None or self.application in user.applications)
        )


def search_users(users: Iterable[User], criteria: Criteria, *, complement: bool = False) -> list[User]:
    """Return the users that fit, by name; with `complement` those that do not."""
    found = [user for user in users if criteria.fits(user) is not complement]
    return sorted(found, key=lambda user: (user.person.name.casefold(), user.person.first_name.casefold(), user.user_id))


def _begins(wanted: str, *names: str) -> bool:
    return any(name.casefold().startswith(wanted.strip().casefold()) for name in names)
