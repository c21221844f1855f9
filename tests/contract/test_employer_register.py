"""What every register of employers must do: one suite for the fake, the SQL adapter and the remote one."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, explain
from sqlalchemy import Connection, event
from sqlalchemy.exc import DatabaseError, IntegrityError

from authz.enterprise import with_check_digits
from fixtures.employers import get_employer, load_employers
from gateway.sources.employer_repertory_sql import SqlEmployerRegister
from gateway.sources.load_employers import load_employers as load_into
from gateway.storage.database import Database
from gateway.storage.employer_tables import employers as employers_table
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.employer import EmployerReference, Register
from services.employer_numbers import complete_nsso_number
from services.employer_repertory.repository import EmployerRegister, NaturalPersonReserved
from tests.remote_source import remotely
from tests.unit.fakes_employer_repertory import FakeEmployerRegister, make_registration

EMPLOYERS = load_employers()


@pytest.fixture(scope="module")
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.migrated(tmp_path_factory.mktemp("employers")) as url:
        database = Database(url)
        with database.write() as connection:
            load_into(connection, EMPLOYERS)
        yield database
        database.close()


@pytest.fixture(scope="module")
def remote(database: Database) -> Iterator[EmployerRegister]:
    with remotely("EmployerRepertoryService/v1", SqlEmployerRegister(database.read)) as register:
        yield register


@pytest.fixture(params=["fake", "sql", "remote"])
def register(request: pytest.FixtureRequest, database: Database) -> EmployerRegister:
    if request.param == "remote":
        register: EmployerRegister = request.getfixturevalue("remote")
        return register
    return FakeEmployerRegister() if request.param == "fake" else SqlEmployerRegister(database.read)


@pytest.fixture(params=["fake", "sql"])
def own_register(request: pytest.FixtureRequest, database: Database) -> EmployerRegister:
    """One that knows natural persons: no other institution tells us of them."""
    return FakeEmployerRegister() if request.param == "fake" else SqlEmployerRegister(database.read)


def by_registration(key: str) -> EmployerReference:
    employer = get_employer(key)
    return EmployerReference(employer.register, employer.registration_number)


def by_enterprise(key: str) -> EmployerReference:
    return EmployerReference(enterprise_number=get_employer(key).enterprise_number)


NATURAL = [each for each in EMPLOYERS if each.natural_person]
LEGAL = [each for each in EMPLOYERS if not each.natural_person]


@pytest.mark.parametrize("employer", LEGAL, ids=lambda employer: employer.key)
def test_every_employer_is_found_whole_by_its_registration(register: EmployerRegister, employer: Any) -> None:
    (found,) = register.find_registrations(by_registration(employer.key))
    assert found == make_registration(employer)


@pytest.mark.parametrize("employer", NATURAL, ids=lambda employer: employer.key)
def test_a_natural_person_is_found_whole_in_our_own_register(own_register: EmployerRegister, employer: Any) -> None:
    (found,) = own_register.find_registrations(by_registration(employer.key))
    assert found == make_registration(employer)


@pytest.mark.parametrize("employer", NATURAL, ids=lambda employer: employer.key)
def test_another_institution_tells_nothing_of_a_natural_person(remote: EmployerRegister, employer: Any) -> None:
    with pytest.raises(NaturalPersonReserved):
        remote.find_registrations(by_registration(employer.key))


def test_an_enterprise_is_found_with_all_its_registrations_in_order(register: EmployerRegister) -> None:
    found = register.find_registrations(by_enterprise("hospital"))
    assert [each.register for each in found] == [Register.NSSO, Register.NSSO_PPO]
    assert list(found) == [make_registration(get_employer(key)) for key in ("hospital", "hospital-local")]


def test_one_registration_of_an_enterprise_is_found_alone(register: EmployerRegister) -> None:
    (found,) = register.find_registrations(by_registration("hospital-local"))
    assert found.registration_number == get_employer("hospital-local").registration_number


def test_a_number_of_the_other_register_finds_nobody(register: EmployerRegister) -> None:
    number = get_employer("municipality").registration_number
    assert register.find_registrations(EmployerReference(Register.NSSO, number)) == ()
    number = get_employer("brewery").registration_number
    assert register.find_registrations(EmployerReference(Register.NSSO_PPO, number)) == ()


def test_a_number_that_nobody_has_finds_nobody(register: EmployerRegister) -> None:
    unknown = EmployerReference(Register.NSSO, complete_nsso_number("01929999"))
    assert register.find_registrations(unknown) == ()
    assert register.find_registrations(EmployerReference(enterprise_number=with_check_digits("09999999"))) == ()


def test_an_employer_without_enterprise_number_is_not_found_by_none(own_register: EmployerRegister) -> None:
    (found,) = own_register.find_registrations(by_registration("farmer"))
    assert found.enterprise_number is None
    assert own_register.find_registrations(EmployerReference(enterprise_number="")) == ()


def test_no_repr_of_a_registration_shows_the_ssin(own_register: EmployerRegister) -> None:
    (found,) = own_register.find_registrations(by_registration("bakery"))
    assert found.ssin == get_employer("bakery").ssin
    assert str(found.ssin) not in repr(found)


@pytest.mark.parametrize(
    "document",
    [
        {"categories": [{"naceCodes": ["11050"]}]},
        {"categories": ["010"]},
        {"categories": 7},
        [],
    ],
)
def test_a_document_without_its_fields_is_an_invalid_answer(
    databases: Databases, tmp_path: Path, document: Any
) -> None:
    with databases.migrated(tmp_path) as url:
        database = Database(url)
        with database.write() as connection:
            load_into(connection, [replace(get_employer("brewery"), document=document)])
        with pytest.raises(SourceAnswerInvalid) as raised:
            SqlEmployerRegister(database.read).find_registrations(by_registration("brewery"))
        database.close()
    assert raised.value.information == (("details", "the register's document lacks what a registration has"),)


def test_an_unknown_register_is_an_invalid_answer(databases: Databases, tmp_path: Path) -> None:
    with databases.migrated(tmp_path) as url:
        database = Database(url)
        with database.write() as connection:
            load_into(connection, [get_employer("brewery")])
            connection.execute(employers_table.update().values(register="OTHER"))
        with pytest.raises(SourceAnswerInvalid):
            SqlEmployerRegister(database.read).find_registrations(by_enterprise("brewery"))
        database.close()


def failing(error: Exception) -> SqlEmployerRegister:
    @contextmanager
    def read() -> Iterator[Connection]:
        raise error
        yield

    return SqlEmployerRegister(read)


def test_a_register_without_its_table_is_unavailable(databases: Databases, tmp_path: Path) -> None:
    with databases.empty(tmp_path) as url:
        database = Database(url)
        with pytest.raises(SourceUnavailable):
            SqlEmployerRegister(database.read).find_registrations(by_registration("brewery"))
        database.close()


def test_an_exchange_that_breaks_off_is_a_failed_communication() -> None:
    broken = DatabaseError("SELECT", {"number": "0190020186"}, sqlite3.DatabaseError("malformed"))
    with pytest.raises(SourceCommunicationFailed) as caught:
        failing(broken).find_registrations(by_registration("brewery"))
    assert "0190020186" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.parametrize(
    ("reference", "index"),
    [
        (by_registration("brewery"), {"sqlite": "(registration_number=?)", "postgresql": "pk_employers"}),
        (
            by_enterprise("brewery"),
            {"sqlite": "ix_employers_enterprise_number", "postgresql": "ix_employers_enterprise_number"},
        ),
    ],
    ids=["by registration", "by enterprise"],
)
def test_a_question_is_one_look_up_in_an_index(
    database: Database, reference: EmployerReference, index: dict[str, str]
) -> None:
    statements: list[tuple[str, Any]] = []

    @contextmanager
    def read() -> Iterator[Connection]:
        with database.read() as connection:
            event.listen(connection, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
            yield connection

    SqlEmployerRegister(read).find_registrations(reference)
    ((statement, parameters),) = [each for each in statements if each[0].startswith("SELECT")]
    with database.read() as connection:
        plan = explain(connection, statement, parameters)
        assert index[connection.dialect.name] in plan
        assert "SCAN" not in plan
        assert "Seq Scan" not in plan


def test_loading_a_registration_twice_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        load_into(connection, EMPLOYERS[:1])
