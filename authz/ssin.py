"""The social security identification number: check digits, and which numbers can be nobody's.

An SSIN is YYMMDD, a serial number of three digits, and two check digits: 97 minus the nine digits modulo 97,
with a 2 put before them for births from 2000. A month raised by 20 or 40 marks a bis number (a person outside
the national register), a month raised by 60 a mock number of test environments. The module knows numbers
only, no persons.
"""

import re
from enum import StrEnum

_SSIN = re.compile(r"[0-9]{11}")
_MOCK_MONTHS = range(60, 73)
_BIS_MONTHS = (*range(20, 33), *range(40, 53))
_LONGEST_MONTH = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


class Environment(StrEnum):
    """What a deployment is for; only production holds real persons."""

    TEST = "test"
    ACCEPTANCE = "acceptance"
    PRODUCTION = "production"


def with_check_digits(first_nine: str, born_after_2000: bool) -> str:
    """Complete the first nine digits of an SSIN; `born_after_2000` means born on or after 1 January 2000."""
    century = "2" if born_after_2000 else ""
    return f"{first_nine}{97 - int(century + first_nine) % 97:02d}"


def has_valid_check_digits(ssin: str) -> bool:
    """Tell whether the text is eleven digits whose check digits agree, for either century."""
    if _SSIN.fullmatch(ssin) is None:
        return False
    return any(with_check_digits(ssin[:9], born_after_2000) == ssin for born_after_2000 in (False, True))


def is_synthetic(ssin: str) -> bool:
    """Tell whether the number can be no real person's.

    That is so for a mock number, and for a bis number whose day does not exist in its month (31 April), which
    is how the demo world makes its bis numbers. A day or month of zeroes is real: the date of birth was not
    known.
    """
    month, day = int(ssin[2:4]), int(ssin[4:6])
    if month in _MOCK_MONTHS:
        return True
    return month in _BIS_MONTHS and day > _LONGEST_MONTH.get(month % 20, 31)


def is_acceptable(ssin: str, environment: Environment) -> bool:
    """Tell whether the SSIN is well made and belongs here: production refuses synthetic numbers."""
    if not has_valid_check_digits(ssin):
        return False
    return environment is not Environment.PRODUCTION or not is_synthetic(ssin)
