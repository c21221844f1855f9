"""Fakes of the port behind which User Management stands."""

from collections.abc import Iterable, Mapping

from gateway.sources.user_access import ManagedUserAccess
from services.user_access import AccessGiven, AccessPath, AccessQuestion, AccessRefused, NoAccessReason
from tests.unit.user_management_world import FakeUserManagement


class FakeUserAccess:
    """Lets each user reach the employers named by their numbers; `answer`, if set, is the answer to every question.

    Remembers what it was asked; raises `fault` when it is set.
    """

    def __init__(
        self,
        reachable: Mapping[str, Iterable[str]] | None = None,
        answer: AccessGiven | AccessRefused | None = None,
    ) -> None:
        self.reachable = {user: set(numbers) for user, numbers in (reachable or {}).items()}
        self.answer = answer
        self.asked: list[AccessQuestion] = []
        self.fault: Exception | None = None

    def check_access(self, question: AccessQuestion) -> AccessGiven | AccessRefused:
        self.asked.append(question)
        if self.fault is not None:
            raise self.fault
        if self.answer is not None:
            return self.answer
        numbers = {question.entity.registration_number, question.entity.enterprise_number}
        if numbers & self.reachable.get(question.technical_user_id, set()):
            return AccessGiven(AccessPath.USER)
        return AccessRefused(NoAccessReason.NO_MANDATE)

    def probe(self) -> None:
        if self.fault is not None:
            raise self.fault


class Cases:
    """User Management with the accounts of the case that is tried."""

    def __init__(self) -> None:
        self.accounts = FakeUserManagement()

    def check_access(self, question: AccessQuestion) -> AccessGiven | AccessRefused:
        return ManagedUserAccess(self.accounts).check_access(question)
