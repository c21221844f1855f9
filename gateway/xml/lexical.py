"""Between the text of simple types and Python values, both ways; the conventions are in services.consultation."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INTEGERS: tuple[str, ...] = (
    "integer",
    "int",
    "long",
    "short",
    "byte",
    "unsignedLong",
    "unsignedInt",
    "unsignedShort",
    "unsignedByte",
    "positiveInteger",
    "nonNegativeInteger",
    "nonPositiveInteger",
    "negativeInteger",
)


def _read_date(text: str) -> date:
    # A date's time zone says nothing in a calendar that is Europe/Brussels throughout.
    day = text.strip()
    if len(day) > 10 and day[10] not in "Z+-":
        raise ValueError(day)
    return date.fromisoformat(day[:10])


def _read_datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    # Converted here, where a moment whose UTC lies outside the calendar is the sender's mistake and not ours.
    try:
        return moment if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def _write_date(value: date | str) -> str:
    # A source that keeps whole documents keeps dates as text; the reply's validation judges them.
    return value if isinstance(value, str) else value.isoformat()


def _write_datetime(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    precision = "microseconds" if value.microsecond % 1000 else "milliseconds"
    return value.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def _write_boolean(value: bool) -> str:
    return "true" if value else "false"


def _read_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip()]
    except KeyError:
        raise ValueError(text) from None


def _read_decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(text) from None


def _read_integer(text: str) -> int:
    return int(text)


def _write_integer(value: int) -> str:
    return str(value)


def _write_decimal(value: Decimal) -> str:
    return format(value, "f")


_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "date": _read_date,
    "dateTime": _read_datetime,
    "boolean": _read_boolean,
    "decimal": _read_decimal,
    **dict.fromkeys(_INTEGERS, _read_integer),
}

_WRITERS: dict[str, Callable[[Any], str]] = {
    "string": str,
    "date": _write_date,
    "dateTime": _write_datetime,
    "boolean": _write_boolean,
    "decimal": _write_decimal,
    **dict.fromkeys(_INTEGERS, _write_integer),
}


def reader_of(builtin: str) -> Callable[[str], Any]:
    """Return the function from lexical text to value; it raises ValueError alone for what it cannot read."""
    return _READERS[builtin]


def writer_of(builtin: str) -> Callable[[Any], str]:
    """Return the function from value to lexical text, not yet escaped."""
    return _WRITERS[builtin]
