"""Reads which employer a consultation is about, and says what in it cannot be used.

The XSD has seen to it that exactly one number is there; here are the check digits.
"""

from dataclasses import dataclass

from services.consultation import Values
from services.employer import EmployerReference, Register
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits

_REGISTERS = {"nssoRegistrationNumber": Register.NSSO, "nssoPpoRegistrationNumber": Register.NSSO_PPO}


@dataclass(frozen=True, slots=True)
class UnusableCriterion:
    """`path` is the element of the request that has to be mended, `reason` says how."""

    path: str
    reason: str


def read_criteria(criteria: Values) -> EmployerReference | UnusableCriterion:
    """Return whom to look for, or the criterion that cannot be used."""
    for name, register in _REGISTERS.items():
        if name in criteria:
            if not has_valid_nsso_check_digits(criteria[name]):
                return _wrong(name)
            return EmployerReference(register=register, registration_number=criteria[name])
    if not has_valid_enterprise_check_digits(criteria["enterpriseNumber"]):
        return _wrong("enterpriseNumber")
    return EmployerReference(enterprise_number=criteria["enterpriseNumber"])


def _wrong(name: str) -> UnusableCriterion:
    return UnusableCriterion(f"criteria/{name}", "has wrong check digits")
