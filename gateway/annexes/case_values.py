"""Whether a search parameter of a golden case holds what the contract's element does."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gateway.xml.model import ComplexType, Element

_TEXT = "a text; write it between quotes"
_WANTED: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), _TEXT),
    "date": ((date,), "a day, such as 2026-01-31"),
    "dateTime": ((datetime,), "a moment with its zone, such as 2026-01-31T12:00:00Z"),
    "boolean": ((bool,), "true or false"),
    "decimal": ((int, float, Decimal), "a number"),
}
_WHOLE: tuple[tuple[type, ...], str] = (int,), "a whole number"


def find_mistake(element: Element, value: Any) -> str | None:
    """Return what the value must be, if it is not; what would hold elements is None, what is repeated may be a list."""
    text = element.type.text if isinstance(element.type, ComplexType) else element.type
    if text is None:
        return None if value is None else "nothing: it holds elements, which are named by their own paths"
    kinds, wanted = _WANTED.get(text.builtin, _WHOLE)
    values = value if isinstance(value, list) else [value]
    # Exactly: True is an int to Python, and a moment is a day.
    return None if all(type(each) in kinds for each in values) else wanted
