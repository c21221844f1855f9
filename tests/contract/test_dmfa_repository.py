"""What every repository of DmfaConsultationService must do: one suite for the fake and every adapter."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import Databases, explain
from sqlalchemy import Connection, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fixtures.attestations import Employment, SyntheticOutage, generate_workers, make_attestations, make_employer
from gateway.sources.dmfa_sql import SqlDmfaRepository
from gateway.sources.load_dmfa import load_attestations, load_outages
from gateway.storage.database import Database
from services.consultation import SourceCommunicationFailed, SourceUnavailable
from services.dmfa.attestation import Attestation, AttestationPage, AttestationSearch, MissingDelivery
from services.dmfa.repository import DmfaRepository
from tests.remote_source import remotely
from tests.unit.fakes_dmfa import FakeDmfaRepository

SSIN = "80641095104"
PRIVATE, FEDERAL, MUNICIPAL = 10, 13, 14
ATTESTATIONS = (
    *make_attestations(
        SSIN,
        100,
        (
            Employment(PRIVATE, "2018Q1", "2018Q4", history=("CREATION", "MODIFICATION", "MODIFICATION")),
            Employment(FEDERAL, "2018Q3", "2019Q2", occupations=2),
            Employment(MUNICIPAL, "2019Q1", "2019Q4", kind="student"),
        ),
    ),
    *make_attestations("74702295244", 900, (Employment(PRIVATE, "2018Q1", "2018Q4"),)),
)
OUTAGES = (
    SyntheticOutage("DIBISS_ORPSS", "2019Q3", "2019Q4"),
    SyntheticOutage("DIBISS_ORPSS", "2019Q4", "2019Q4"),
    SyntheticOutage("RSZ_ONSS", "2010Q1", "2010Q4"),
)
MINE = [each for each in ATTESTATIONS if each.ssin == SSIN]
DELIVERED = [each for each in MINE if each.source == "RSZ_ONSS" or each.position.quarter < "2019Q3"]
MISSING = (MissingDelivery("DIBISS_ORPSS", "2019Q3"), MissingDelivery("DIBISS_ORPSS", "2019Q4"))


@pytest.fixture(scope="module")
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.migrated(tmp_path_factory.mktemp("dmfa")) as url:
        database = Database(url)
        with database.write() as connection:
            assert load_attestations(connection, ATTESTATIONS, chunk=5) == len(ATTESTATIONS)
            load_outages(connection, OUTAGES)
        yield database
        database.close()


class WithDatesAsText:
    """Tells documents as they are kept, in which a date is text: what comes as a message has dates as dates."""

    def __init__(self, repository: DmfaRepository) -> None:
        self._repository = repository

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        page = self._repository.find_attestations(search, limit)
        return replace(
            page, attestations=tuple(replace(each, document=as_kept(each.document)) for each in page.attestations)
        )


def as_kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_kept(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_kept(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


@pytest.fixture(scope="module")
def remote(database: Database) -> Iterator[DmfaRepository]:
    with remotely("DmfaConsultationService/v1", SqlDmfaRepository(database.read)) as repository:
        yield WithDatesAsText(repository)


@pytest.fixture(params=["fake", "sql", "remote"])
def repository(request: pytest.FixtureRequest, database: Database) -> DmfaRepository:
    if request.param == "remote":
        repository: DmfaRepository = request.getfixturevalue("remote")
        return repository
    if request.param == "fake":
        return FakeDmfaRepository(ATTESTATIONS, OUTAGES)
    return SqlDmfaRepository(database.read)


def search(**criteria: Any) -> AttestationSearch:
    return AttestationSearch(
        **{"ssin": SSIN, "begin_quarter": "2003Q1", "end_quarter": "2025Q4", "latest_only": False} | criteria
    )


def declaration(attestation: Attestation) -> Any:
    return attestation.document["attEmployerDeclaration"]


def test_versions_are_given_as_they_are_kept_in_the_order_of_their_positions(repository: DmfaRepository) -> None:
    found = repository.find_attestations(search(), 1000)
    assert list(found.attestations) == sorted(DELIVERED, key=lambda each: each.position)
    assert (found.more, found.missing) == (False, MISSING)


def test_a_person_without_attestations_is_an_empty_page(repository: DmfaRepository) -> None:
    assert repository.find_attestations(search(ssin="91670395376"), 5) == AttestationPage(())


def record(attestation: Attestation) -> Any:
    return declaration(attestation)["attNaturalPerson"]["attWorkerRecord"]


FEDERAL_EMPLOYER = make_employer(FEDERAL)
CRITERIA: dict[str, tuple[dict[str, Any], Any]] = {
    "quarters": (
        {"begin_quarter": "2018Q2", "end_quarter": "2018Q3"},
        lambda each: each.position.quarter in ("2018Q2", "2018Q3"),
    ),
    "latest version": ({"latest_only": True}, lambda each: each.next_version is None),
    "provincial or local": ({"provincial_or_local": True}, lambda each: each.source == "DIBISS_ORPSS"),
    "not provincial or local": ({"provincial_or_local": False}, lambda each: each.source == "RSZ_ONSS"),
    "one sector": ({"sector_indicators": ("PFR",)}, lambda each: declaration(each)["sectorIndicator"] == "PFR"),
    "two sectors": (
        {"sector_indicators": ("PLP", "PRI")},
        lambda each: declaration(each)["sectorIndicator"] != "PFR",
    ),
    "attestation": ({"attestation_id": 103}, lambda each: each.position.attestation_id == 103),
    "attestation and version": (
        {"attestation_id": 103, "attestation_version": 2},
        lambda each: (each.position.attestation_id, each.position.version) == (103, 2),
    ),
    "NSSO number": (
        {"nsso_registration_number": FEDERAL_EMPLOYER.nsso_number},
        lambda each: declaration(each)["sectorIndicator"] == "PFR",
    ),
    "enterprise number": (
        {"enterprise_number": FEDERAL_EMPLOYER.enterprise_number},
        lambda each: declaration(each)["sectorIndicator"] == "PFR",
    ),
    "employer class": (
        {"employer_class": FEDERAL_EMPLOYER.employer_class},
        lambda each: record(each)["employerClass"] == FEDERAL_EMPLOYER.employer_class,
    ),
    "worker code": ({"worker_code": 840}, lambda each: record(each)["workerCode"] == 840),
}


# The contract has no question that names these and no employer.
ONLY_WITH_AN_EMPLOYER = ("employer class", "worker code")


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_narrows_the_answer(repository: DmfaRepository, criterion: str) -> None:
    if criterion in ONLY_WITH_AN_EMPLOYER and isinstance(repository, WithDatesAsText):
        with pytest.raises(SourceUnavailable):
            repository.find_attestations(search(**CRITERIA[criterion][0]), 1000)
        return
    given, meets = CRITERIA[criterion]
    found = list(repository.find_attestations(search(**given), 1000).attestations)
    assert found == [each for each in sorted(DELIVERED, key=lambda each: each.position) if meets(each)]
    assert 0 < len(found) < len(DELIVERED)


def test_pages_hold_everything_once(repository: DmfaRepository) -> None:
    told: list[Attestation] = []
    page = repository.find_attestations(search(), 4)
    while True:
        assert page.missing == MISSING
        told += page.attestations
        if not page.more:
            break
        assert len(page.attestations) == 4
        page = repository.find_attestations(search(after=told[-1].position), 4)
    assert told == sorted(DELIVERED, key=lambda each: each.position)


def test_a_page_that_is_just_full_has_no_more(repository: DmfaRepository) -> None:
    assert not repository.find_attestations(search(), len(DELIVERED)).more
    assert repository.find_attestations(search(), len(DELIVERED) - 1).more


def test_only_what_the_question_is_about_is_missing(repository: DmfaRepository) -> None:
    assert repository.find_attestations(search(provincial_or_local=False), 1000).missing == ()
    assert repository.find_attestations(search(end_quarter="2019Q3"), 1000).missing == MISSING[:1]
    assert repository.find_attestations(search(end_quarter="2019Q2"), 1000).missing == ()


def failing(error: Exception) -> SqlDmfaRepository:
    @contextmanager
    def read() -> Iterator[Connection]:
        raise error
        yield

    return SqlDmfaRepository(read)


def test_database_that_gives_no_connection_is_an_unavailable_source() -> None:
    with pytest.raises(SourceUnavailable):
        failing(PoolTimeoutError("none free")).find_attestations(search(), 1)


def test_database_without_the_tables_is_an_unavailable_source_and_repeats_no_ssin(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.empty(tmp_path) as url:
        empty = Database(url)
        with pytest.raises(SourceUnavailable) as caught:
            SqlDmfaRepository(empty.read).find_attestations(search(), 1)
        empty.close()
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError | psycopg.errors.UndefinedTable)
    assert SSIN not in f"{caught.value}{caught.value.__cause__}"


def test_exchange_that_breaks_off_is_a_failed_communication() -> None:
    broken = DatabaseError("SELECT", {"ssin": SSIN}, sqlite3.DatabaseError("malformed"))
    with pytest.raises(SourceCommunicationFailed) as caught:
        failing(broken).find_attestations(search(), 1)
    assert SSIN not in f"{caught.value}{caught.value.__cause__}"


def test_a_page_is_one_range_of_the_key_however_many_there_are(database: Database) -> None:
    statements: list[tuple[str, Any]] = []

    @contextmanager
    def read() -> Iterator[Connection]:
        with database.read() as connection:
            event.listen(connection, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
            yield connection

    after = MINE[3].position
    SqlDmfaRepository(read).find_attestations(search(after=after), 5)
    selects = [each for each in statements if each[0].startswith("SELECT")]
    assert len(selects) == 2
    with database.read() as connection:
        for statement, parameters in selects:
            plan = explain(connection, statement, parameters)
            if connection.dialect.name == "sqlite":
                assert "SEARCH dmfa_attestations USING INDEX" in plan
                assert "ssin=? AND quarter>? AND quarter<?" in plan
            else:
                print(plan)
                assert "pk_dmfa_attestations" in plan
    plan_of_page = selects[0][0]
    assert "ORDER BY" in plan_of_page


def test_generated_attestations_come_back_as_they_were_made(databases: Databases, tmp_path: Path) -> None:
    with databases.migrated(tmp_path) as url:
        database = Database(url)
        workers = list(generate_workers(1, 40))
        with database.write() as connection:
            load_attestations(connection, (each for worker in workers for each in worker.attestations), chunk=100)
        repository = SqlDmfaRepository(database.read)
        for worker in workers:
            found = repository.find_attestations(search(ssin=worker.person.ssin), 1000)
            assert found == AttestationPage(worker.attestations)
        database.close()


def test_loading_a_version_twice_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        load_attestations(connection, ATTESTATIONS[:1])
