"""Check digits of enterprise numbers (CBE): the last two are 97 minus the first eight modulo 97."""

import re

_CBE_NUMBER = re.compile(r"[01][0-9]{9}")


def with_check_digits(first_eight: str) -> str:
    """Complete the first eight digits of an enterprise number."""
    return f"{first_eight}{97 - int(first_eight) % 97:02d}"


def has_valid_cbe_check_digits(cbe: str) -> bool:
    """Tell whether the text is an enterprise number (ten digits, 0 or 1 first) whose check digits agree."""
    return _CBE_NUMBER.fullmatch(cbe) is not None and with_check_digits(cbe[:8]) == cbe
