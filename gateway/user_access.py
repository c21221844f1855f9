"""Whether a user may reach an employer, where no User Management is wired: nobody may."""

from datetime import date

from services.employer import EmployerReference
from services.employer_repertory.repository import Access


class NoUserAccess:
    """Refuses everybody; implements `services.employer_repertory.repository.UserAccess`."""

    def check_access(self, user: str, employer: EmployerReference, application: str, day: date) -> Access:
        """Refuse."""
        return Access(granted=False, reason="this gateway has no User Management to check the user with")
