"""The numbers of employers, by their check digits: NSSO registration numbers and enterprise numbers."""


def complete_nsso_number(first_eight: str) -> str:
    """Return the registration number that begins so: its last two digits are 96 less 100 times the rest modulo 97."""
    return f"{first_eight}{96 - 100 * int(first_eight) % 97:02}"


def has_valid_nsso_check_digits(number: str) -> bool:
    """Tell whether ten digits are a registration number of the NSSO or of its provincial and local branch."""
    return number == complete_nsso_number(number[:8])


def has_valid_enterprise_check_digits(number: str) -> bool:
    """Tell whether ten digits are an enterprise number: its last two are 97 less the rest modulo 97."""
    return int(number[8:]) == 97 - int(number[:8]) % 97
