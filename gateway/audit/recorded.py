"""Reads a sealed decision back: the request, the facts and the moment exactly as `authz.decide` saw them.

The inverse of what `gateway.audit.sealing` writes of them, made from the types of the fields, so that a field that is
added to them is read too.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache, partial
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from authz.question import AccessFacts, AccessRequest
from gateway.audit.record import Sealed


class NoDecision(Exception):
    """The record is of something that was never decided: a fault before it, a stranger, a change."""


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """What a decision rested on; `decided_at` is UTC."""

    request: AccessRequest
    facts: AccessFacts
    decided_at: datetime


def read_decision(sealed: Sealed) -> RecordedDecision:
    """Read the decision of a record from its unsealed part; NoDecision when nothing was decided."""
    request, facts, decided_at = sealed["request"], sealed["facts"], sealed["decidedAt"]
    if request is None or facts is None or decided_at is None:
        raise NoDecision("the record holds no decision")
    return RecordedDecision(_reader(AccessRequest)(request), _reader(AccessFacts)(facts), decided_at)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what reads a value of this type, None included, from what was sealed of it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (kind,) = (each for each in inner if each is not type(None))
        return partial(_read_optional, _reader(kind))
    if origin is tuple:
        return partial(_read_all, tuple, _reader(inner[0]))
    if origin in (frozenset, Set):
        return partial(_read_all, frozenset, _reader(inner[0]))
    if origin is Mapping:
        return partial(_read_mapping, _reader(inner[1]))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return partial(_read_fields, kind, {name: _reader(hint) for name, hint in hints.items()})
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else _read_plain


def _read_plain(value: Any) -> Any:
    return value


def _read_optional(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


def _read_all(collection: Callable[[Any], Any], read: Callable[[Any], Any], values: Any) -> Any:
    return collection(map(read, values))


def _read_mapping(read: Callable[[Any], Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: read(value) for name, value in values.items()}


def _read_fields(kind: Callable[..., Any], readers: Mapping[str, Callable[[Any], Any]], values: Any) -> Any:
    return kind(**{name: read(values[name]) for name, read in readers.items()})
