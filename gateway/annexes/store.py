"""Annexes in the database: immutable revisions, each active from a time on.

An annex is activated at least two seconds ahead, and every worker looks for new revisions twice a second;
so all know a revision before it comes into force, and switch to it by the clock at the same instant
(`gateway.annexes.registry`).
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from authz.annex import Annex, RoleAnnex
from gateway.annexes.names import names_of
from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import annex_revisions

LEAD_TIME = timedelta(seconds=2)

_INSERT = insert(annex_revisions).returning(annex_revisions.c.sequence)
_AFTER = (
    select(annex_revisions)
    .where(annex_revisions.c.sequence > bindparam("sequence"))
    .order_by(annex_revisions.c.sequence)
)
_CLAIMS = select(
    annex_revisions.c.sequence,
    annex_revisions.c.revision,
    annex_revisions.c.client,
    annex_revisions.c.certificates,
    annex_revisions.c.active_from,
).order_by(annex_revisions.c.active_from, annex_revisions.c.sequence)


class AnnexRefused(Exception):
    """The annex is well-formed, but cannot be activated so: the message says why."""


@dataclass(frozen=True, slots=True)
class Activation:
    """A revision of a client's annex comes into force at `active_from`, until the client's next one does.

    `certificates` are the names by which it is looked up: of certificates, or of the role that it is for.
    """

    sequence: int
    revision: str
    client: str
    certificates: frozenset[str]
    active_from: datetime
    document: str = field(repr=False)


class AnnexStore:
    """Adds revisions, and yields them; nothing is ever changed or deleted."""

    def __init__(
        self,
        database: Database,
        commit: GroupCommit,
        trail: AuditTrail,
        read_annex: Callable[[str], Annex | RoleAnnex],
    ) -> None:
        """`read_annex` compiles a document against this gateway's contracts, or raises AnnexInvalid."""
        self._database = database
        self._commit = commit
        self._trail = trail
        self.read_annex = read_annex

    def add(self, document: str, *, actor: str, now: datetime, active_from: datetime | None = None) -> Activation:
        """Activate a document on behalf of `actor`, by default as soon as all workers can know of it.

        The client's annex of the same content, if it is the last one activated, is returned as it stands.
        Only a client's first annex may be active from earlier on: nothing may change under decisions
        already made. AnnexInvalid, AnnexRefused; CommitError and AuditUnavailable when it could not be
        stored.
        """
        annex = self.read_annex(document)
        start = now + LEAD_TIME if active_from is None else active_from
        names = names_of(annex)

        def work(connection: Connection) -> Activation:
            history = connection.execute(_CLAIMS).all()
            own = [row for row in history if row.client == annex.client]
            if own and own[-1].revision == annex.revision:
                last = own[-1]
                return Activation(last.sequence, annex.revision, annex.client, names, last.active_from, document)
            if own and start < now + LEAD_TIME:
                raise AnnexRefused(f"activate it at {(now + LEAD_TIME).isoformat()} or later, or name no time")
            for rival in _find_rivals(history, annex.client, names, start):
                if isinstance(annex, RoleAnnex):
                    raise AnnexRefused(f"{rival} is the annex for the role {annex.role}; there is one at a time")
                raise AnnexRefused(f"{rival} has one of these certificates; a certificate names one client")
            values = {
                "revision": annex.revision,
                "client": annex.client,
                "certificates": sorted(names),
                "active_from": start,
                "recorded_at": now,
                "document": document,
            }
            sequence = connection.execute(_INSERT, values).scalar_one()
            record = _record(annex, document, start, actor, now)
            self._trail.append(connection, self._trail.seal(record))
            return Activation(sequence, annex.revision, annex.client, names, start, document)

        return self._commit.run(work)

    def load_after(self, sequence: int = 0) -> Iterator[Activation]:
        """Yield the activations that were added after the one with this sequence number, in their order."""
        with self._database.read() as connection:
            for row in connection.execute(_AFTER, {"sequence": sequence}):
                yield Activation(
                    row.sequence,
                    row.revision,
                    row.client,
                    frozenset(row.certificates),
                    row.active_from,
                    row.document,
                )


def _find_rivals(history: Iterable[Any], client: str, names: frozenset[str], start: datetime) -> Iterator[str]:
    """Yield the other clients that hold one of the certificates at `start`, or will later."""
    in_force: dict[str, Any] = {}
    for row in history:
        if row.client == client:
            continue
        if row.active_from <= start:
            in_force[row.client] = row
        elif not names.isdisjoint(row.certificates):
            yield row.client
    for other, row in in_force.items():
        if not names.isdisjoint(row.certificates):
            yield other


def _record(annex: Annex | RoleAnnex, document: str, start: datetime, actor: str, now: datetime) -> AuditRecord:
    return AuditRecord(
        ticket_cbss=str(uuid.uuid4()),
        received_at=now,
        kind=RecordKind.ANNEX_CHANGE,
        outcome=RecordOutcome.DONE,
        client=actor,
        annex_revision=annex.revision,
        operation="annex activate",
        message=document.encode(),
        request={"client": annex.client, "activeFrom": start},
        decided_at=now,
    )
