"""An activation of an annex, and the proof that two operators wanted it. Pure: rows and keys are handed in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from authz.annex_document import revision_of
from gateway.annexes.operators import OperatorKeys
from gateway.annexes.statement import NOTHING, Approval, Order


class NotProved(Exception):
    """Two operators did not sign this activation as it stands; the message says what is wrong, for the log."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who activated, and the signatures over the `statement.Order` and the `statement.Approval`.

    `ordered_for` is the instant that the order names, None where it left that to the approval.
    """

    after: str
    follows: str
    ordered_for: datetime | None
    proposed_by: str
    proposed_at: datetime
    proposal_signature: bytes
    approved_by: str
    approval_signature: bytes


@dataclass(frozen=True, slots=True)
class Activation:
    """A revision of a client's annex comes into force at `active_from`, until the client's next one does.

    `certificates` are the names by which it is looked up: of certificates, or of the role that it is for. `signatures`
    is None for one from before activations were signed, which gives no rights.
    """

    sequence: int
    revision: str
    client: str
    certificates: frozenset[str]
    active_from: datetime
    recorded_at: datetime
    document: str = field(repr=False)
    signatures: Signatures | None = field(default=None, repr=False)


def approval_of(activation: Activation, signed: Signatures) -> Approval:
    """Return what the second operator signed."""
    order = Order(
        client=activation.client,
        revision=activation.revision,
        names=activation.certificates,
        active_from=signed.ordered_for,
        after=signed.after,
        proposed_by=signed.proposed_by,
        proposed_at=signed.proposed_at,
    )
    number, start, approved_at = activation.sequence, activation.active_from, activation.recorded_at
    return Approval(order, number, start, signed.follows, signed.approved_by, approved_at)


def newest_digest(activations: Sequence[Activation]) -> str:
    """Return the digest of the last signed activation; NOTHING if there is none."""
    for activation in reversed(activations):
        if activation.signatures is not None:
            return approval_of(activation, activation.signatures).digest
    return NOTHING


def prove(activation: Activation, before: Activation | None, operators: OperatorKeys) -> None:
    """Return if two different operators signed this activation just as it stands; NotProved otherwise.

    `before` is the client's signed activation before it. An order is good after that one alone: were it not, who
    approves could have what another once ordered put in force again.
    """
    signed = activation.signatures
    if signed is None:
        raise NotProved("nobody signed it")
    if signed.after != newest_digest(() if before is None else (before,)):
        raise NotProved("it was not ordered after the client's activation before it")
    approval = approval_of(activation, signed)
    if revision_of(activation.document) != activation.revision:
        raise NotProved("the document is another than the one that was signed")
    if signed.ordered_for not in (None, activation.active_from):
        raise NotProved("it was proposed for another time")
    proposer = operators.find_signer(
        signed.proposal_signature, approval.order.octets(), signed.proposed_by, activation.sequence
    )
    if proposer is None:
        raise NotProved(f"the proposal is not signed by a known key of {signed.proposed_by}")
    approver = operators.find_signer(
        signed.approval_signature, approval.octets(), signed.approved_by, activation.sequence
    )
    if approver is None:
        raise NotProved(f"the approval is not signed by a known key of {signed.approved_by}")
    if proposer.octets == approver.octets or proposer.name == approver.name:
        raise NotProved("one person proposed and approved it")


def list_proved(history: Iterable[Activation], operators: OperatorKeys) -> Iterator[Activation]:
    """Yield those of a whole history, in the order of their numbers, that two operators are proved to have signed."""
    before: dict[str, Activation] = {}
    for activation in history:
        try:
            prove(activation, before.get(activation.client), operators)
            yield activation
        except NotProved:
            pass
        if activation.signatures is not None:
            before[activation.client] = activation
