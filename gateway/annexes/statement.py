"""What operators sign when an annex is activated: the order of the one who proposes, and the approval of the other.

Pure. A statement is signed as one line that names it, so that no signature serves for another purpose, and canonical
JSON (sorted keys, no spaces, UTF-8; times RFC 3339, UTC, with microseconds). Signatures are Ed25519 (RFC 8032).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

_ORDER = "ksz-gateway annex order v1"
_APPROVAL = "ksz-gateway annex approval v1"

NOTHING = ""
"""Stands where no activation goes before."""


@dataclass(frozen=True, slots=True)
class Order:
    """The first operator wants this revision in force; what the other approves is exactly this.

    `active_from` None leaves the instant to the approval. `after` is the digest of the client's newest activation, so
    that an order serves once and for the situation it was written for; `names` are those by which the annex is looked
    up.
    """

    client: str
    revision: str
    names: frozenset[str]
    active_from: datetime | None
    after: str
    proposed_by: str
    proposed_at: datetime

    def octets(self) -> bytes:
        """Return what the operator who proposes signs."""
        return _octets(
            _ORDER,
            client=self.client,
            revision=self.revision,
            names=sorted(self.names),
            activeFrom=None if self.active_from is None else _time(self.active_from),
            after=self.after,
            proposedBy=self.proposed_by,
            proposedAt=_time(self.proposed_at),
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """The second operator puts an order in force at `active_from`, as activation `number`.

    `follows` is the digest of the activation before it, whose client whatsoever: so the activations are a chain, out of
    which none can be taken unseen but the newest.
    """

    order: Order
    number: int
    active_from: datetime
    follows: str
    approved_by: str
    approved_at: datetime

    def octets(self) -> bytes:
        """Return what the operator who approves signs."""
        return _octets(
            _APPROVAL,
            order=sha256(self.order.octets()).hexdigest(),
            number=self.number,
            activeFrom=_time(self.active_from),
            follows=self.follows,
            approvedBy=self.approved_by,
            approvedAt=_time(self.approved_at),
        )

    @property
    def digest(self) -> str:
        """By which a later activation names this one: the SHA-256 of what was approved, in hex."""
        return sha256(self.octets()).hexdigest()


def _octets(what: str, **members: Any) -> bytes:
    return f"{what}\n{json.dumps(members, sort_keys=True, separators=(',', ':'), ensure_ascii=False)}".encode()


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
