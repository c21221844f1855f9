"""The port behind which the registers of employers stand: `gateway/sources/` has its adapter, the tests a fake."""

from typing import Protocol

from services.consultation import SourceFault
from services.employer import EmployerReference
from services.employer_repertory.registration import Registration


class NaturalPersonReserved(SourceFault):
    """The employer is a natural person, of whom the register tells this gateway nothing (MSG00015)."""

    case = "natural_person_reserved"

    def __init__(self) -> None:
        reason = "the employer is a natural person, of whom the register tells this gateway nothing: ask the register"
        super().__init__(reason, (("field", "criteria"), ("details", reason)))


class EmployerRegister(Protocol):
    """Asks the NSSO, and its branch for provincial and local administrations.

    May raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered what it may not) or
    `SourceCommunicationFailed` (the exchange broke off). A register of another institution, which keeps to
    deliberation 07/039 itself, may raise `NaturalPersonReserved`.
    """

    def find_registrations(self, employer: EmployerReference) -> tuple[Registration, ...]:
        """Return the registrations of the employer, by register and number; empty if there are none.

        The reference has one number: a registration with its register, or an enterprise.
        """
        ...
