"""What a password must be (seed 002, Een nieuw wachtwoord aanmaken). How it is kept is not known here."""

SHORTEST = 10
DIGITS_OR_SPECIALS = 2
SPECIALS = frozenset(";:=?./+*$%><&@#'(!{})-")


def is_long_enough(password: str) -> bool:
    """Tell whether it has at least ten characters."""
    return len(password) >= SHORTEST


def has_digits_or_specials(password: str) -> bool:
    """Tell whether at least two of its characters are digits (0 to 9) or special characters of the list."""
    return sum(each in SPECIALS or (each.isascii() and each.isdigit()) for each in password) >= DIGITS_OR_SPECIALS
