"""Whether a user may reach an employer, as EmployerRepertoryService asks it of User Management.

Implements `services.employer_repertory.repository.UserAccess`. The decision itself is authz's; here its answer becomes
words: a path for the audit, or what the client has to have mended.
"""

from collections.abc import Mapping
from datetime import date

from authz.employer_access import NamedEmployer
from authz.user_management.access import NoAccess, NoAccessReason, check_access
from authz.user_management.world import Accounts
from gateway.sources.asking import telling_failures
from services.employer import EmployerReference, Register
from services.employer_repertory.repository import Access

# What an access manager, or the client, can do about each reason.
REMEDIES: Mapping[NoAccessReason, str] = {
    NoAccessReason.USER_UNKNOWN: "User Management knows no such user: send the id that it gave to the user",
    NoAccessReason.USER_BLOCKED: "the user is blocked: the access manager can unblock the user",
    NoAccessReason.USER_NOT_ACTIVATED: "the user is not activated yet: the user does that",
    NoAccessReason.APPLICATION_NOT_GRANTED: "the user has no access to the secured employer repertory: "
    "the access manager can grant it",
    NoAccessReason.MEANS_INSUFFICIENT: "the user cannot log in as the application demands",
    NoAccessReason.ENTITY_UNKNOWN: "User Management does not know this employer: it has to register there",
    NoAccessReason.ENTITY_STRUCK_OFF: "this employer was struck off",
    NoAccessReason.NO_MANDATE: "the user belongs neither to this employer nor to its secretariat or provider",
    NoAccessReason.MANDATE_ENDED: "the affiliation or mandate for this employer has ended",
}


class ManagedUserAccess:
    """Asks the rules of User Management about its accounts; SourceUnavailable when they cannot be read."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def check_access(self, user: str, employer: EmployerReference, application: str, day: date) -> Access:
        """Tell by which path the user reaches the employer, or why not; all of its numbers must be of one account."""
        with telling_failures():
            found = check_access(user, _name(employer), application, day, self._accounts)
        if isinstance(found, NoAccess):
            return Access(granted=False, reason=REMEDIES[found.reason])
        words = found.path.value.replace("_", " ").lower()
        mandate = f" by {found.relation.mandate}" if found.relation.mandate else ""
        return Access(granted=True, reason=f"{words} of {found.enterprise_number}{mandate}")


def _name(employer: EmployerReference) -> NamedEmployer:
    local = employer.register is Register.NSSO_PPO
    return NamedEmployer(
        nsso_registration_number=None if local else employer.registration_number,
        nsso_ppo_registration_number=employer.registration_number if local else None,
        enterprise_number=employer.enterprise_number,
    )
