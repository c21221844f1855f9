"""What every repository of SelfEmployedService must do: one suite for the fake and every adapter."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from databases import Databases, explain
from sqlalchemy import Connection, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fixtures.persons import SyntheticFundOutage, SyntheticPerson, generate
from gateway.simulator.app import list_paths
from gateway.simulator.server import SimulatorServer
from gateway.sources.broker import FundsBroker
from gateway.sources.exchange import Endpoint, open_endpoint
from gateway.sources.load import load_persons, load_register
from gateway.sources.remote_self_employed import RemoteSelfEmployedRepository
from gateway.sources.self_employed_sql import SqlSelfEmployedRepository
from gateway.storage.database import Database
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.self_employed.career import (
    Affiliation,
    Career,
    Contribution,
    ContributionAccount,
    MissingDelivery,
    Segment,
)
from services.self_employed.codes import SourceCodeUnexpected
from services.self_employed.repository import NothingInPeriod, SelfEmployedRepository
from tests.remote_source import PATIENT, SetClock, ask, played, remotely
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

SERVICE = "SelfEmployedService/v2"
CAREER = Career(
    "75631290176",
    "REFERENCE",
    None,
    "401000",
    (
        Affiliation(
            "008",
            date(2000, 12, 20),
            (
                Segment(date(2001, 1, 1), date(2005, 12, 31), 100, 200),
                Segment(date(2006, 1, 1), None, 100, 999, 100),
            ),
        ),
        Affiliation("003", None, (Segment(date(1999, 1, 2), date(1999, 1, 1), 999, 100),)),
    ),
)
WELL_KEPT = Career(
    "85660493033",
    "WELL",
    "0999901140",
    "401000",
    (Affiliation("003", date(2001, 1, 1), (Segment(date(2001, 1, 1), date(2005, 12, 31), 100, 200),)),),
)
EMPTY = Career("82710590203", "EMPTY", "0999901140", None, ())
HALF_EMPTY = Career("90662190343", "HALF", None, None, (Affiliation("003", None, ()),))
ACCOUNT = (
    Contribution("2019Q4", "009", "01", 1),
    Contribution("2020Q1", "003", "99", None),
    Contribution("2020Q1", "009", "01", 0),
    Contribution("2020Q2", "003", "03", 2),
)
PERSONS = (
    SyntheticPerson(CAREER.ssin, career=CAREER, contributions=ACCOUNT),
    SyntheticPerson(EMPTY.ssin, career=EMPTY),
    SyntheticPerson(HALF_EMPTY.ssin, career=HALF_EMPTY),
    SyntheticPerson("69621490474"),
    SyntheticPerson(WELL_KEPT.ssin, career=WELL_KEPT),
)
# Two outages of one fund overlap, which must not double a delivery.
OUTAGES = (
    SyntheticFundOutage("009", "2019Q1", "2019Q4"),
    SyntheticFundOutage("009", "2019Q4", "2019Q4"),
    SyntheticFundOutage("003", "2020Q2", "2020Q2"),
)
PCSAS = ("0999900150",)


@pytest.fixture(scope="module")
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.migrated(tmp_path_factory.mktemp("arza")) as url:
        database = Database(url)
        with database.write() as connection:
            load_persons(connection, PERSONS)
            load_register(connection, PCSAS, OUTAGES)
        yield database
        database.close()


@pytest.fixture(scope="module")
def remote(database: Database) -> Iterator[SelfEmployedRepository]:
    with remotely(SERVICE, SqlSelfEmployedRepository(database.ask)) as repository:
        yield repository


@pytest.fixture(scope="module")
def broker(database: Database) -> Iterator[SelfEmployedRepository]:
    """One that asks each fund over loopback."""
    own, clock = SqlSelfEmployedRepository(database.ask), SetClock()
    with played(SERVICE, own, clock) as server:
        funds = {
            code: RemoteSelfEmployedRepository(
                ask(SERVICE, server, clock, endpoint=fund_endpoint(server, code)), own.is_pcsa
            )
            for code in ("003", "008", "009")
        }
        broker = FundsBroker(own, own.find_funds, funds, PATIENT.deadline_seconds, questions=2)
        yield broker
        broker.close()


def fund_endpoint(server: SimulatorServer, code: str) -> Endpoint:
    return open_endpoint(server.url + list_paths()[f"{SERVICE} fund {code}"], None)


def choose(request: pytest.FixtureRequest, database: Database) -> SelfEmployedRepository:
    if request.param == "fake":
        return FakeSelfEmployedRepository(PERSONS, PCSAS, OUTAGES)
    if request.param == "sql":
        return SqlSelfEmployedRepository(database.ask)
    remote: SelfEmployedRepository = request.getfixturevalue(request.param)
    return remote


@pytest.fixture(params=["fake", "sql", "remote", "broker"])
def repository(request: pytest.FixtureRequest, database: Database) -> SelfEmployedRepository:
    return choose(request, database)


@pytest.fixture(params=["fake", "sql", "broker"])
def own_repository(request: pytest.FixtureRequest, database: Database) -> SelfEmployedRepository:
    """One that tells careers as they are kept: another institution's contract cannot say what contradicts itself."""
    return choose(request, database)


@pytest.fixture(params=["fake", "sql"])
def whole_repository(request: pytest.FixtureRequest, database: Database) -> SelfEmployedRepository:
    """One that tells a part of an account where another is missing: the contract has no partial answer."""
    return choose(request, database)


@pytest.fixture(params=["remote", "broker"])
def asking_others(request: pytest.FixtureRequest, database: Database) -> SelfEmployedRepository:
    return choose(request, database)


@pytest.mark.parametrize("career", [CAREER, EMPTY, HALF_EMPTY], ids=["full", "empty", "half empty"])
def test_career_is_given_as_it_is_kept(own_repository: SelfEmployedRepository, career: Career) -> None:
    assert own_repository.find_career(career.ssin) == career


def test_another_institutions_career_is_given_as_it_is_kept(repository: SelfEmployedRepository) -> None:
    assert repository.find_career(WELL_KEPT.ssin) == WELL_KEPT


@pytest.mark.parametrize("career", [CAREER, EMPTY, HALF_EMPTY], ids=["contradictory", "empty", "half empty"])
def test_another_institution_that_finds_its_record_contradictory_gives_an_invalid_answer(
    remote: SelfEmployedRepository, career: Career
) -> None:
    with pytest.raises(SourceAnswerInvalid):
        remote.find_career(career.ssin)


def test_another_institution_says_when_it_has_nothing_in_the_period(remote: SelfEmployedRepository) -> None:
    with pytest.raises(NothingInPeriod):
        remote.find_career(WELL_KEPT.ssin, date(1950, 1, 1), date(1950, 12, 31))
    assert remote.find_career(WELL_KEPT.ssin, date(2005, 1, 1)) == WELL_KEPT


def test_what_is_missing_of_other_institutions_is_missing(asking_others: SelfEmployedRepository) -> None:
    account = asking_others.find_contributions(CAREER.ssin, "1000Q1", "2025Q4")
    assert account is not None
    assert set(account.missing) == {MissingDelivery("2019Q4", "009"), MissingDelivery("2020Q2", "003")}


@pytest.mark.parametrize("ssin", ["69621490474", "48683090567"], ids=["no career", "nobody"])
def test_no_record_is_none(repository: SelfEmployedRepository, ssin: str) -> None:
    assert repository.find_career(ssin) is None
    assert repository.find_contributions(ssin, "1000Q1", "2999Q4") is None


def test_contributions_come_by_quarter_and_fund_and_what_is_missing_apart(
    whole_repository: SelfEmployedRepository,
) -> None:
    assert whole_repository.find_contributions(CAREER.ssin, "1000Q1", "2999Q4") == ContributionAccount(
        CAREER.ssin,
        (ACCOUNT[1], ACCOUNT[2]),
        (MissingDelivery("2019Q4", "009"), MissingDelivery("2020Q2", "003")),
    )


def test_only_quarters_asked_count(whole_repository: SelfEmployedRepository) -> None:
    assert whole_repository.find_contributions(CAREER.ssin, "2020Q1", "2020Q1") == ContributionAccount(
        CAREER.ssin, (ACCOUNT[1], ACCOUNT[2])
    )


def test_a_code_that_another_institution_does_not_know_is_named(asking_others: SelfEmployedRepository) -> None:
    with pytest.raises(SourceCodeUnexpected) as raised:
        asking_others.find_contributions(CAREER.ssin, "2020Q1", "2020Q1")
    assert raised.value.information == (("codeList", "contributionSituation"), ("code", "99"))


def test_account_without_a_quarter_asked_is_empty(repository: SelfEmployedRepository) -> None:
    assert repository.find_contributions(CAREER.ssin, "2021Q1", "2021Q4") == ContributionAccount(CAREER.ssin, ())


def test_pcsas_are_known(repository: SelfEmployedRepository) -> None:
    assert repository.is_pcsa("0999900150")
    assert not repository.is_pcsa("0999900249")


def failing(error: Exception) -> SqlSelfEmployedRepository:
    @contextmanager
    def read() -> Iterator[Connection]:
        raise error
        yield

    return SqlSelfEmployedRepository(read)


def test_database_that_gives_no_connection_is_an_unavailable_source() -> None:
    with pytest.raises(SourceUnavailable):
        failing(PoolTimeoutError("none free")).is_pcsa("0999900150")


def test_database_without_the_tables_is_an_unavailable_source_and_repeats_no_ssin(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.empty(tmp_path) as url:
        empty = Database(url)
        with pytest.raises(SourceUnavailable) as caught:
            SqlSelfEmployedRepository(empty.read).find_career(CAREER.ssin)
        empty.close()
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError | psycopg.errors.UndefinedTable)
    assert caught.value.__suppress_context__
    assert CAREER.ssin not in f"{caught.value}{caught.value.__cause__}"


def test_exchange_that_breaks_off_is_a_failed_communication() -> None:
    broken = DatabaseError("SELECT", {"ssin": CAREER.ssin}, sqlite3.DatabaseError("malformed"))
    with pytest.raises(SourceCommunicationFailed) as caught:
        failing(broken).find_contributions(CAREER.ssin, "2020Q1", "2020Q1")
    assert CAREER.ssin not in f"{caught.value}{caught.value.__cause__}"


def test_a_consultation_costs_one_query(database: Database) -> None:
    statements: list[str] = []

    @contextmanager
    def read() -> Iterator[Connection]:
        with database.read() as connection:
            event.listen(connection, "before_cursor_execute", lambda *call: statements.append(call[2]))
            yield connection

    repository = SqlSelfEmployedRepository(read)
    repository.find_career(CAREER.ssin)
    repository.find_contributions(CAREER.ssin, "2020Q1", "2020Q1")
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


@pytest.mark.parametrize("table", ["arza_careers", "arza_affiliations", "arza_segments", "arza_contributions"])
def test_a_person_is_found_by_key_however_many_there_are(database: Database, table: str) -> None:
    with database.read() as connection:
        plan = explain(connection, f"SELECT * FROM {table} WHERE ssin = ''")  # noqa: S608 - a constant.
    assert "USING PRIMARY KEY (ssin=?)" in plan or "Index Cond: ((ssin)::text = ''::text)" in plan


def test_generated_persons_come_back_as_they_were_made(databases: Databases, tmp_path: Path) -> None:
    with databases.migrated(tmp_path) as url:
        database = Database(url)
        with database.write() as connection:
            assert load_persons(connection, generate(1, 250), chunk=100) == 250
        repository = SqlSelfEmployedRepository(database.ask)
        for person in generate(1, 250):
            assert repository.find_career(person.ssin) == person.career
            account = repository.find_contributions(person.ssin, "1000Q1", "2999Q4")
            assert (account.contributions if account else ()) == person.contributions
        database.close()


def test_loading_a_person_twice_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        load_persons(connection, PERSONS[:1])
