"""How period ids and declaration numbers are written: both grow, so that their texts sort as they were given out."""

FIRST_PERIOD = 1_000_000_000


def render_period_id(count: int) -> str:
    """Return the id of the period with this count: ten digits, the first no zero, and their rest modulo 97."""
    first_ten = FIRST_PERIOD + count
    return f"{first_ten}{first_ten % 97:02}"


def read_period_count(period_id: str) -> int:
    """Return the count of which `render_period_id` made the id."""
    return int(period_id[:10]) - FIRST_PERIOD


def render_declaration_number(count: int) -> str:
    """Return the number of the declaration with this count."""
    return f"D{count:012}"


def read_declaration_count(number: str) -> int:
    """Return the count of which `render_declaration_number` made the number."""
    return int(number[1:])
