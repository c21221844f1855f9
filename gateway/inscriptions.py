"""The repertory of persons: who is known, and in whose file, under which context, from when until when.

Reading it gives the facts that integration control decides on. Every change is recorded in the audit by the
transaction that makes it; changes from a file are made by `gateway.inscription_import`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, update

from authz.integration import Inscription, PersonFacts
from authz.organisation import Organisation
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.hot_statement import HotStatement
from gateway.storage.tables import inscriptions, persons

# The persons and the inscriptions that matter, in one query: those of the number or of the one that replaced
# it.
_FACTS = select(
    persons.c.ssin,
    persons.c.replaced_by,
    persons.c.cancelled,
    persons.c.deceased_on,
    inscriptions.c.organisation,
    inscriptions.c.context,
    inscriptions.c.begin_date,
    inscriptions.c.end_date,
).select_from(
    persons.outerjoin(
        inscriptions,
        and_(
            inscriptions.c.ssin.in_([persons.c.ssin, persons.c.replaced_by]),
            inscriptions.c.organisation.in_([bindparam("client"), bindparam("supplier")]),
        ),
    )
)
_FACTS_OF_ONE = HotStatement(_FACTS.where(persons.c.ssin == bindparam("ssin")))
_FACTS_OF_ALL = _FACTS.where(persons.c.ssin.in_(bindparam("ssins", expanding=True)))
_OPEN = and_(
    inscriptions.c.ssin == bindparam("of_ssin"),
    inscriptions.c.organisation == bindparam("of_organisation"),
    inscriptions.c.context == bindparam("of_context"),
    inscriptions.c.end_date.is_(None),
)
_FIND_OPEN = select(inscriptions.c.begin_date).where(_OPEN)
_CLOSE = update(inscriptions).where(_OPEN).values(end_date=bindparam("end"))


class NotInscribed(Exception):
    """There is no open inscription to close, or it began after the day on which it should have ended."""


@dataclass(frozen=True, slots=True)
class InscribedPerson:
    """An inscription with the person it is of."""

    ssin: str = field(repr=False)
    inscription: Inscription


class Repertory:
    """The repertory as the authorize stage asks it; connects to the database for each question."""

    def __init__(self, database: Database) -> None:
        """Read from the database, never write."""
        self._database = database

    def find(self, ssin: str, customer: Organisation, supplier: Organisation | None) -> PersonFacts:
        """Return the facts of the person for this customer and, if it has one, the service's supplier."""
        with self._database.ask() as connection:
            return find_facts(connection, ssin, customer.key, supplier.key if supplier else None)

    def find_all(
        self, ssins: Iterable[str], customer: Organisation, supplier: Organisation | None
    ) -> Mapping[str, PersonFacts]:
        """Return the facts of each of the persons, by SSIN, out of one query."""
        with self._database.ask() as connection:
            return find_facts_of_all(connection, tuple(ssins), customer.key, supplier.key if supplier else None)


def find_facts(
    connection: Connection, ssin: str, organisation_key: str, supplier_key: str | None = None
) -> PersonFacts:
    """Return what is known of the person, with the inscriptions at the organisation and at the supplier."""
    names = {"ssin": ssin, "client": organisation_key, "supplier": supplier_key}
    return _facts(_FACTS_OF_ONE.run(connection, names), organisation_key, supplier_key)


def find_facts_of_all(
    connection: Connection, ssins: Sequence[str], organisation_key: str, supplier_key: str | None = None
) -> Mapping[str, PersonFacts]:
    """Return what is known of each of the persons, by SSIN, out of one query."""
    names = {"ssins": ssins, "client": organisation_key, "supplier": supplier_key}
    rows: dict[str, list[Any]] = {ssin: [] for ssin in ssins}
    for row in connection.execute(_FACTS_OF_ALL, names):
        rows[row.ssin].append(row)
    return {ssin: _facts(found, organisation_key, supplier_key) for ssin, found in rows.items()}


def _facts(rows: Sequence[Any], organisation_key: str, supplier_key: str | None) -> PersonFacts:
    if not rows:
        return PersonFacts(known=False, supplier_inscriptions=None if supplier_key is None else ())
    found = tuple(
        Inscription(row.organisation, row.context, row.begin_date, row.end_date)
        for row in rows
        if row.organisation is not None
    )
    return PersonFacts(
        known=True,
        cancelled=rows[0].cancelled,
        replaced_by=rows[0].replaced_by,
        deceased_on=rows[0].deceased_on,
        client_inscriptions=tuple(each for each in found if each.organisation == organisation_key),
        supplier_inscriptions=(
            None if supplier_key is None else tuple(each for each in found if each.organisation == supplier_key)
        ),
    )


def list_inscriptions(
    connection: Connection, *, ssin: str | None = None, organisation: Organisation | None = None
) -> Iterator[InscribedPerson]:
    """Yield the inscriptions of a person, of an organisation, or of both, in the order of their begin."""
    if ssin is None and organisation is None:
        raise ValueError("list the inscriptions of a person or of an organisation")
    query = select(inscriptions).order_by(inscriptions.c.ssin, inscriptions.c.begin_date, inscriptions.c.id)
    if ssin is not None:
        query = query.where(inscriptions.c.ssin == ssin)
    if organisation is not None:
        query = query.where(inscriptions.c.organisation == organisation.key)
    for row in connection.execution_options(yield_per=1000).execute(query):
        inscription = Inscription(row.organisation, row.context, row.begin_date, row.end_date)
        yield InscribedPerson(row.ssin, inscription)


def close_inscription(
    commit: GroupCommit,
    trail: AuditTrail,
    *,
    ssin: str,
    organisation: Organisation,
    context: str,
    end: date,
    actor: str,
    now: datetime,
) -> Inscription:
    """End the open inscription on the day `end`, its last, and record that `actor` did so at `now`.

    Returns it as it is now. NotInscribed when there is nothing to close; AuditUnavailable and CommitError
    when it could not be done.
    """
    names = {"of_ssin": ssin, "of_organisation": organisation.key, "of_context": context}
    request = {"ssin": ssin, "organisation": organisation.key, "context": context, "end": end}
    deed = AuditRecord.of_deed(RecordKind.INSCRIPTION_CHANGE, "inscriptions close", actor, request, now)
    row = trail.seal(replace(deed, organisation=organisation.key, subject=ssin))

    def work(connection: Connection) -> Inscription:
        begin = connection.execute(_FIND_OPEN, names).scalar()
        if begin is None:
            raise NotInscribed("no open inscription of this person at this organisation under this context")
        if end < begin:
            raise NotInscribed(f"the open inscription began on {begin}, after the day on which it should end")
        connection.execute(_CLOSE, names | {"end": end})
        trail.append(connection, row)
        return Inscription(organisation.key, context, begin, end)

    return commit.run(work)
