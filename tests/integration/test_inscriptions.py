"""The repertory of persons: facts for integration control, and changes that never go unrecorded."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, explain
from sqlalchemy import Connection, event, insert, text
from storage_world import NOON, World, open_world

from authz.integration import Inscription, PersonFacts
from authz.organisation import Organisation
from authz.ssin import with_check_digits
from gateway.audit.sealing import pseudonym
from gateway.inscriptions import (
    NotInscribed,
    Repertory,
    close_inscription,
    find_facts,
    find_facts_of_all,
    list_inscriptions,
)
from gateway.storage.tables import inscriptions, persons

PCSA, RSVZ = Organisation(cbe_number="0999900120"), Organisation(sector=25, institution=0)
OTHER = Organisation(cbe_number="0999900219")
SSIN, OLD, STRANGER = (with_check_digits(f"8566010{number}", False) for number in (10, 20, 30))


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def add_person(world: World, ssin: str, **facts: Any) -> None:
    row = {"ssin": ssin, "replaced_by": None, "cancelled": False, "deceased_on": None} | facts
    with world.database.write() as connection:
        connection.execute(insert(persons), row)


def inscribe(world: World, ssin: str, organisation: Organisation, context: str, begin: date, end: Any = None) -> None:
    row = {
        "ssin": ssin,
        "organisation": organisation.key,
        "context": context,
        "begin_date": begin,
        "end_date": end,
    }
    with world.database.write() as connection:
        connection.execute(insert(inscriptions), row)


def facts(world: World, ssin: str, supplier: Organisation | None = None) -> PersonFacts:
    return Repertory(world.database).find(ssin, PCSA, supplier)


def close(world: World, end: date, context: str = "PCSA:FILE") -> Inscription:
    return close_inscription(
        world.commit,
        world.trail,
        ssin=SSIN,
        organisation=PCSA,
        context=context,
        end=end,
        actor="operator:an",
        now=NOON,
    )


def test_person_who_is_not_in_the_register_is_unknown(world: World) -> None:
    assert facts(world, SSIN) == PersonFacts(known=False)
    assert facts(world, SSIN, RSVZ) == PersonFacts(known=False, supplier_inscriptions=())


def test_person_without_inscriptions_is_known(world: World) -> None:
    add_person(world, SSIN)
    assert facts(world, SSIN) == PersonFacts(known=True)
    assert facts(world, SSIN, RSVZ) == PersonFacts(known=True, supplier_inscriptions=())


def test_register_facts_are_given_as_they_stand(world: World) -> None:
    add_person(world, SSIN, cancelled=True, deceased_on=date(2025, 5, 6))
    assert facts(world, SSIN) == PersonFacts(known=True, cancelled=True, deceased_on=date(2025, 5, 6))


def test_inscriptions_are_those_of_the_organisations_asked_for(world: World) -> None:
    add_person(world, SSIN)
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2020, 1, 1), date(2020, 12, 31))
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    inscribe(world, SSIN, OTHER, "PCSA:FILE", date(2019, 1, 1))
    inscribe(world, SSIN, RSVZ, "RSVZ:INSURED", date(2018, 1, 1))
    inscribe(world, STRANGER, PCSA, "PCSA:FILE", date(2017, 1, 1))
    found = facts(world, SSIN, RSVZ)
    assert sorted(found.client_inscriptions, key=lambda each: each.begin) == [
        Inscription(PCSA.key, "PCSA:FILE", date(2020, 1, 1), date(2020, 12, 31)),
        Inscription(PCSA.key, "PCSA:FILE", date(2024, 1, 1), None),
    ]
    assert found.supplier_inscriptions == (Inscription(RSVZ.key, "RSVZ:INSURED", date(2018, 1, 1), None),)
    assert facts(world, SSIN).supplier_inscriptions is None


def test_inscriptions_of_the_successor_count_for_a_replaced_number(world: World) -> None:
    add_person(world, OLD, replaced_by=SSIN)
    add_person(world, SSIN)
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2020, 1, 1))
    found = facts(world, OLD)
    assert found.replaced_by == SSIN
    assert found.client_inscriptions == (Inscription(PCSA.key, "PCSA:FILE", date(2020, 1, 1), None),)
    assert facts(world, SSIN).replaced_by is None


def test_the_facts_of_several_persons_are_those_of_each(world: World) -> None:
    add_person(world, SSIN)
    add_person(world, OLD, replaced_by=SSIN, deceased_on=date(2025, 5, 6))
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    inscribe(world, SSIN, PCSA, "PCSA:OTHER", date(2024, 2, 1))
    inscribe(world, SSIN, RSVZ, "RSVZ:INSURED", date(2020, 1, 1))
    inscribe(world, SSIN, OTHER, "PCSA:FILE", date(2020, 1, 1))
    for supplier in (None, RSVZ):
        together = Repertory(world.database).find_all((STRANGER, OLD, SSIN), PCSA, supplier)
        assert list(together) == [STRANGER, OLD, SSIN]
        assert together == {ssin: facts(world, ssin, supplier) for ssin in (STRANGER, OLD, SSIN)}
        assert len(together[OLD].client_inscriptions) == 2
        assert not together[STRANGER].known


@pytest.mark.parametrize(
    "ask",
    [
        lambda connection: find_facts(connection, SSIN, PCSA.key, RSVZ.key),
        lambda connection: find_facts_of_all(connection, (SSIN, OLD, STRANGER), PCSA.key, RSVZ.key),
    ],
    ids=["one", "several"],
)
def test_facts_are_found_by_index_in_one_query_whatever_the_number_of_inscriptions(
    world: World, ask: Callable[[Connection], object]
) -> None:
    statements: list[tuple[str, Any]] = []
    with world.database.write() as connection:
        row = {"organisation": PCSA.key, "context": "PCSA:FILE", "begin_date": date(2024, 1, 1)}
        connection.execute(insert(inscriptions), [row | {"ssin": f"{number:011}"} for number in range(3000)])
        connection.execute(text("ANALYZE"))  # All stand in one file: only then is that known to narrow nothing.
    with world.database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
        ask(connection)
        ((query, parameters),) = (each for each in statements if each[0].startswith("SELECT"))
        plan = explain(connection, query, parameters)
    assert not re.search(r"\bSCAN|Seq Scan", plan)
    assert "uq_inscriptions" in plan or "sqlite_autoindex_inscriptions" in plan


def test_closing_ends_the_open_inscription_and_is_recorded(world: World) -> None:
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2020, 1, 1), date(2020, 12, 31))
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    inscribe(world, SSIN, PCSA, "PCSA:DEBT", date(2024, 1, 1))
    inscribe(world, SSIN, OTHER, "PCSA:FILE", date(2024, 1, 1))
    closed = Inscription(PCSA.key, "PCSA:FILE", date(2024, 1, 1), date(2026, 3, 1))
    assert close(world, date(2026, 3, 1)) == closed
    assert [row["end_date"] for row in world.rows(inscriptions)] == [
        date(2020, 12, 31),
        date(2026, 3, 1),
        None,
        None,
    ]
    (record,) = world.rows()
    assert (record["kind"], record["client"], record["organisation"]) == (
        "inscription change",
        "operator:an",
        PCSA.key,
    )
    assert record["subject"] == pseudonym(world.keys.get_for_sealing("2026-03"), SSIN)
    assert world.unseal(record)["request"] == {
        "ssin": SSIN,
        "organisation": PCSA.key,
        "context": "PCSA:FILE",
        "end": date(2026, 3, 1),
    }


def test_closing_what_is_not_open_changes_and_records_nothing(world: World) -> None:
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    for end, context in ((date(2026, 3, 1), "PCSA:OTHER"), (date(2023, 12, 31), "PCSA:FILE")):
        with pytest.raises(NotInscribed):
            close(world, end, context)
    assert [row["end_date"] for row in world.rows(inscriptions)] == [None]
    assert world.rows() == []


def test_change_that_cannot_be_recorded_is_not_made(world: World) -> None:
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    with world.database.write() as connection:
        connection.execute(text("ALTER TABLE audit_records RENAME TO audit_records_elsewhere"))
    with pytest.raises(Exception, match="the database failed"):
        close(world, date(2026, 3, 1))
    assert [row["end_date"] for row in world.rows(inscriptions)] == [None]


def test_inscriptions_are_listed_by_person_and_by_organisation(world: World) -> None:
    inscribe(world, SSIN, PCSA, "PCSA:FILE", date(2024, 1, 1))
    inscribe(world, SSIN, OTHER, "PCSA:FILE", date(2023, 1, 1))
    inscribe(world, STRANGER, PCSA, "PCSA:FILE", date(2022, 1, 1))
    with world.database.read() as connection:
        by_person = [(each.ssin, each.inscription.begin) for each in list_inscriptions(connection, ssin=SSIN)]
        by_both = list(list_inscriptions(connection, ssin=SSIN, organisation=PCSA))
        by_organisation = [each.ssin for each in list_inscriptions(connection, organisation=PCSA)]
        with pytest.raises(ValueError, match="of a person or of an organisation"):
            next(list_inscriptions(connection))
    assert by_person == [(SSIN, date(2023, 1, 1)), (SSIN, date(2024, 1, 1))]
    assert [each.inscription.organisation for each in by_both] == [PCSA.key]
    assert by_organisation == [SSIN, STRANGER]
