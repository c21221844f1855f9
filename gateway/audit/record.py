"""A record of the audit: who, about whom, what, why, when, and with what result.

Values only. What of it is stored in the open, under a pseudonym or encrypted is decided in
`gateway.audit.sealing`; the reply's data is in no field, only the paths that were delivered and withheld.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import uuid4


class RecordKind(StrEnum):
    """What happened. A ticket has at most one record of each kind."""

    EXCHANGE = "exchange"
    DRY_RUN = "dry run"  # An exchange that asked only whether it would pass: nothing was consulted.
    SIGNATURE_FAILURE = "signature failure"  # Of an exchange already recorded.
    INSCRIPTION_CHANGE = "inscription change"
    ANNEX_CHANGE = "annex change"
    USER_CHANGE = "user change"
    NOTIFICATION_PULL = "notification pull"
    STRANGER_REFUSALS = "stranger refusals"  # What one source was refused within a minute, beyond what has records.
    NOTIFICATION_ACKNOWLEDGEMENT = "notification acknowledgement"
    AUDIT_CONSULTATION = "audit consultation"  # Somebody looked a person up in the audit, or read a sealed part.
    AUDIT_ERASURE = "audit erasure"
    MAINTENANCE = "maintenance"  # An operator closed the gateway, or opened it again.


class RecordOutcome(StrEnum):
    """How it ended: `REFUSAL` is a reply that says no by decision, `DONE` a change that was made."""

    REPLY = "reply"
    REFUSAL = "refusal"
    FAULT = "fault"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One record. Times are aware; what was not established is None.

    `ticket_cbss` is the exchange's UUID; `client` the annex's client, or for a change the account that made
    it; `certificate` the SHA-256 of its DER in hex; `organisation` the key of the one represented.
    `criteria`, `delivered` and `withheld` are paths, without values. `left_out` counts the items about persons
    whom the client may not see, None where none could be; `refusals` those of a stranger that one record stands for.

    The last fields are sealed: `subject` (the SSIN of the first person asked or told about) and
    `further_subjects` (those of the others, each once), both also stored as pseudonyms, `message` (the request as it
    arrived), `request`, `facts` and `decided_at` exactly as the decision saw them (any value made of
    dataclasses, mappings, sequences, dates and plain values), and `reason`, in full. They are kept out of
    `repr`.
    """

    ticket_cbss: str
    received_at: datetime
    outcome: RecordOutcome
    kind: RecordKind = RecordKind.EXCHANGE
    code: str | None = None
    value: str | None = None
    client: str | None = None
    annex_revision: str | None = None
    annex_clause: str | None = None
    certificate: str | None = None
    source_address: str | None = None
    authentication_method: str | None = None
    organisation: str | None = None
    service: str | None = None
    operation: str | None = None
    legal_context: str | None = None
    deliberation: str | None = None
    customer_ticket: str | None = None
    criteria: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    left_out: int | None = None
    refusals: int | None = None
    subject: str | None = field(default=None, repr=False)
    further_subjects: tuple[str, ...] = field(default=(), repr=False)
    message: bytes = field(default=b"", repr=False)
    request: Any = field(default=None, repr=False)
    facts: Any = field(default=None, repr=False)
    decided_at: datetime | None = field(default=None, repr=False)
    reason: str = field(default="", repr=False)

    @classmethod
    def of_deed(cls, kind: RecordKind, operation: str, account: str, request: Any, now: datetime) -> Self:
        """Return the record of what an account did at `now`, outside any exchange: it has a ticket of its own."""
        return cls(
            ticket_cbss=str(uuid4()),
            received_at=now,
            outcome=RecordOutcome.DONE,
            kind=kind,
            client=account,
            operation=operation,
            request=request,
            decided_at=now,
        )


Sealed = Mapping[str, Any]
"""The sealed part: `subject`, `furtherSubjects`, `message` (bytes), `request`, `facts`, `decidedAt` and `reason`."""
