"""What User Management asks of the other accounts: the port that storage implements and tests fake."""

from typing import Protocol

from authz.ssin import Environment
from authz.user_management.model import Enterprise, EnterpriseAccount


class Accounts(Protocol):
    """Every account, to look one up."""

    def find_account(self, enterprise_number: str) -> EnterpriseAccount | None:
        """Return the account of an enterprise."""
        ...

    def find_account_of(self, technical_id: str) -> EnterpriseAccount | None:
        """Return the account that has this user id or sender number."""
        ...

    def find_account_registered(self, nsso_number: str) -> EnterpriseAccount | None:
        """Return the account of the employer with this NSSO or NSSO-PPO registration number."""
        ...


class World(Protocol):
    """The facts beyond one account that a command's rules look at."""

    environment: Environment

    def find_enterprise(self, enterprise_number: str) -> Enterprise | None:
        """Return an enterprise that has an account."""
        ...

    def is_user_name_taken(self, user_name: str) -> bool:
        """Tell whether any user of any enterprise has, or ever had, this user name (letter case does not count)."""
        ...

    def is_certificate_taken(self, fingerprint: str, sender_number: str | None) -> bool:
        """Tell whether a technical user other than `sender_number` has this certificate."""
        ...

    def next_sender_number(self) -> str:
        """Return a sender number (six digits) that was never given before."""
        ...
