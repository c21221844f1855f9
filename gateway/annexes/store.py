"""Annexes in the database: immutable revisions, each active from a time on, signed by two operators.

An annex is activated at least two seconds ahead, and every worker looks for new revisions twice a second;
so all know a revision before it comes into force, and switch to it by the clock at the same instant
(`gateway.annexes.registry`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, literal, select

from authz.annex import Annex, RoleAnnex
from gateway.annexes.activation import Activation, Signatures
from gateway.annexes.operators import OperatorKeys
from gateway.annexes.statement import Order
from gateway.storage.database import Database
from gateway.storage.tables import annex_proposals, annex_revisions, annex_signatures

LEAD_TIME = timedelta(seconds=2)
LONGEST_WAIT = timedelta(days=7)
"""So long a proposal without a time waits for its approval."""

_SIGNED = tuple(column.name for column in annex_signatures.c if column.name != "sequence")
_AFTER = (
    select(annex_revisions, *(annex_signatures.c[name] for name in _SIGNED))
    .outerjoin(annex_signatures, annex_signatures.c.sequence == annex_revisions.c.sequence)
    .where(annex_revisions.c.sequence > bindparam("after_sequence"))
    .order_by(annex_revisions.c.sequence)
)
_WITHOUT_DOCUMENTS = (
    select(
        *(column for column in annex_revisions.c if column.name != "document"),
        literal("").label("document"),
        *(annex_signatures.c[name] for name in _SIGNED),
    )
    .outerjoin(annex_signatures, annex_signatures.c.sequence == annex_revisions.c.sequence)
    .order_by(annex_revisions.c.sequence)
)
_INSERT = insert(annex_revisions).returning(annex_revisions.c.sequence)
_PROPOSALS = select(annex_proposals).order_by(annex_proposals.c.proposed_at)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that waits for a second operator."""

    order: Order
    signature: bytes = field(repr=False)
    document: str = field(repr=False)

    @property
    def lapses_at(self) -> datetime:
        """From when on it can no longer be approved: its own instant, or a week after it was made."""
        ordered = self.order.active_from
        if ordered is not None and ordered > self.order.proposed_at:
            return ordered
        return self.order.proposed_at + LONGEST_WAIT


class AnnexStore:
    """Yields activations, of which nothing is ever changed or deleted; `gateway.annexes.approval` adds them."""

    def __init__(
        self, database: Database, read_annex: Callable[[str], Annex | RoleAnnex], operators: OperatorKeys
    ) -> None:
        """`read_annex` compiles a document against this gateway's contracts, or raises AnnexInvalid."""
        self._database = database
        self.read_annex = read_annex
        self.operators = operators

    def load_after(self, sequence: int = 0) -> Iterator[Activation]:
        """Yield the activations that were added after the one with this sequence number, in their order.

        As they are stored: whether operators signed them is for `gateway.annexes.activation.prove` to tell.
        """
        with self._database.read() as connection:
            yield from map(_activation, connection.execute(_AFTER, {"after_sequence": sequence}))

    def load_proposals(self) -> list[Proposal]:
        """Return what waits for a second operator, the oldest first; what has lapsed too."""
        with self._database.read() as connection:
            return [_proposal(row) for row in connection.execute(_PROPOSALS)]


def read_history(connection: Connection) -> list[Activation]:
    """Return every activation in their order, without its document: the writer must not be kept."""
    return [_activation(row) for row in connection.execute(_WITHOUT_DOCUMENTS)]


def add_revision(connection: Connection, proposal: Proposal, active_from: datetime, now: datetime) -> int:
    """Write an activation without its signatures, which need the number that this returns."""
    values = {
        "revision": proposal.order.revision,
        "client": proposal.order.client,
        "certificates": sorted(proposal.order.names),
        "active_from": active_from,
        "recorded_at": now,
        "document": proposal.document,
    }
    return int(connection.execute(_INSERT, values).scalar_one())


def add_signatures(connection: Connection, sequence: int, signed: Signatures) -> None:
    """Write what was signed."""
    values = {name: getattr(signed, name) for name in _SIGNED}
    connection.execute(insert(annex_signatures), values | {"sequence": sequence})


def add_proposal(connection: Connection, proposal: Proposal) -> None:
    """Write a proposal; the client has none."""
    order = proposal.order
    values = {
        "client": order.client,
        "revision": order.revision,
        "certificates": sorted(order.names),
        "active_from": order.active_from,
        "after": order.after,
        "proposed_by": order.proposed_by,
        "proposed_at": order.proposed_at,
        "signature": proposal.signature,
        "document": proposal.document,
    }
    connection.execute(insert(annex_proposals), values)


def find_proposal(connection: Connection, client: str) -> Proposal | None:
    """Return what waits for this client."""
    row = connection.execute(select(annex_proposals).where(annex_proposals.c.client == client)).first()
    return None if row is None else _proposal(row)


def remove_proposal(connection: Connection, client: str) -> None:
    """Remove what waits for this client."""
    connection.execute(delete(annex_proposals).where(annex_proposals.c.client == client))


def _activation(row: Any) -> Activation:
    return Activation(
        sequence=row.sequence,
        revision=row.revision,
        client=row.client,
        certificates=frozenset(row.certificates),
        active_from=row.active_from,
        recorded_at=row.recorded_at,
        document=row.document,
        signatures=_signatures(row),
    )


def _signatures(row: Any) -> Signatures | None:
    if row.approval_signature is None:
        return None
    return Signatures(**{name: getattr(row, name) for name in _SIGNED})


def _proposal(row: Any) -> Proposal:
    order = Order(
        client=row.client,
        revision=row.revision,
        names=frozenset(row.certificates),
        active_from=row.active_from,
        after=row.after,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
    )
    return Proposal(order, row.signature, row.document)
