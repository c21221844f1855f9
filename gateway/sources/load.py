"""Puts synthetic persons into the database, in chunks: a million pass through and are never held at once.

For demo and test worlds only: it writes inscriptions without an audit record, which nothing else may do.
Inserts; who loads a person twice gets the database's IntegrityError.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table

from fixtures.persons import SyntheticFundOutage, SyntheticPerson
from gateway.storage.arza_tables import (
    arza_affiliations,
    arza_careers,
    arza_contributions,
    arza_fund_outages,
    arza_pcsas,
    arza_segments,
)
from gateway.storage.tables import inscriptions, persons

Rows = Iterable[dict[str, Any]]

CHUNK = 1000


def load_persons(connection: Connection, people: Iterable[SyntheticPerson], chunk: int = CHUNK) -> int:
    """Insert persons with their inscriptions, careers and contributions; return how many."""
    stream, loaded = iter(people), 0
    while part := list(islice(stream, chunk)):
        _insert(connection, persons, (_person_row(person) for person in part))
        _insert(connection, inscriptions, _inscription_rows(part))
        _insert(connection, arza_careers, _career_rows(part))
        _insert(connection, arza_affiliations, _affiliation_rows(part))
        _insert(connection, arza_segments, _segment_rows(part))
        _insert(connection, arza_contributions, _contribution_rows(part))
        loaded += len(part)
    return loaded


def load_register(connection: Connection, pcsas: Iterable[str], fund_outages: Iterable[SyntheticFundOutage]) -> None:
    """Insert what the RSVZ knows besides persons: the PCSAs and the deliveries that funds owe."""
    _insert(connection, arza_pcsas, ({"cbe_number": cbe_number} for cbe_number in pcsas))
    _insert(
        connection,
        arza_fund_outages,
        (
            {
                "fund": outage.social_insurance_fund,
                "begin_quarter": outage.begin_quarter,
                "end_quarter": outage.end_quarter,
            }
            for outage in fund_outages
        ),
    )


def _insert(connection: Connection, table: Table, rows: Rows) -> None:
    if parameters := list(rows):
        connection.execute(table.insert(), parameters)


def _person_row(person: SyntheticPerson) -> dict[str, Any]:
    return {
        "ssin": person.ssin,
        "replaced_by": person.replaced_by,
        "cancelled": person.cancelled,
        "deceased_on": person.deceased_on,
    }


def _inscription_rows(people: list[SyntheticPerson]) -> Iterator[dict[str, Any]]:
    for person in people:
        for inscription in person.inscriptions:
            yield {
                "ssin": person.ssin,
                "organisation": inscription.organisation,
                "context": inscription.context,
                "begin_date": inscription.begin,
                "end_date": inscription.end,
            }


def _career_rows(people: list[SyntheticPerson]) -> Iterator[dict[str, Any]]:
    for person in people:
        if person.career is not None:
            yield {
                "ssin": person.ssin,
                "nisse_reference": person.career.nisse_reference,
                "enterprise_number": person.career.self_employed_enterprise_number,
                "occupation": person.career.occupation,
            }


def _affiliation_rows(people: list[SyntheticPerson]) -> Iterator[dict[str, Any]]:
    for person in people:
        for number, affiliation in enumerate(person.career.affiliations if person.career else ()):
            yield {
                "ssin": person.ssin,
                "number": number,
                "fund": affiliation.social_insurance_fund,
                "signature_date": affiliation.signature_date,
            }


def _segment_rows(people: list[SyntheticPerson]) -> Iterator[dict[str, Any]]:
    for person in people:
        for affiliation_number, affiliation in enumerate(person.career.affiliations if person.career else ()):
            for number, segment in enumerate(affiliation.career_segments):
                yield {
                    "ssin": person.ssin,
                    "affiliation": affiliation_number,
                    "number": number,
                    "begin_date": segment.begin_date,
                    "end_date": segment.end_date,
                    "quality": segment.self_employed_quality,
                    "contribution": segment.contribution,
                    "equality": segment.equality,
                }


def _contribution_rows(people: list[SyntheticPerson]) -> Iterator[dict[str, Any]]:
    for person in people:
        for contribution in person.contributions:
            yield {
                "ssin": person.ssin,
                "quarter": contribution.quarter,
                "fund": contribution.social_insurance_fund,
                "situation": contribution.contribution_situation,
                "ziv": contribution.ziv,
            }
