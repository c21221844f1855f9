"""Sealing: what of a record is stored in the open, what under a pseudonym, and what encrypted.

A person is searched by pseudonym: HMAC-SHA256 of the SSIN under the month's pseudonym key, so another every
month. The sealed part is JSON in a box (`gateway.audit.sealed_box`) that opens with the month's keys and the
auditor's private key together. Ticket, kind and month are bound to it, so that no sealed part can be moved to
another record.

What JSON has no word for keeps its type there: a day is `{"$date": "2026-01-31"}`, a moment `$datetime`, a decimal
number `$decimal`. No name in a message begins so.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.audit.keys import MonthKey, MonthKeys
from gateway.audit.octets import put_base64
from gateway.audit.record import AuditRecord, Sealed
from gateway.audit.sealed_box import BoxBroken, SealingKeys, open_box

_KEPT: Mapping[str, Callable[[str], Any]] = {
    "$date": date.fromisoformat,
    "$datetime": datetime.fromisoformat,
    "$decimal": Decimal,
}
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_OPEN_TEXTS = (
    "client",
    "annex_revision",
    "annex_clause",
    "certificate",
    "source_address",
    "authentication_method",
    "organisation",
    "service",
    "operation",
    "legal_context",
    "deliberation",
    "customer_ticket",
    "value",
    "code",
)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A record as it is stored: its row of `audit_records`, and the pseudonyms of further persons."""

    row: Mapping[str, Any]
    further_subjects: tuple[str, ...] = ()


class SealBroken(Exception):
    """The sealed part is not the one stored for this record, or not for this auditor, or its month's keys are gone."""


def month_of(record: AuditRecord) -> str:
    """Return the month (UTC, `2026-01`) under whose keys the record is sealed: that of its reception."""
    return record.received_at.astimezone(UTC).strftime("%Y-%m")


def pseudonym(key: MonthKey, ssin: str) -> str:
    """Return what stands for the person in the records of the key's month."""
    return hmac.digest(key.pseudonym, ssin.encode(), "sha256").hex()


def seal(record: AuditRecord, keys: SealingKeys, recorded_at: datetime) -> SealedRecord:
    """Return the record as it is stored; AuditKeysUnusable when the month has no usable keys."""
    key = keys.get(month_of(record))
    month = key.month
    content = {
        "message": "",
        "subject": record.subject,
        "furtherSubjects": record.further_subjects,
        "request": record.request,
        "facts": record.facts,
        "decidedAt": record.decided_at,
        "reason": record.reason,
    }
    octets = put_base64(_encode(content).encode(), "message", record.message)
    bound = _associated_data(record.ticket_cbss, record.kind, month.month)
    row = {name: getattr(record, name) for name in _OPEN_TEXTS}
    row |= {
        "ticket_cbss": record.ticket_cbss,
        "kind": str(record.kind),
        "month": month.month,
        "received_at": record.received_at,
        "recorded_at": recorded_at,
        "subject": None if record.subject is None else pseudonym(month, record.subject),
        "criteria": record.criteria,
        "delivered": record.delivered,
        "withheld": record.withheld,
        "outcome": str(record.outcome),
        "left_out": record.left_out,
        "refusals": record.refusals,
        "sealed": key.close(octets, bound),
    }
    return SealedRecord(row, tuple(pseudonym(month, ssin) for ssin in record.further_subjects))


def unseal(row: Mapping[str, Any], keys: MonthKeys, auditor_key: X25519PrivateKey) -> Sealed:
    """Return the sealed part of a row of `audit_records`; SealBroken when it cannot be read.

    Dataclasses come back as mappings of their fields, sets as sorted lists, all else as it was sealed.
    """
    # The row may have been changed: what is no month is not looked for among files.
    month = keys.find(row["month"]) if _MONTH.fullmatch(row["month"]) else None
    if month is None:
        raise SealBroken(f"the keys of {row['month']} are not there: destroyed, or kept elsewhere")
    bound = _associated_data(row["ticket_cbss"], row["kind"], row["month"])
    try:
        octets = open_box(row["sealed"], month, auditor_key, bound)
    except BoxBroken:
        raise SealBroken("sealed for another auditor's key, or not this record's, or changed") from None
    content: dict[str, Any] = _decode(octets.decode())
    return content | {"message": base64.b64decode(content["message"])}


def _associated_data(ticket: str, kind: str, month: str) -> bytes:
    return f"{ticket}\n{kind}\n{month}".encode()


def _plain(value: Any) -> Any:
    """Turn what JSON does not know of a decision into what it knows; TypeError where meaning would be lost."""
    return _writer_of(value.__class__)(value)


@lru_cache(maxsize=256)
def _writer_of(kind: type[Any]) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        names = tuple(each.name for each in fields(kind))
        return lambda value: {name: getattr(value, name) for name in names}
    if issubclass(kind, datetime):
        return lambda value: {"$datetime": (value.astimezone(UTC) if value.tzinfo else value).isoformat()}
    if issubclass(kind, date):
        return lambda value: {"$date": value.isoformat()}
    if issubclass(kind, Decimal):
        return lambda value: {"$decimal": str(value)}
    if issubclass(kind, Mapping):
        return dict
    if issubclass(kind, Set):
        return sorted
    if issubclass(kind, Sequence) and not issubclass(kind, bytes):
        return list
    raise TypeError(f"{kind.__name__} cannot be sealed")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def _restored(values: dict[str, Any]) -> Any:
    """Return the mapping, or the value whose type it keeps."""
    if len(values) == 1:
        ((name, text),) = values.items()
        if name in _KEPT:
            return _KEPT[name](text)
    return values


_decode = json.JSONDecoder(object_hook=_restored).decode
