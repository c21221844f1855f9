"""User Management as services ask it: the accounts in this database, decided on by `authz`.

Implements `services.user_access`. Decides nothing itself.
"""

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.user_management.access import NoAccess, check_access
from authz.user_management.world import Accounts
from gateway.sources.asking import telling_failures
from services.employer import EmployerReference, Register
from services.user_access import (
    AccessGiven,
    AccessPath,
    AccessQuestion,
    AccessRefused,
    Mandate,
    NoAccessReason,
)


class ManagedUserAccess:
    """Answers from the accounts of User Management."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def probe(self) -> None:
        """Ask for nobody: return if the accounts can be read."""
        with telling_failures():
            self._accounts.find_account("")

    def check_access(self, question: AccessQuestion) -> AccessGiven | AccessRefused:
        """Decide on the accounts as they are now."""
        with telling_failures():
            answer = check_access(
                question.technical_user_id,
                _to_named(question.entity),
                question.application,
                question.day,
                self._accounts,
            )
        if isinstance(answer, NoAccess):
            return AccessRefused(NoAccessReason(answer.reason.value))
        return AccessGiven(AccessPath(answer.path.value), _to_mandate(answer.enterprise_number, answer.relation))


def _to_named(entity: EmployerReference) -> NamedEmployer:
    if entity.register is Register.NSSO_PPO:
        return NamedEmployer(None, entity.registration_number, entity.enterprise_number)
    return NamedEmployer(entity.registration_number, None, entity.enterprise_number)


def _to_mandate(provider: str, relation: EmployerRelation) -> Mandate | None:
    """Return the affiliation or mandate that a relation with another is; the enterprise's own is none."""
    if relation.kind is RelationKind.OWN or relation.begin is None:
        return None
    return Mandate(provider, relation.begin, relation.end)
