"""Events and accounts as JSON: written from the dataclasses of `authz`, read back and checked by their types."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from authz.user_management.events import Event
from authz.user_management.history import EVENTS
from authz.user_management.model import EnterpriseAccount

_ACCOUNT: TypeAdapter[EnterpriseAccount] = TypeAdapter(EnterpriseAccount)


class UnreadableDocument(Exception):
    """What is stored is no event or account of this version; the message quotes nothing."""


def write_event(event: Event) -> str:
    """Return an event as the text that the history keeps: its name, then its fields."""
    return json.dumps({"event": type(event).__name__, **to_document(event)}, ensure_ascii=False, separators=(",", ":"))


def read_event(text: str) -> Event:
    """Read back what `write_event` gave; UnreadableDocument for anything else."""
    try:
        values = json.loads(text)
        return _adapter(values.pop("event")).validate_python(values)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnreadableDocument(f"an event cannot be read ({type(error).__name__})") from None


def write_account(account: EnterpriseAccount) -> dict[str, Any]:
    """Return an account as a JSON document."""
    document: dict[str, Any] = to_document(account)
    return document


def read_account(document: Any) -> EnterpriseAccount:
    """Read back what `write_account` gave; UnreadableDocument for anything else."""
    try:
        return _ACCOUNT.validate_python(document)
    except ValidationError as error:
        raise UnreadableDocument(f"an account cannot be read ({error.error_count()} values are wrong)") from None


def to_document(value: Any) -> Any:
    """Return a value of dataclasses, mappings, sets, sequences, enumerations and days as JSON has them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {to_document(key): to_document(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(to_document(each) for each in value)
    if isinstance(value, tuple):
        return [to_document(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


@cache
def _adapter(name: str) -> TypeAdapter[Event]:
    return TypeAdapter(EVENTS[name])
