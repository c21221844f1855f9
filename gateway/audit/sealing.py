"""Sealing: what of a record is stored in the open, what under a pseudonym, and what encrypted.

A person is searched by pseudonym: HMAC-SHA256 of the SSIN under the month's pseudonym key, so another every
month. The sealed part is AES-256-GCM over JSON, under the month's other key; its nonce stands before it.
Ticket, kind and month are bound to it as associated data, so that no sealed part can be moved to another
record.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidTag

from gateway.audit.keys import MonthKey, MonthKeys
from gateway.audit.record import AuditRecord, Sealed

_NONCE_BYTES = 12
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=lambda value: _plain(value)).encode
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
    """The sealed part is not the one stored for this record, or its month's keys are gone."""


def month_of(record: AuditRecord) -> str:
    """Return the month (UTC, `2026-01`) under whose keys the record is sealed: that of its reception."""
    return record.received_at.astimezone(UTC).strftime("%Y-%m")


def pseudonym(key: MonthKey, ssin: str) -> str:
    """Return what stands for the person in the records of the key's month."""
    return hmac.digest(key.pseudonym, ssin.encode(), "sha256").hex()


def seal(record: AuditRecord, keys: MonthKeys, recorded_at: datetime) -> SealedRecord:
    """Return the record as it is stored; AuditKeysUnusable when the month has no usable keys."""
    key = keys.get_for_sealing(month_of(record))
    content = {
        "subject": record.subject,
        "furtherSubjects": record.further_subjects,
        "message": base64.b64encode(record.message).decode(),
        "request": record.request,
        "facts": record.facts,
        "decidedAt": record.decided_at,
        "reason": record.reason,
    }
    octets = _encode(content).encode()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    bound = _associated_data(record.ticket_cbss, record.kind, key.month)
    row = {name: getattr(record, name) for name in _OPEN_TEXTS}
    row |= {
        "ticket_cbss": record.ticket_cbss,
        "kind": str(record.kind),
        "month": key.month,
        "received_at": record.received_at,
        "recorded_at": recorded_at,
        "subject": None if record.subject is None else pseudonym(key, record.subject),
        "criteria": record.criteria,
        "delivered": record.delivered,
        "withheld": record.withheld,
        "outcome": str(record.outcome),
        "left_out": record.left_out,
        "refusals": record.refusals,
        "sealed": nonce + key.cipher.encrypt(nonce, octets, bound),
    }
    return SealedRecord(row, tuple(pseudonym(key, ssin) for ssin in record.further_subjects))


def unseal(row: Mapping[str, Any], keys: MonthKeys) -> Sealed:
    """Return the sealed part of a row of `audit_records`; SealBroken when it cannot be read."""
    key = keys.find(row["month"])
    if key is None:
        raise SealBroken(f"the keys of {row['month']} are not there: destroyed, or kept elsewhere")
    sealed = row["sealed"]
    bound = _associated_data(row["ticket_cbss"], row["kind"], row["month"])
    try:
        octets = key.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except InvalidTag:
        raise SealBroken("the sealed part does not belong to this record, or was changed") from None
    content: dict[str, Any] = json.loads(octets)
    return content | {"message": base64.b64decode(content["message"])}


def _associated_data(ticket: str, kind: str, month: str) -> bytes:
    return f"{ticket}\n{kind}\n{month}".encode()


def _plain(value: Any) -> Any:
    """Turn what JSON does not know of a decision into what it knows; TypeError where meaning would be lost."""
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sealed")
