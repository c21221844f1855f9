"""Four eyes: one operator proposes an annex, another approves just that, and only then it has an instant to come into
force. Every step is made under the one writer, with its audit record in the same transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from authz.annex import Annex, RoleAnnex
from authz.annex_document import revision_of
from gateway.annexes.activation import Activation, Signatures, approval_of, newest_digest
from gateway.annexes.names import names_of
from gateway.annexes.operators import Operator
from gateway.annexes.statement import Order
from gateway.annexes.store import (
    LEAD_TIME,
    AnnexStore,
    Proposal,
    add_proposal,
    add_revision,
    add_signatures,
    find_proposal,
    read_history,
    remove_proposal,
)
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.clock import Clock, system_clock
from gateway.storage.group_commit import GroupCommit


class AnnexRefused(Exception):
    """It stays as it is: the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Proposes, approves and withdraws; `clock` is asked once the writer's turn has come, so that no wait eats into
    the lead time.

    All raise AnnexRefused; CommitError and AuditUnavailable when it could not be stored.
    """

    store: AnnexStore
    commit: GroupCommit
    trail: AuditTrail
    clock: Clock = system_clock

    def propose(self, document: str, *, by: Operator, active_from: datetime | None = None) -> Proposal:
        """Sign that this annex shall be in force from an instant on, or from two seconds after its approval.

        Only a client's first annex may be active from earlier on: nothing may change under decisions already made.
        AnnexInvalid.
        """
        annex = self.store.read_annex(document)

        def work(connection: Connection) -> Proposal:
            now = self.clock()
            waiting = find_proposal(connection, annex.client)
            if waiting is not None:
                if now < waiting.lapses_at:
                    raise AnnexRefused(f"another proposal for {annex.client} waits: approve or withdraw that one first")
                remove_proposal(connection, annex.client)
            history = read_history(connection)
            after = newest_digest(_of(history, annex.client))
            order = Order(annex.client, annex.revision, names_of(annex), active_from, after, by.name, now)
            _check(order, annex, history, now)
            proposal = Proposal(order, by.sign(order.octets()), document)
            add_proposal(connection, proposal)
            self._record(connection, "annex propose", proposal, (by.name,), active_from, now)
            return proposal

        return self.commit.run(work)

    def approve(self, proposal: Proposal, *, by: Operator) -> Activation:
        """Sign what another operator proposed, and put it in force at its instant."""
        order = proposal.order
        annex = self.store.read_annex(proposal.document)
        written = annex.client, revision_of(proposal.document), names_of(annex)
        if written != (order.client, order.revision, order.names):
            raise AnnexRefused(f"the proposal for {order.client} is not what its document says: withdraw it")

        def work(connection: Connection) -> Activation:
            now = self.clock()
            if find_proposal(connection, order.client) != proposal:
                raise AnnexRefused(f"the proposal for {order.client} is another or gone by now: look at it again")
            self._check_persons(proposal, by)
            if now >= proposal.lapses_at:
                raise AnnexRefused(f"the proposal for {order.client} lapsed at {proposal.lapses_at}: propose it again")
            history = read_history(connection)
            if order.after != newest_digest(_of(history, order.client)):
                raise AnnexRefused(f"the annex of {order.client} was replaced since: withdraw this, propose it again")
            _check(order, annex, history, now)
            start = now + LEAD_TIME if order.active_from is None else order.active_from
            remove_proposal(connection, order.client)
            activation = sign_activation(connection, proposal, newest_digest(history), start, by, now)
            self._record(connection, "annex activate", proposal, (order.proposed_by, by.name), start, now)
            return activation

        return self.commit.run(work)

    def withdraw(self, client: str, *, by: Operator) -> None:
        """Forget what waits for this client."""

        def work(connection: Connection) -> None:
            proposal = find_proposal(connection, client)
            if proposal is None:
                raise AnnexRefused(f"nothing is proposed for {client}")
            remove_proposal(connection, client)
            self._record(connection, "annex withdraw", proposal, (by.name,), None, self.clock())

        self.commit.run(work)

    def _check_persons(self, proposal: Proposal, by: Operator) -> None:
        order = proposal.order
        proposer = self.store.operators.find_signer(proposal.signature, order.octets(), order.proposed_by, None)
        if proposer is None:
            raise AnnexRefused(f"{order.proposed_by}, an operator, did not sign this proposal: withdraw it")
        if proposer.name == by.name or proposer.octets == by.key.public_key().public_bytes_raw():
            raise AnnexRefused(f"{by.name} proposed it: another operator must approve it")

    def _record(
        self,
        connection: Connection,
        operation: str,
        proposal: Proposal,
        operators: Sequence[str],
        active_from: datetime | None,
        now: datetime,
    ) -> None:
        order = proposal.order
        request = {"client": order.client, "activeFrom": active_from, "operators": operators, "after": order.after}
        deed = AuditRecord.of_deed(RecordKind.ANNEX_CHANGE, operation, ", ".join(operators), request, now)
        record = replace(deed, annex_revision=order.revision, message=proposal.document.encode())
        self.trail.append(connection, self.trail.seal(record))


def sign_activation(
    connection: Connection, proposal: Proposal, follows: str, start: datetime, by: Operator, now: datetime
) -> Activation:
    """Write what a proposal orders as an activation that the second operator signs; nothing is checked here."""
    order = proposal.order
    sequence = add_revision(connection, proposal, start, now)
    unsigned = Activation(sequence, order.revision, order.client, order.names, start, now, proposal.document)
    signed = Signatures(
        after=order.after,
        follows=follows,
        ordered_for=order.active_from,
        proposed_by=order.proposed_by,
        proposed_at=order.proposed_at,
        proposal_signature=proposal.signature,
        approved_by=by.name,
        approval_signature=b"",
    )
    signed = replace(signed, approval_signature=by.sign(approval_of(unsigned, signed).octets()))
    add_signatures(connection, sequence, signed)
    return replace(unsigned, signatures=signed)


def _of(history: Iterable[Activation], client: str) -> list[Activation]:
    return [each for each in history if each.client == client]


def _check(order: Order, annex: Annex | RoleAnnex, history: Sequence[Activation], now: datetime) -> None:
    """Raise AnnexRefused if the order could not be carried out now."""
    earliest = now + LEAD_TIME
    start = earliest if order.active_from is None else order.active_from
    signed = [each for each in _of(history, order.client) if each.signatures is not None]
    before = [each for each in signed if each.active_from <= start]
    if before and max(before, key=lambda each: (each.active_from, each.sequence)).revision == order.revision:
        raise AnnexRefused(f"just this annex of {order.client} is in force then already")
    if signed and start < earliest:
        raise AnnexRefused(f"propose it for {earliest.isoformat()} or later, or without a time")
    for rival in _find_rivals(history, order.client, order.names, start):
        if isinstance(annex, RoleAnnex):
            raise AnnexRefused(f"{rival} is the annex for the role {annex.role}; there is one at a time")
        raise AnnexRefused(f"{rival} has one of these certificates; a certificate names one client")


def _find_rivals(history: Iterable[Activation], client: str, names: frozenset[str], start: datetime) -> Iterator[str]:
    """Yield the other clients that hold one of the certificates at `start`, or will later."""
    in_force: dict[str, Activation] = {}
    for other in sorted(history, key=lambda each: (each.active_from, each.sequence)):
        if other.client == client:
            continue
        if other.active_from <= start:
            in_force[other.client] = other
        elif not names.isdisjoint(other.certificates):
            yield other.client
    for name, other in in_force.items():
        if not names.isdisjoint(other.certificates):
            yield name
