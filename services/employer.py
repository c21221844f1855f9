"""An employer as requests name it and as the register of employers knows it.

The NSSO registers private and federal employers, its branch for provincial and local administrations (NSSO-PPO) the
others; both number by ten digits. A request may name the registration, the enterprise, or both, which must then agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.consultation import Values


class Register(StrEnum):
    """Which register a registration number is of."""

    NSSO = "NSSO"
    NSSO_PPO = "NSSO_PPO"


REGISTRATION_NUMBERS: Mapping[Register, str] = {
    Register.NSSO: "nssoRegistrationNumber",
    Register.NSSO_PPO: "nssoPpoRegistrationNumber",
}
"""The element of the contracts that holds a number of the register."""


@dataclass(frozen=True, slots=True)
class EmployerReference:
    """How a request names an employer; `registration_number` comes with its `register`, at least one number is there.

    A provisional NSSO number (given before the final one) is a registration number of the NSSO like any other.
    """

    register: Register | None = None
    registration_number: str | None = None
    enterprise_number: str | None = None


@dataclass(frozen=True, slots=True)
class Employer:
    """An employer of the register, which its registration number alone makes out.

    A natural person has no enterprise number in a few old registrations. `deletion_date` is the day on which the
    employer was struck off, None while it is not.
    """

    register: Register
    registration_number: str
    enterprise_number: str | None
    name: str
    natural_person: bool = False
    deletion_date: date | None = None


def read_reference(values: Values) -> EmployerReference:
    """Return how the numbers in an element name an employer."""
    enterprise_number = values.get("enterpriseNumber")
    for register, element in REGISTRATION_NUMBERS.items():
        if element in values:
            return EmployerReference(register, values[element], enterprise_number)
    return EmployerReference(enterprise_number=enterprise_number)
