"""Reads which employer a consultation is about, and says what in it cannot be used.

The XSD has seen to it that exactly one number is there; here are the check digits.
"""

from services.consultation import Values
from services.criterion import UnusableCriterion
from services.employer import REGISTRATION_NUMBERS, EmployerReference, read_reference
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits


def read_criteria(criteria: Values) -> EmployerReference | UnusableCriterion:
    """Return whom to look for, or the criterion that cannot be used."""
    reference = read_reference(criteria)
    if reference.register is None:
        element, is_valid = "enterpriseNumber", has_valid_enterprise_check_digits
    else:
        element, is_valid = REGISTRATION_NUMBERS[reference.register], has_valid_nsso_check_digits
    if not is_valid(criteria[element]):
        return UnusableCriterion(f"criteria/{element}", "has wrong check digits")
    return reference
