"""What a rule looks at: the account, the command, who gives it, and the world around."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from authz.user_management.commands import Actor, Member
from authz.user_management.model import Enterprise, EnterpriseAccount, Quality, User
from authz.user_management.world import World


@dataclass(frozen=True, slots=True)
class Question:
    """One command and all that bears on it. A rule is asked only of commands that have the fields it looks at."""

    account: EnterpriseAccount
    command: Any
    actor: Actor
    world: World
    day: date

    @property
    def enterprise(self) -> Enterprise:
        """Return the enterprise of the account."""
        return self.account.enterprise

    @property
    def member(self) -> User | None:
        """Return the acting user, if it is one of this account."""
        if not isinstance(self.actor, Member) or self.actor.enterprise_number != self.enterprise.number:
            return None
        return self.account.users.get(self.actor.user_id)

    @property
    def target(self) -> User | None:
        """Return the user that the command is about."""
        return self.account.users.get(self.command.user_id)

    @property
    def quality(self) -> Quality | None:
        """Return the quality that the command touches: named, of the user, or of the technical user."""
        if hasattr(self.command, "quality"):
            named: Quality = self.command.quality
            return named
        if hasattr(self.command, "sender_number"):
            technical_user = self.account.technical_users.get(self.command.sender_number)
            return technical_user.quality if technical_user else None
        return self.target.quality if self.target else None

    @property
    def is_chief(self) -> bool:
        """Tell whether the chief access manager acts."""
        return self.member is not None and self.member.user_id == self.account.chief

    @property
    def is_chief_or_co_chief(self) -> bool:
        """Tell whether the chief access manager or the co-chief acts."""
        return self.member is not None and self.member.user_id in (self.account.chief, self.account.co_chief)

    def manages(self, quality: Quality | None) -> bool:
        """Tell whether the acting user manages the users of a quality: its access managers, and the chiefs all."""
        return self.is_chief_or_co_chief or self.is_access_manager(quality)

    def is_access_manager(self, quality: Quality | None) -> bool:
        """Tell whether the acting user is access manager or co-access manager of a quality."""
        roles = self.account.qualities.get(quality) if quality else None
        if self.member is None or quality is None or roles is None:
            return False
        return self.member.user_id in (self.account.manager_of(quality), roles.co_manager)


def rank(account: EnterpriseAccount, user_id: str) -> int:
    """Return how high a user stands: 4 chief, 3 co-chief, 2 access manager, 1 co-access manager, 0 user."""
    if user_id == account.chief:
        return 4
    if user_id == account.co_chief:
        return 3
    if any(roles.manager == user_id for roles in account.qualities.values()):
        return 2
    return int(any(roles.co_manager == user_id for roles in account.qualities.values()))
