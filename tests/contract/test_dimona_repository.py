"""What every repository of DimonaService must do: one suite for the fake and every adapter."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import Databases, another_writer, explain
from dimona_database import opened, prepare_registers, tell_nobody
from sqlalchemy import Connection, event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.sources.load_dimona import load_declarations
from gateway.storage.database import Database
from gateway.storage.dimona_tables import dimona_declarations, dimona_submissions
from gateway.storage.employer_tables import employers
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import persons
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.dimona.declaration import Accepted, DeclarationAnswer, Refused, Submission
from services.dimona.period import (
    DeclarationPage,
    DeclarationSearch,
    EmploymentPeriod,
    Event,
    PeriodPage,
    PeriodSearch,
    WorkerName,
)
from services.dimona.personnel_file import Change, fold
from services.dimona.repository import DimonaRepository, EmployerUnknown, TicketReused
from services.dimona.worker import Person
from services.employer import EmployerReference, Register
from tests.remote_source import SetClock, remotely
from tests.unit.dimona_world import (
    ANNA,
    BAKERY,
    BRAM,
    BREWERY,
    CITY,
    CITY_SCHOOLS,
    DECEASED,
    EMPLOYERS,
    MALFORMED,
    NOON,
    OLD_NUMBER,
    OTHER_TWIN,
    PERSONS,
    STRUCK_OFF,
    TODAY,
    TWIN,
    UNKNOWN,
    USING,
    WORKERS,
    begin,
    cancel,
    end,
    identity,
    submission,
    update,
    using,
)
from tests.unit.fakes_dimona import FakeDimonaRepository

MakeRepository = Callable[[], DimonaRepository]


@pytest.fixture(scope="module")
def template(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.migrated(tmp_path_factory.mktemp("dimona")) as url:
        prepare_registers(url)
        yield url


@pytest.fixture
def url(template: str, databases: Databases, tmp_path: Path) -> Iterator[str]:
    with databases.copy(template, tmp_path) as copied:
        yield copied


class ReceivedThen:
    """Lets a source that is another institution's receive each message when the test says, and by its own clock."""

    def __init__(self, remote: DimonaRepository, clock: SetClock) -> None:
        self._clock = clock
        self._remote = remote
        self.find_periods = remote.find_periods
        self.find_declarations = remote.find_declarations
        self.find_employer = remote.find_employer

    def submit(self, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        self._clock.now = submission.received_at
        return self._remote.submit(submission)


@contextmanager
def opened_remotely(url: str) -> Iterator[DimonaRepository]:
    clock = SetClock()
    with opened(url) as (_, sql), remotely("DimonaService/v1", sql, clock) as remote:
        yield ReceivedThen(remote, clock)


@pytest.fixture(params=["fake", "sql"])
def own_repository(request: pytest.FixtureRequest, url: str) -> Iterator[DimonaRepository]:
    """One that is asked, or tells, what another institution's contract has no word for."""
    if request.param == "fake":
        yield FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS)
        return
    with opened(url) as (_, sql):
        yield sql


@pytest.fixture(params=["fake", "sql", "remote"])
def repository(request: pytest.FixtureRequest, url: str) -> Iterator[DimonaRepository]:
    if request.param == "fake":
        yield FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS)
    elif request.param == "remote":
        with opened_remotely(url) as remote:
            yield remote
    else:
        with opened(url) as (_, sql):
            yield sql


SPRING = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
AGENCY = {"worker_type": "TRI", "joint_committee": "322", "using_company": using()}


def fill(repository: DimonaRepository) -> list[str]:
    """Declare eight periods and more about them; return the ids of the periods."""
    declared: list[str] = []
    for employer, declarations in (
        (BREWERY, (begin(date(2026, 1, 5), end_date=date(2026, 2, 27)), begin(date(2026, 3, 2)))),
        (BREWERY, (begin(ssin=BRAM.ssin, worker_type="BCW", joint_committee="124"), begin(identity=identity(BRAM)))),
        (BAKERY, (begin(date(2026, 2, 2), **AGENCY), begin(ssin=TWIN.ssin, joint_committee="140.01"))),
        (CITY, (begin(date(2026, 6, 1)),)),
        (CITY_SCHOOLS, (begin(date(2026, 6, 1)),)),
    ):
        answers = repository.submit(submission(*declarations, employer=employer))
        declared += [answer.period_id for answer in answers if isinstance(answer, Accepted)]
    assert len(declared) == 8
    _, second, third, fourth, *_ = declared
    later = submission(
        end(second, date(2026, 3, 31)), cancel(third), update(fourth, planned_days=3), received_at=SPRING
    )
    assert all(isinstance(answer, Accepted) for answer in repository.submit(later))
    return declared


def everything(repository: DimonaRepository, **criteria: Any) -> list[EmploymentPeriod]:
    return list(repository.find_periods(PeriodSearch(**criteria), 1000).periods)


def test_what_is_declared_is_in_the_file_as_it_was_said(repository: DimonaRepository) -> None:
    told = begin(
        identity=identity(BRAM),
        worker_type="STU",
        sub_entity="A1",
        using_company=using(),
        student_place_of_work={"name": "Elders", "address": dict(identity(BRAM).address)},
        begin_hour=datetime(2026, 1, 1, 8, 30).time(),  # noqa: DTZ001 - only the hour
        end_date=date(2026, 3, 20),
        planned_hours=40,
    )
    (answer,) = repository.submit(submission(told))
    assert isinstance(answer, Accepted)
    (period,) = everything(repository, employer=EmployerReference(Register.NSSO, BREWERY.registration_number))
    (recorded,) = repository.find_declarations(DeclarationSearch(number=answer.number), 5).declarations
    assert recorded.declaration == told
    assert (recorded.number, recorded.received_at, recorded.employer) == (answer.number, NOON, BREWERY)
    assert (recorded.ssin, recorded.period_id, recorded.late) == (BRAM.ssin, answer.period_id, answer.late)
    assert {period.period_id: period} == fold([recorded])


def test_numbers_grow_and_carry_their_check_digits(repository: DimonaRepository) -> None:
    answers = [
        answer
        for day in (1, 2)
        for answer in repository.submit(
            submission(*(begin(date(2026, day, each), end_date=date(2026, day, each)) for each in (3, 4)))
        )
    ]
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(accepted) == 4
    for numbers in ([each.number for each in accepted], [each.period_id for each in accepted]):
        assert numbers == sorted(set(numbers))
    for each in accepted:
        assert len(each.period_id) == 12
        assert int(each.period_id[:10]) % 97 == int(each.period_id[10:])


def test_the_same_ticket_gets_the_same_answers_and_has_no_second_effect(repository: DimonaRepository) -> None:
    message = submission(begin(), begin(), cancel("100000000000"))
    answers = repository.submit(message)
    assert [type(answer) for answer in answers] == [Accepted, Refused, Refused]
    assert repository.submit(replace(message, received_at=SPRING)) == answers
    assert len(everything(repository, ssins=(ANNA.ssin,))) == 1


def test_a_refused_message_keeps_its_answers_too(repository: DimonaRepository) -> None:
    (before,) = repository.submit(submission(begin()))
    assert isinstance(before, Accepted)
    message = submission(begin())
    refused = repository.submit(message)
    repository.submit(submission(cancel(before.period_id)))
    assert repository.submit(message) == refused


def test_a_ticket_used_for_something_else_is_refused(repository: DimonaRepository) -> None:
    repository.submit(submission(begin(), ticket="mine"))
    with pytest.raises(TicketReused):
        repository.submit(submission(begin(ssin=BRAM.ssin), ticket="mine"))
    assert everything(repository, ssins=(BRAM.ssin,)) == []


def test_tickets_of_two_clients_have_nothing_to_do_with_each_other(repository: DimonaRepository) -> None:
    repository.submit(submission(begin(), ticket="ours", client="brewery"))
    (answer,) = repository.submit(submission(begin(ssin=BRAM.ssin), ticket="ours", client="agency"))
    assert isinstance(answer, Accepted)


def test_an_employer_that_nobody_knows_cannot_declare(repository: DimonaRepository) -> None:
    unknown = replace(submission(begin()), employer=EmployerReference(Register.NSSO, "0190029999"))
    with pytest.raises(EmployerUnknown):
        repository.submit(unknown)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        (EmployerReference(Register.NSSO, BREWERY.registration_number), BREWERY),
        (EmployerReference(enterprise_number=BREWERY.enterprise_number), BREWERY),
        (EmployerReference(Register.NSSO, BREWERY.registration_number, BREWERY.enterprise_number), BREWERY),
        (EmployerReference(Register.NSSO, BREWERY.registration_number, BAKERY.enterprise_number), None),
        (EmployerReference(Register.NSSO_PPO, BREWERY.registration_number), None),
        (EmployerReference(Register.NSSO_PPO, CITY_SCHOOLS.registration_number), CITY_SCHOOLS),
        (EmployerReference(enterprise_number=CITY.enterprise_number), None),
        (EmployerReference(enterprise_number=USING), None),
    ],
)
def test_an_employer_is_found_when_only_one_is_meant(
    repository: DimonaRepository, reference: EmployerReference, meant: object
) -> None:
    assert repository.find_employer(reference) == meant


def test_persons_are_looked_up_in_their_register(repository: DimonaRepository) -> None:
    answers = repository.submit(
        submission(begin(ssin=OLD_NUMBER), begin(ssin=UNKNOWN), begin(ssin=MALFORMED), begin(identity=identity(TWIN)))
    )
    codes = [[each.code for each in answer.anomalies] if isinstance(answer, Refused) else [] for answer in answers]
    assert codes == [[], ["00024-002"], ["00024-001"], ["90017-002"]]
    (period,) = everything(repository, ssins=(ANNA.ssin,))
    (accepted, *_) = answers
    assert isinstance(accepted, Accepted)
    (answer,) = repository.submit(submission(cancel(period.period_id, ssin=OLD_NUMBER)))
    assert isinstance(answer, Accepted)


def test_periods_that_a_message_meets_are_found_however_they_are_named(repository: DimonaRepository) -> None:
    (first,) = repository.submit(submission(begin(date(2026, 1, 5), end_date=date(2026, 1, 9))))
    (second,) = repository.submit(submission(begin(date(2026, 1, 12))))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    for wrong in (
        update(first.period_id, end_date=date(2026, 1, 12)),
        update(second.period_id, begin_date=date(2026, 1, 9)),
        begin(identity=identity(ANNA)),
        begin(date(2025, 12, 1), end_date=date(2026, 1, 5)),
    ):
        (answer,) = repository.submit(submission(wrong))
        assert isinstance(answer, Refused)
        assert [each.code for each in answer.anomalies] == ["00910-004"]


def replace_number(repository: DimonaRepository, url: str, old: str, new: str) -> None:
    """Let the register of persons learn that a number was replaced."""
    if isinstance(repository, FakeDimonaRepository):
        repository.persons[old] = Person(new)
        return
    database = Database(url)
    with database.write() as connection:
        connection.execute(persons.update().where(persons.c.ssin == old).values(replaced_by=new, cancelled=True))
    database.close()


def test_what_was_recorded_under_a_number_replaced_since_is_that_of_its_successor(
    repository: DimonaRepository, url: str
) -> None:
    (first,) = repository.submit(submission(begin(ssin=BRAM.ssin, end_date=date(2026, 3, 20))))
    assert isinstance(first, Accepted)
    replace_number(repository, url, BRAM.ssin, DECEASED)
    searches: list[dict[str, Any]] = [
        {"employer": EmployerReference(Register.NSSO, BREWERY.registration_number)},
        {"worker_name": WorkerName(BRAM.name, BRAM.first_name, BRAM.birth_date)},
        {"ssins": (DECEASED,)},
        {"ssins": (BRAM.ssin, ANNA.ssin, DECEASED)},
    ]
    for criteria in searches:
        assert [each.ssin for each in everything(repository, **criteria)] == [DECEASED]
    # Who asks by the number that he has is answered by it.
    assert [each.ssin for each in everything(repository, ssins=(BRAM.ssin,))] == [BRAM.ssin]
    for search, told in (
        (DeclarationSearch(number=first.number), DECEASED),
        (DeclarationSearch(ssin=DECEASED), DECEASED),
        (DeclarationSearch(worker_name=WorkerName(BRAM.name, BRAM.first_name)), DECEASED),
        (DeclarationSearch(ssin=BRAM.ssin), BRAM.ssin),
    ):
        assert [each.ssin for each in repository.find_declarations(search, 5).declarations] == [told]


def test_a_period_under_a_number_replaced_since_counts_for_its_successor(
    own_repository: DimonaRepository, url: str
) -> None:
    (first,) = own_repository.submit(submission(begin(ssin=TWIN.ssin, end_date=date(2026, 3, 20))))
    assert isinstance(first, Accepted)
    replace_number(own_repository, url, TWIN.ssin, OTHER_TWIN.ssin)
    overlapping = [
        begin(date(2026, 3, 20), ssin=OTHER_TWIN.ssin),
        begin(date(2026, 3, 20), ssin=TWIN.ssin),
        # The two numbers of one person are no two workers of the same name.
        begin(date(2026, 3, 20), identity=identity(TWIN)),
    ]
    answers = own_repository.submit(submission(*overlapping))
    codes = [[each.code for each in answer.anomalies] if isinstance(answer, Refused) else [] for answer in answers]
    assert codes == [["00910-004"]] * 3
    ended = own_repository.submit(submission(end(first.period_id, date(2026, 3, 19), ssin=OTHER_TWIN.ssin)))
    begun = own_repository.submit(submission(*overlapping[:1]))
    assert [type(each) for each in (*ended, *begun)] == [Accepted] * 2
    assert [each.ssin for each in everything(own_repository, ssins=(OTHER_TWIN.ssin,))] == [OTHER_TWIN.ssin] * 2
    declarations = own_repository.find_declarations(DeclarationSearch(ssin=OTHER_TWIN.ssin), 9).declarations
    assert {each.period_id: each for each in everything(own_repository)} == fold(declarations)


def test_nobody_begins_with_an_employer_after_it_was_struck_off(own_repository: DimonaRepository) -> None:
    days = [TODAY, TODAY + timedelta(days=1)]
    answers = own_repository.submit(submission(*(begin(day, end_date=day) for day in days), employer=STRUCK_OFF))
    codes = [[each.code for each in answer.anomalies] if isinstance(answer, Refused) else [] for answer in answers]
    assert codes == [[], ["00910-005"]]
    (period,) = everything(own_repository, employer=EmployerReference(enterprise_number=STRUCK_OFF.enterprise_number))
    assert (period.begin_date, period.employer) == (TODAY, STRUCK_OFF)


def test_an_answer_names_the_worker_wherever_it_is_known(own_repository: DimonaRepository) -> None:
    (first,) = own_repository.submit(submission(begin(identity=identity(BRAM))))
    assert isinstance(first, Accepted)
    message = submission(
        update(first.period_id, planned_days=3),
        end(first.period_id, date(2020, 1, 1)),
        begin(identity=identity(BRAM)),
        begin(ssin=OLD_NUMBER),
        begin(identity=identity(TWIN)),
        cancel("100000000000"),
    )
    answers = own_repository.submit(message)
    assert [isinstance(each, Accepted) for each in answers] == [True, False, False, True, False, False]
    assert [first.ssin, *(each.ssin for each in answers)] == [BRAM.ssin] * 4 + [ANNA.ssin, "", ""]
    assert own_repository.submit(message) == answers
    assert BRAM.ssin not in repr(answers)


def test_another_institutions_answer_names_the_worker_of_each_accepted_declaration(url: str) -> None:
    with opened_remotely(url) as remote:
        (first,) = remote.submit(submission(begin(identity=identity(BRAM))))
        assert isinstance(first, Accepted)
        answers = remote.submit(submission(update(first.period_id, planned_days=3), begin(ssin=ANNA.ssin)))
        assert [first.ssin, *(each.ssin for each in answers)] == [BRAM.ssin, BRAM.ssin, ANNA.ssin]


CRITERIA: dict[str, tuple[dict[str, Any], set[int]]] = {
    "one worker": ({"ssins": (TWIN.ssin,)}, {6}),
    "several workers": ({"ssins": (BRAM.ssin, TWIN.ssin)}, {4, 6}),
    "name": ({"worker_name": WorkerName("dubois etienne", "RENE")}, {4}),
    "name of two": ({"worker_name": WorkerName("Janssens", "Kim")}, {6}),
    "name and birth": ({"worker_name": WorkerName("Peeters", "Anna", ANNA.birth_date)}, {1, 2, 5, 7, 8}),
    "name and another birth": ({"worker_name": WorkerName("Peeters", "Anna", TODAY)}, set()),
    "registration": ({"employer": EmployerReference(Register.NSSO, BREWERY.registration_number)}, {1, 2, 4}),
    "register": ({"employer": EmployerReference(Register.NSSO_PPO, BREWERY.registration_number)}, set()),
    "enterprise": ({"employer": EmployerReference(enterprise_number=CITY.enterprise_number)}, {7, 8}),
    "both numbers": (
        {"employer": EmployerReference(Register.NSSO_PPO, CITY_SCHOOLS.registration_number, CITY.enterprise_number)},
        {8},
    ),
    "worker type": ({"worker_types": ("TRI",)}, {5}),
    "worker types": ({"worker_types": ("TRI", "OTH")}, {1, 2, 4, 5, 6, 7, 8}),
    "joint committee": ({"joint_committees": ("140.01", "322")}, {5, 6}),
    "using company": ({"using_company": USING}, {5}),
    "cancelled too": ({"include_cancelled": True}, {1, 2, 3, 4, 5, 6, 7, 8}),
    "not cancelled": ({}, {1, 2, 4, 5, 6, 7, 8}),
    "from": ({"begin": date(2026, 2, 28)}, {2, 4, 5, 6, 7, 8}),
    "from the last day of one": ({"begin": date(2026, 2, 27)}, {1, 2, 4, 5, 6, 7, 8}),
    "until": ({"end": date(2026, 2, 1)}, {1}),
    "until the first day of one": ({"end": date(2026, 2, 2)}, {1, 5}),
    "from until": ({"begin": date(2026, 2, 28), "end": date(2026, 3, 2)}, {2, 5}),
    "started": ({"event": Event.STARTED, "begin": date(2026, 2, 2), "end": date(2026, 3, 2)}, {2, 5}),
    "ended": ({"event": Event.ENDED, "begin": date(2026, 2, 27), "end": date(2026, 3, 30)}, {1}),
    "ended at all": ({"event": Event.ENDED}, {1, 2}),
    "started at all": ({"event": Event.STARTED}, {1, 2, 4, 5, 6, 7, 8}),
    "all at once": (
        {
            "ssins": (ANNA.ssin,),
            "employer": EmployerReference(Register.NSSO, BAKERY.registration_number, BAKERY.enterprise_number),
            "worker_types": ("TRI",),
            "joint_committees": ("322",),
            "using_company": USING,
            "begin": TODAY,
            "end": TODAY,
        },
        {5},
    ),
}


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_narrows_the_periods(filled: DimonaRepository, criterion: str) -> None:
    criteria, expected = CRITERIA[criterion]
    order = sorted({each.period_id for each in everything(filled, include_cancelled=True)})
    found = [order.index(each.period_id) + 1 for each in everything(filled, **criteria)]
    assert found == sorted(expected)


# Declarations 1 to 8 begin periods 1 to 8; 9 ends the second, 10 cancels the third, 11 changes the fourth.
DECLARATIONS: dict[str, tuple[dict[str, Any], set[int]]] = {
    "number": ({"number": "D000000000003"}, {3}),
    "worker": ({"ssin": BRAM.ssin}, {3, 4, 10, 11}),
    "name": ({"worker_name": WorkerName("Dubois Etienne", "René", BRAM.birth_date)}, {3, 4, 10, 11}),
    "registration": (
        {"employer": EmployerReference(Register.NSSO, BREWERY.registration_number)},
        {1, 2, 3, 4, 9, 10, 11},
    ),
    "enterprise": ({"employer": EmployerReference(enterprise_number=CITY.enterprise_number)}, {7, 8}),
    "received from": ({"received_from": date(2026, 3, 11)}, {9, 10, 11}),
    "received until": ({"received_until": date(2026, 3, 31)}, {1, 2, 3, 4, 5, 6, 7, 8}),
    "received on the day": ({"received_from": date(2026, 4, 1), "received_until": date(2026, 4, 1)}, {9, 10, 11}),
    "received for ever": ({"received_from": date.min, "received_until": date.max}, set(range(1, 12))),
    "joint committee": ({"joint_committee": "124"}, {3, 10}),
    "worker type": ({"worker_type": "BCW"}, {3, 10}),
    "using company": ({"using_company": USING}, {5}),
    "worker and employer": (
        {"ssin": ANNA.ssin, "employer": EmployerReference(enterprise_number=BREWERY.enterprise_number)},
        {1, 2, 9},
    ),
}


@pytest.mark.parametrize("criterion", DECLARATIONS)
def test_each_criterion_narrows_the_declarations(filled: DimonaRepository, criterion: str) -> None:
    criteria, expected = DECLARATIONS[criterion]
    found = filled.find_declarations(DeclarationSearch(**criteria), 1000).declarations
    assert [int(each.number[1:]) for each in found] == sorted(expected)


@pytest.fixture(scope="module")
def filled_url(template: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.copy(template, tmp_path_factory.mktemp("filled")) as copied:
        with opened(copied) as (_, repository):
            fill(repository)
        yield copied


@pytest.fixture(params=["fake", "sql"])
def filled(request: pytest.FixtureRequest, filled_url: str) -> Iterator[DimonaRepository]:
    if request.param == "fake":
        fake = FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS)
        fill(fake)
        yield fake
        return
    with opened(filled_url) as (_, sql):
        yield sql


def test_a_day_of_reception_is_a_belgian_one(own_repository: DimonaRepository) -> None:
    before_midnight = datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
    own_repository.submit(submission(begin(), received_at=before_midnight))
    own_repository.submit(submission(begin(ssin=BRAM.ssin), received_at=before_midnight + timedelta(minutes=1)))
    told = [
        [each.received_at for each in own_repository.find_declarations(search, 9).declarations]
        for search in (
            DeclarationSearch(received_until=date(2026, 6, 30)),
            DeclarationSearch(received_from=date(2026, 7, 1)),
        )
    ]
    assert told == [[before_midnight], [before_midnight + timedelta(minutes=1)]]


def test_pages_hold_everything_once(filled: DimonaRepository) -> None:
    periods: list[Any] = []
    page = filled.find_periods(PeriodSearch(), 3)
    while True:
        periods += page.periods
        if not page.more:
            break
        assert len(page.periods) == 3
        page = filled.find_periods(PeriodSearch(after=periods[-1].period_id), 3)
    assert periods == everything(filled)
    declarations: list[Any] = []
    told = filled.find_declarations(DeclarationSearch(), 4)
    while True:
        declarations += told.declarations
        if not told.more:
            break
        assert len(told.declarations) == 4
        told = filled.find_declarations(DeclarationSearch(after=declarations[-1].number), 4)
    assert [int(each.number[1:]) for each in declarations] == list(range(1, 12))


def test_a_page_that_is_just_full_has_no_more(filled: DimonaRepository) -> None:
    assert not filled.find_periods(PeriodSearch(), 7).more
    assert filled.find_periods(PeriodSearch(), 6).more
    assert not filled.find_declarations(DeclarationSearch(), 11).more
    assert filled.find_declarations(DeclarationSearch(), 10).more


def test_the_file_is_what_its_declarations_fold_into(filled: DimonaRepository) -> None:
    declarations = filled.find_declarations(DeclarationSearch(), 1000).declarations
    assert {each.period_id: each for each in everything(filled, include_cancelled=True)} == fold(declarations)


def test_nothing_found_is_an_empty_page(filled: DimonaRepository) -> None:
    assert filled.find_periods(PeriodSearch(ssins=(UNKNOWN,)), 5) == PeriodPage(())
    assert filled.find_declarations(DeclarationSearch(ssin=UNKNOWN), 5) == DeclarationPage(())


# What follows is of the SQL adapter alone.


def test_a_search_reads_one_range_of_the_index_of_its_criterion(filled_url: str) -> None:
    statements: list[tuple[str, Any]] = []
    with opened(filled_url) as (database, _):

        @contextmanager
        def read() -> Iterator[Connection]:
            with database.read() as connection:
                event.listen(connection, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
                yield connection

        repository = SqlDimonaRepository(read, GroupCommit(database), tell_nobody)
        nsso = EmployerReference(Register.NSSO, BREWERY.registration_number)
        for periods, index in (
            (PeriodSearch(ssins=(ANNA.ssin,)), "ix_dimona_periods_ssin_period_id"),
            (
                PeriodSearch(employer=nsso, event=Event.STARTED, begin=TODAY),
                "ix_dimona_periods_employer_number_period_id",
            ),
            (PeriodSearch(using_company=USING), "ix_dimona_periods_using_company_period_id"),
            (PeriodSearch(worker_name=WorkerName("A", "B", TODAY)), "ix_dimona_workers_search_key_birth_date"),
        ):
            statements.clear()
            repository.find_periods(replace(periods, after="100000000135"), 5)
            assert index in plan_of(database, statements)
        for declarations, index in (
            (DeclarationSearch(number="D000000000001"), "pk_dimona_declarations"),
            (DeclarationSearch(ssin=ANNA.ssin), "ix_dimona_declarations_ssin_number"),
            (DeclarationSearch(employer=nsso), "ix_dimona_declarations_employer_number_number"),
            (DeclarationSearch(using_company=USING), "ix_dimona_declarations_using_company_number"),
        ):
            statements.clear()
            repository.find_declarations(replace(declarations, after="D000000000000"), 5)
            plan = plan_of(database, statements)
            # SQLite calls the index of a key by its table.
            assert index in plan.replace("sqlite_autoindex_dimona_declarations_1", "pk_dimona_declarations")


def test_what_a_submission_rests_on_is_read_by_indexes(filled_url: str, databases: Databases, tmp_path: Path) -> None:
    with databases.copy(filled_url, tmp_path) as copied, opened(copied) as (database, repository):
        statements: list[tuple[str, Any]] = []
        event.listen(database._engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
        period = everything(repository, ssins=(ANNA.ssin,))[0].period_id
        statements.clear()
        repository.submit(submission(cancel(period), begin(identity=identity(BRAM)), begin(TODAY)))
        asked = [each for each in statements if each[0].startswith("SELECT")]
        assert len(asked) >= 6
        with database.read() as connection:
            for statement in asked:
                if "pg_advisory" not in statement[0]:
                    plan = explain(connection, *statement)
                    assert "SCAN dimona" not in plan
                    assert "SCAN persons" not in plan
                    assert "Seq Scan" not in plan


def plan_of(database: Database, statements: list[tuple[str, Any]]) -> str:
    plans = []
    with database.read() as connection:
        for statement in [each for each in statements if each[0].startswith("SELECT")]:
            plan = explain(connection, *statement)
            assert "SCAN dimona" not in plan
            assert "SCAN persons" not in plan
            assert "Seq Scan" not in plan
            plans.append(plan)
    assert len(plans) <= 2
    return plans[-1]


def test_a_submission_takes_as_many_statements_however_much_it_declares(url: str) -> None:
    counts = []
    with opened(url) as (database, repository):
        event.listen(database._engine, "before_cursor_execute", lambda *call: counts.append(call[2]))
        for declarations in (1, 50):
            del counts[:]
            days = [date(2026, 1, 1) + timedelta(days=each + declarations) for each in range(declarations)]
            repository.submit(submission(*(begin(day, end_date=day) for day in days)))
            told = [each for each in counts if each.startswith(("SELECT", "INSERT"))]
            assert len(told) <= 11


def test_of_several_registrations_the_one_that_is_not_struck_off_is_meant(url: str) -> None:
    with opened(url) as (database, repository):
        with database.write() as connection:
            connection.execute(
                employers.update()
                .where(employers.c.registration_number == CITY.registration_number)
                .values(deletion_date=TODAY)
            )
        assert repository.find_employer(EmployerReference(enterprise_number=CITY.enterprise_number)) == CITY_SCHOOLS
        assert repository.find_employer(EmployerReference(Register.NSSO, CITY.registration_number)) == replace(
            CITY, deletion_date=TODAY
        )


def test_an_answer_kept_without_the_worker_is_still_given(url: str) -> None:
    with opened(url) as (database, repository):
        message = submission(begin(), begin())
        answers = repository.submit(message)
        with database.write() as connection:
            kept = connection.execute(dimona_submissions.select()).one().answers
            earlier = [{name: value for name, value in each.items() if name != "ssin"} for each in kept]
            connection.execute(dimona_submissions.update().values(answers=earlier))
        assert repository.submit(message) == tuple(replace(each, ssin="") for each in answers)


def test_what_is_loaded_is_what_was_declared(url: str, databases: Databases, tmp_path: Path, template: str) -> None:
    fake = FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS)
    fill(fake)
    with opened(url) as (database, repository):
        with database.write() as connection:
            assert load_declarations(connection, fake.declarations, chunk=2) == len(fake.declarations)
        assert everything(repository, include_cancelled=True) == list(fake.periods.values())


def test_a_document_that_cannot_be_read_is_an_invalid_answer_and_repeats_nothing(url: str) -> None:
    with opened(url) as (database, repository):
        repository.submit(submission(begin()))
        with database.write() as connection:
            connection.execute(dimona_declarations.update().values(declaration={"action": "IN", "ssin": [ANNA.ssin]}))
        with pytest.raises(SourceAnswerInvalid) as caught:
            repository.find_declarations(DeclarationSearch(ssin=ANNA.ssin), 1)
        assert ANNA.ssin not in f"{caught.value}{caught.value.__cause__}"


def test_a_database_without_the_tables_is_an_unavailable_source(databases: Databases, tmp_path: Path) -> None:
    with databases.empty(tmp_path) as empty, opened(empty) as (_, repository):
        with pytest.raises(SourceUnavailable) as caught:
            repository.find_periods(PeriodSearch(ssins=(ANNA.ssin,)), 1)
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError | psycopg.errors.UndefinedTable)
        assert ANNA.ssin not in f"{caught.value}{caught.value.__cause__}"
        with pytest.raises(SourceUnavailable) as refused:
            repository.submit(submission(begin()))
        assert ANNA.ssin not in f"{refused.value}{refused.value.__cause__}"


def test_a_database_that_gives_no_connection_is_an_unavailable_source(url: str) -> None:
    @contextmanager
    def read() -> Iterator[Connection]:
        raise PoolTimeoutError("none free")
        yield

    with opened(url) as (database, _), pytest.raises(SourceUnavailable):
        SqlDimonaRepository(read, GroupCommit(database), tell_nobody).find_periods(PeriodSearch(), 1)


def test_a_submission_that_is_not_begun_in_time_is_withdrawn(url: str) -> None:
    with opened(url) as (database, repository):
        impatient = GroupCommit(database, wait_seconds=0.05)
        message = submission(begin())
        with another_writer(url), pytest.raises(SourceUnavailable):
            SqlDimonaRepository(database.read, impatient, tell_nobody).submit(message)
        impatient.close()
        assert everything(repository, ssins=(ANNA.ssin,)) == []
        (answer,) = repository.submit(message)
        assert isinstance(answer, Accepted)


def test_a_submission_that_may_be_committed_is_a_failed_communication_and_the_ticket_tells(url: str) -> None:
    with opened(url) as (database, repository):
        impatient = GroupCommit(database, wait_seconds=0.05)

        def slow(connection: Connection, changes: Sequence[Change]) -> None:
            time.sleep(0.3)

        message = submission(begin())
        with pytest.raises(SourceCommunicationFailed):
            SqlDimonaRepository(database.read, impatient, slow).submit(message)
        impatient._wait_seconds = 10
        impatient.close()
        (answer,) = repository.submit(message)
        assert isinstance(answer, Accepted)
        assert len(everything(repository, ssins=(ANNA.ssin,))) == 1


def test_a_notifier_that_fails_leaves_nothing_of_the_submission(url: str) -> None:
    def fail(connection: Connection, changes: Sequence[Change]) -> None:
        raise LookupError("of the notifier")

    with opened(url) as (database, repository):
        commit = GroupCommit(database)
        with pytest.raises(LookupError, match="of the notifier"):
            SqlDimonaRepository(database.read, commit, fail).submit(submission(begin()))
        commit.close()
        assert everything(repository, ssins=(ANNA.ssin,)) == []
        with database.read() as connection:
            assert connection.execute(dimona_submissions.select()).all() == []
