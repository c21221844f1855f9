"""What the stages establish: one frozen value per stage, holding the one before it in `previous`.

A stage takes exactly the type that its predecessor returns, so the type checker keeps the order: none can be skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from lxml import etree

from authz.annex import Annex, AuthenticationMethod
from authz.answer import Permit
from authz.question import AccessFacts, AccessRequest
from gateway.contracts import OperationContract
from gateway.dispatch import ServiceEndpoint
from gateway.wss.certificate import Certificate
from gateway.xml.parse import SoapMessage
from services.consultation import Outcome, Values


@dataclass(frozen=True, slots=True)
class Arrived:
    """An HTTP request as the transport saw it, before anything was judged. `body` is None when it was over the limit.

    `address` is the peer's; `peer_certificate` the DER of the TLS client certificate, None without mutual TLS;
    `received_at` is aware, UTC; `ticket` the UUID by which we know this exchange (ticketCBSS).
    """

    ticket: str
    received_at: datetime
    endpoint: ServiceEndpoint
    method: str
    content_type: str
    content_encoding: str
    soap_action: str | None
    body: bytes | None
    address: str
    peer_certificate: bytes | None
    previous: None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A SOAP request by its HTTP headers, of acceptable size."""

    previous: Arrived
    body: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """One SOAP 1.1 Envelope."""

    previous: Received
    message: SoapMessage


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A message of a known client. `payload` is the element that was verified, the only one to be read from here on.

    `signature_value` is what the reply confirms, `replay_key` what makes the message the same as another, until
    `forget_at` (aware, UTC), when it is too old to be accepted anyway; all three are None for an unsigned request.
    `dry_run` is the verified header block that asks for a dry run, not yet read; None without one.
    `at` is when the annex was found in force: what is decided by it is decided for that instant, so that nothing is
    decided by an annex after the next one has come into force.
    """

    previous: Parsed
    at: datetime
    certificate: Certificate
    annex: Annex
    method: AuthenticationMethod
    payload: etree._Element
    signature_value: bytes | None
    replay_key: bytes | None
    forget_at: datetime | None
    dry_run: etree._Element | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A message never seen before, within the client's quota; from here on the client has a right to signed answers.

    Only its annex may give that up, for what answers its unsigned messages.
    """

    previous: Authenticated


@dataclass(frozen=True, slots=True)
class Resolved:
    """The operation that the payload asks for; `dry_run` when the client wants to know only whether it would pass."""

    previous: Admitted
    operation: OperationContract
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Valid:
    """A payload that is valid against its XSD, read into values."""

    previous: Resolved
    values: Values


@dataclass(frozen=True, slots=True)
class Permitted:
    """What the annex grants to this request, and what the decision saw. `decided_at` is aware, UTC."""

    previous: Valid
    request: AccessRequest
    facts: AccessFacts
    decided_at: datetime
    permit: Permit


@dataclass(frozen=True, slots=True)
class Answered:
    """What the operation found; `reason` says for the audit why its source could not answer, if it could not."""

    previous: Permitted
    outcome: Outcome
    reason: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Screened:
    """What is left of it when persons whom the client may not see are left out.

    `told` are the SSINs of the persons whom the reply lists, each once. `left_out` counts the items that went, None
    where the operation lists no persons.
    """

    previous: Answered
    outcome: Outcome
    told: tuple[str, ...] = field(default=(), repr=False)
    left_out: int | None = None


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What of it the client may have. `delivered` and `withheld` are paths of the reply."""

    previous: Screened
    data: Mapping[str, Any]
    delivered: tuple[str, ...]
    withheld: tuple[str, ...]


Established = (
    Arrived
    | Received
    | Parsed
    | Authenticated
    | Admitted
    | Resolved
    | Valid
    | Permitted
    | Answered
    | Screened
    | Disclosed
)
Kind = TypeVar("Kind", bound=Established)


def get(established: Established, kind: type[Kind]) -> Kind:
    """Return the value that the stage establishing `kind` left; LookupError when it did not run, a mistake of ours."""
    found = find(established, kind)
    if found is None:
        raise LookupError(kind.__name__)
    return found


def find(established: Established | None, kind: type[Kind]) -> Kind | None:
    """Return the value that the stage establishing `kind` left, None when the request did not get that far."""
    # Not isinstance: nothing derives from these, and a request asks this two hundred times.
    while established is not None and type(established) is not kind:
        established = established.previous
    return established


def asks_what_answers_when_broken(established: Established) -> bool:
    """Tell whether a known client asks an operation that is answered without database and audit.

    A stranger's message never is one, whatever it names.
    """
    authenticated = find(established, Authenticated)
    if authenticated is None:
        return False
    operation = get(authenticated, Arrived).endpoint.contract.operations.get(authenticated.payload.tag)
    return operation is not None and operation.descriptor.answers_when_broken
