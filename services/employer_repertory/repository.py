"""The ports of the service: the registers of employers, and who may see an employer who is a natural person.

`gateway/` has their adapters, the tests their fakes.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.employer import EmployerReference
from services.employer_repertory.registration import Registration


class EmployerRegister(Protocol):
    """Asks the NSSO, and its branch for provincial and local administrations.

    May raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered what it may not) or
    `SourceCommunicationFailed` (the exchange broke off).
    """

    def find_registrations(self, employer: EmployerReference) -> tuple[Registration, ...]:
        """Return the registrations of the employer, by register and number; empty if there are none.

        The reference has one number: a registration with its register, or an enterprise.
        """
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a user may reach an employer. `reason` says by which path, or why not: in whole words, for the client."""

    granted: bool
    reason: str


class UserAccess(Protocol):
    """Asks User Management, by the same check as CheckUnauthenticatedUserAccess. May raise `SourceUnavailable`."""

    def check_access(self, user: str, employer: EmployerReference, application: str, day: date) -> Access:
        """Tell whether a user may reach the employer in a secured application on a day of Belgium.

        Only who belongs to the employer, to its recognised secretariat or to its provider may.
        """
        ...
