"""The operations of DimonaService over a fake file: every criterion, pages, cases, contradictions, answers."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from services.consultation import Outcome, SourceAnswerInvalid
from services.dimona import DESCRIPTOR
from services.dimona.declaration import (
    Accepted,
    Action,
    Declaration,
    Features,
    OccupationForm,
    Submission,
    UsingCompany,
    WorkerIdentity,
)
from services.dimona.numbers import render_declaration_number, render_period_id
from services.dimona.operations import (
    MOST_CHECKED,
    PAGE,
    check_employment,
    consult_declarations,
    consult_periods,
    submit_declarations,
)
from services.dimona.period import DeclarationPage, PeriodPage
from services.dimona.submission import read_declaration
from tests.unit.dimona_messages import (
    ADDRESS,
    AGENCY,
    ANNA,
    BRAM,
    BREWERY,
    EARLIER,
    HOSPITAL,
    HOSPITAL_LOCAL,
    IDENTITY,
    LOTTE,
    MUNICIPALITY,
    NOW,
    begin,
    consultation,
    make_file,
    name_employer,
    submit,
)
from tests.unit.fakes_dimona import FakeDimonaRepository
from tests.unit.fakes_dmfa import FakePageTokens

EMPLOYER = {"employer": name_employer(BREWERY)}
ANYWHERE = {"worker": {"ssin": ANNA.ssin}}
JUNE = {"beginDate": date(2026, 6, 1), "endDate": date(2026, 6, 30)}


def ask_periods(repository: FakeDimonaRepository | None = None, **criteria: Any) -> Outcome:
    asked = consultation("consultPeriods", criteria)
    return consult_periods(asked, repository or make_file(), FakePageTokens())


def ask_declarations(repository: FakeDimonaRepository | None = None, **criteria: Any) -> Outcome:
    asked = consultation("consultDeclarations", criteria)
    return consult_declarations(asked, repository or make_file(), FakePageTokens())


def check(repository: FakeDimonaRepository | None = None, **changes: Any) -> Outcome:
    criteria = {"worker": {"ssin": [ANNA.ssin, BRAM.ssin]}, **EMPLOYER, "period": JUNE} | changes
    return check_employment(consultation("checkEmployment", criteria), repository or make_file())


def told_periods(outcome: Outcome) -> list[int]:
    """Return which periods are told, by the order in which they were made."""
    numbers = {render_period_id(count): count for count in range(1, 200)}
    items = outcome.data.get("employmentPeriods", {}).get("employmentPeriod", [])
    return [numbers[each["dimonaPeriodId"]] for each in items]


def told_declarations(outcome: Outcome) -> list[int]:
    items = outcome.data.get("declarations", {}).get("declaration", [])
    return [int(each["declarationNumber"][1:]) for each in items]


PERIODS: dict[str, tuple[dict[str, Any], dict[str, Any], list[int]]] = {
    "worker ssin": (EMPLOYER, ANYWHERE, [1]),
    "worker name": (EMPLOYER, {"worker": {"name": "mertens", "firstName": "BRAM"}}, [2, 4]),
    "worker birth date": (
        EMPLOYER, {"worker": {"name": "Mertens", "firstName": "Bram", "birthDate": date(1992, 8, 21)}}, [],
    ),
    "employer": (ANYWHERE, {"employer": name_employer(MUNICIPALITY)}, [5]),
    "employer by enterprise": (ANYWHERE, {"employer": {"enterpriseNumber": AGENCY.enterprise_number}}, [6]),
    "period": (EMPLOYER, {"period": {"beginDate": date(2026, 6, 13), "endDate": date(2026, 6, 19)}}, [1]),
    "open period": (EMPLOYER, {"period": {"beginDate": date(2026, 7, 1)}}, [1, 3]),
    "event started": (EMPLOYER, {"period": JUNE, "event": "STARTED"}, [4]),
    "event ended": (EMPLOYER, {"period": JUNE, "event": "ENDED"}, [2, 4]),
    "workerType": (EMPLOYER, {"workerType": ["FLX", "STU"]}, [3, 4]),
    "jointCommittee": (EMPLOYER, {"jointCommittee": ["302", "124"]}, [4]),
    "usingCompany": (ANYWHERE, {"usingCompany": BREWERY.enterprise_number}, [6]),
    "includeCancelled": ({"worker": {"ssin": LOTTE.ssin}}, {"includeCancelled": True}, [3, 7]),
}  # fmt: skip


@pytest.mark.parametrize("criterion", PERIODS)
def test_each_criterion_changes_which_periods_are_told(criterion: str) -> None:
    base, given, expected = PERIODS[criterion]
    assert told_periods(ask_periods(**(base | given))) == expected
    assert told_periods(ask_periods(**base)) != expected


DECLARATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[int]]] = {
    "declarationNumber": (EMPLOYER, {"declarationNumber": render_declaration_number(3)}, [3]),
    "worker ssin": (EMPLOYER, {"worker": {"ssin": BRAM.ssin}}, [2, 4, 5]),
    "worker name": (EMPLOYER, {"worker": {"name": "Peeters", "firstName": "Lotte"}}, [3]),
    "worker birth date": (
        EMPLOYER, {"worker": {"name": "Peeters", "firstName": "Lotte", "birthDate": date(2001, 1, 1)}}, [],
    ),
    "employer": (ANYWHERE, {"employer": name_employer(MUNICIPALITY)}, [6]),
    "receptionPeriod": (
        EMPLOYER, {"receptionPeriod": {"beginDate": date(2026, 1, 5), "endDate": date(2026, 1, 5)}}, [1, 2],
    ),
    "open receptionPeriod": (EMPLOYER, {"receptionPeriod": {"beginDate": date(2026, 1, 6)}}, [3, 4, 5]),
    "jointCommittee": (EMPLOYER, {"jointCommittee": "302"}, [4]),
    "workerType": (EMPLOYER, {"workerType": "STU"}, [3]),
    "usingCompany": (ANYWHERE, {"usingCompany": BREWERY.enterprise_number}, [7]),
}  # fmt: skip


@pytest.mark.parametrize("criterion", DECLARATIONS)
def test_each_criterion_changes_which_declarations_are_told(criterion: str) -> None:
    base, given, expected = DECLARATIONS[criterion]
    assert told_declarations(ask_declarations(**(base | given))) == expected
    assert told_declarations(ask_declarations(**base)) != expected


def test_one_criterion_is_enough_to_search_by() -> None:
    using = {"usingCompany": BREWERY.enterprise_number}
    assert told_declarations(ask_declarations(declarationNumber=render_declaration_number(8))) == [8]
    assert told_declarations(ask_declarations(**using)) == [7]
    assert told_periods(ask_periods(**using)) == [6]


CHECKS: dict[str, tuple[dict[str, Any], list[tuple[bool, bool, int]]]] = {
    "as it is": ({}, [(True, True, 1), (True, False, 2)]),
    "worker": ({"worker": {"ssin": [LOTTE.ssin]}}, [(False, False, 0)]),
    "employer": ({"employer": name_employer(AGENCY)}, [(True, False, 1), (False, False, 0)]),
    "employer by enterprise": (
        {"employer": {"enterpriseNumber": AGENCY.enterprise_number}}, [(True, False, 1), (False, False, 0)],
    ),
    "period": (
        {"period": {"beginDate": date(2026, 6, 1), "endDate": date(2026, 6, 12)}}, [(True, True, 1), (True, True, 1)],
    ),
    "before": (
        {"period": {"beginDate": date(2025, 12, 1), "endDate": date(2026, 1, 4)}},
        [(False, False, 0), (False, False, 0)],
    ),
    "gap": (
        {"period": {"beginDate": date(2026, 6, 12), "endDate": date(2026, 6, 20)}}, [(True, True, 1), (True, False, 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHECKS)
def test_employment_is_checked_worker_by_worker(case: str) -> None:
    changes, expected = CHECKS[case]
    outcome = check(**changes)
    rows = outcome.data["employmentChecks"]["employmentCheck"]
    assert outcome.case == "data_found"
    assert [
        (each["inService"], each["throughout"], len(each.get("employmentPeriods", {}).get("employmentPeriod", ())))
        for each in rows
    ] == expected


def test_periods_that_follow_each_other_cover_the_time_between() -> None:
    repository = make_file()
    again = begin(BRAM.ssin, date(2026, 6, 13), endingDate=date(2026, 6, 30))
    submit(repository, again, ticket="T-2", client="file")
    _, bram = check(repository).data["employmentChecks"]["employmentCheck"]
    assert bram["throughout"]


def test_a_worker_who_is_asked_twice_is_told_once() -> None:
    rows = check(worker={"ssin": [ANNA.ssin, ANNA.ssin]}).data["employmentChecks"]["employmentCheck"]
    assert [each["ssin"] for each in rows] == [ANNA.ssin]


UNUSABLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "declarations by nothing": ("consultDeclarations", {"workerType": "OTH"}, "criteria"),
    "periods by nothing": ("consultPeriods", {"workerType": ["OTH"], "period": JUNE}, "criteria"),
    "reception period": (
        "consultDeclarations",
        {**EMPLOYER, "receptionPeriod": {"beginDate": date(2026, 6, 2), "endDate": date(2026, 6, 1)}},
        "criteria/receptionPeriod/endDate",
    ),
    "period": (
        "consultPeriods",
        {**EMPLOYER, "period": {"beginDate": date(2026, 6, 2), "endDate": date(2026, 6, 1)}},
        "criteria/period/endDate",
    ),
    "event at no time": ("consultPeriods", {**EMPLOYER, "event": "ENDED"}, "criteria/period"),
    "no number": ("consultPeriods", {"employer": {}}, "criteria/employer"),
    "NSSO number": (
        "consultPeriods",
        {"employer": {"nssoRegistrationNumber": "0192020133"}},
        "criteria/employer/nssoRegistrationNumber",
    ),
    "NSSO-PPO number": (
        "consultDeclarations",
        {"employer": {"nssoPpoRegistrationNumber": "5099000164"}},
        "criteria/employer/nssoPpoRegistrationNumber",
    ),
    "enterprise number": (
        "consultPeriods",
        {"employer": name_employer(BREWERY) | {"enterpriseNumber": "0999930142"}},
        "criteria/employer/enterpriseNumber",
    ),
    "using company": ("consultDeclarations", {"usingCompany": "0999930142"}, "criteria/usingCompany"),
    "page of declarations": ("consultDeclarations", {**EMPLOYER, "next": "forged"}, "criteria/next"),
    "page of periods": ("consultPeriods", {**EMPLOYER, "next": "forged"}, "criteria/next"),
    "checked period": (
        "checkEmployment", {"period": {"beginDate": date(2026, 6, 2), "endDate": date(2026, 6, 1)}},
        "criteria/period/endDate",
    ),
    "checked number": (
        "checkEmployment", {"employer": {"enterpriseNumber": "0999930142"}}, "criteria/employer/enterpriseNumber",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", UNUSABLE)
def test_what_cannot_be_used_is_named_and_the_source_not_asked(cause: str) -> None:
    operation, criteria, field = UNUSABLE[cause]
    ask = {"consultDeclarations": ask_declarations, "consultPeriods": ask_periods, "checkEmployment": check}[operation]
    repository = make_file()
    outcome = ask(repository, **criteria)
    assert outcome.case == "criterion_unusable"
    assert outcome.information[0] == ("field", field)
    assert outcome.information[1][0] == "details"
    assert repository.asked == []


@pytest.mark.parametrize(
    "employer",
    [
        {"nssoRegistrationNumber": "0192020423"},
        {"enterpriseNumber": HOSPITAL.enterprise_number},
        name_employer(BREWERY) | {"enterpriseNumber": AGENCY.enterprise_number},
    ],
    ids=["unknown", "two registrations", "numbers of two"],
)
def test_an_employer_who_cannot_be_told_is_named(employer: dict[str, str]) -> None:
    repository = make_file()
    criteria = {"employer": employer, "declaration": [begin(ANNA.ssin, date(2026, 6, 15))]}
    submitted = submit_declarations(consultation("submitDeclarations", criteria), repository)
    for outcome in (submitted, check(repository, employer=employer)):
        assert (outcome.case, outcome.information[0]) == ("criterion_unusable", ("field", "criteria/employer"))
    assert len(repository.declarations) == len(make_file().declarations)


def test_both_registrations_of_an_enterprise_are_searched() -> None:
    repository = make_file()
    submit(repository, begin(ANNA.ssin, date(2026, 6, 16)), employer=HOSPITAL_LOCAL, ticket="T-9", client="file")
    employer = {"enterpriseNumber": HOSPITAL.enterprise_number}
    assert told_periods(ask_periods(repository, employer=employer, includeCancelled=True)) == [7, 8]
    assert told_declarations(ask_declarations(repository, employer=employer)) == [8, 9, 10]


def test_nothing_found_is_no_data() -> None:
    nobody = {"worker": {"name": "Nemo", "firstName": "Nobody"}}
    assert ask_periods(**nobody) == Outcome("no_data")
    assert ask_declarations(**nobody) == Outcome("no_data")


def make_crowd(days: int = 60) -> FakeDimonaRepository:
    """Return a file in which Anna works by the day."""
    repository = FakeDimonaRepository((BREWERY,), workers=(ANNA, BRAM))
    for first in range(0, days, 100):
        day = [date.fromordinal(date(2024, 1, 1).toordinal() + first + each) for each in range(min(100, days - first))]
        batch = [begin(ANNA.ssin, each, "EXT", occupationForm="DAY", endingDate=each) for each in day]
        submit(repository, *batch, ticket=f"T-{first}")
    return repository


@pytest.mark.parametrize("operation", ["consultPeriods", "consultDeclarations"])
def test_pages_hold_everything_once_in_order(operation: str) -> None:
    repository, tokens = make_crowd(), FakePageTokens()
    consult, told = {
        "consultPeriods": (consult_periods, told_periods),
        "consultDeclarations": (consult_declarations, told_declarations),
    }[operation]
    criteria: dict[str, Any] = dict(ANYWHERE)
    found: list[int] = []
    cases = []
    while True:
        outcome = consult(consultation(operation, criteria), repository, tokens)
        cases.append(outcome.case)
        found += told(outcome)
        if "next" not in outcome.data:
            break
        criteria["next"] = outcome.data["next"]
    assert found == list(range(1, 61))
    assert cases == ["page_found"] * (60 // PAGE) + ["data_found"]
    other = consultation(operation, criteria | {"worker": {"ssin": BRAM.ssin}})
    refused = consult(other, repository, tokens)
    assert (refused.case, refused.information[0]) == ("criterion_unusable", ("field", "criteria/next"))


def test_more_than_can_be_checked_is_told_and_never_cut() -> None:
    repository = make_crowd(MOST_CHECKED + 1)
    period = {"beginDate": date(2024, 1, 1), "endDate": date(2026, 12, 31)}
    outcome = check(repository, period=period)
    assert (outcome.case, outcome.information[0]) == ("criterion_unusable", ("field", "criteria/period"))
    shorter = {"beginDate": date(2024, 1, 2), "endDate": date(2026, 12, 31)}
    rows = check(repository, period=shorter).data["employmentChecks"]["employmentCheck"]
    assert len(rows[0]["employmentPeriods"]["employmentPeriod"]) == MOST_CHECKED


def test_each_declaration_is_answered_by_itself() -> None:
    repository = make_file()
    outcome = submit(
        repository,
        begin(LOTTE.ssin, date(2026, 6, 16)),
        begin(LOTTE.ssin, date(2026, 6, 17), "STU", endingDate=date(2026, 6, 30), plannedHours=1000),
        {"out": {"dimonaPeriodId": render_period_id(1), "endingDate": date(2026, 5, 29)}},
    )
    assert outcome.case == "data_found"
    accepted, refused, late = outcome.data["declarationResults"]["declarationResult"]
    assert accepted == {
        "sequenceNumber": 1,
        "result": "ACCEPTED",
        "declarationNumber": render_declaration_number(10),
        "dimonaPeriodId": render_period_id(8),
        "late": False,
    }
    assert (refused["sequenceNumber"], refused["result"]) == (2, "REFUSED")
    anomaly = refused["anomalies"]["anomaly"][0]
    assert (anomaly["field"], anomaly["code"]) == ("plannedHours", "01135-002")
    assert [each["@language"] for each in anomaly["descriptions"]["description"]] == ["NL", "FR", "DE"]
    assert (late["dimonaPeriodId"], late["late"]) == (render_period_id(1), True)
    assert outcome.concerned == (LOTTE.ssin, ANNA.ssin)


def test_a_ticket_gets_the_same_answers_again_and_nothing_is_done_twice() -> None:
    repository = make_file()
    first = submit(repository, begin(LOTTE.ssin, date(2026, 6, 16)))
    recorded = len(repository.declarations)
    assert submit(repository, begin(LOTTE.ssin, date(2026, 6, 16))) == first
    assert len(repository.declarations) == recorded
    other = submit(repository, begin(LOTTE.ssin, date(2026, 6, 16)), client="secretariat")
    assert other.data["declarationResults"]["declarationResult"][0]["result"] == "REFUSED"


@pytest.mark.parametrize(
    ("ticket", "day"), [(None, 16), ("", 16), (" ", 16), ("T-1", 17)], ids=["none", "empty", "blank", "used"]
)
def test_a_ticket_that_names_no_message_or_another_is_refused(ticket: str | None, day: int) -> None:
    repository = make_file()
    submit(repository, begin(LOTTE.ssin, date(2026, 6, 16)))
    recorded = len(repository.declarations)
    outcome = submit(repository, begin(LOTTE.ssin, date(2026, 6, day)), ticket=ticket)
    assert (outcome.case, outcome.information[0]) == ("criterion_unusable", ("field", "informationCustomer/ticket"))
    assert len(repository.declarations) == recorded


def test_everything_that_is_declared_is_read() -> None:
    using = {"name": "Drukkerij", "enterpriseNumber": "0999930141", "jointCommittee": "130"}
    values = begin(
        IDENTITY,
        date(2026, 6, 15),
        "EXT",
        jointCommittee="302",
        subEntity="12",
        occupationForm="HOURS",
        usingCompany=using,
        studentPlaceOfWork={"name": "Bar", "address": ADDRESS},
        startingHour="08:30",
        endingDate=date(2026, 6, 15),
        endingHour="17:05",
        plannedHours=8,
    )
    assert read_declaration(values) == Declaration(
        Action.IN,
        identity=WorkerIdentity("PEETERS", "Lotte", date(2004, 3, 2), "F", ADDRESS),
        features=Features(
            "EXT",
            "302",
            "12",
            OccupationForm.HOURS,
            UsingCompany("Drukkerij", "0999930141", "130"),
            {"name": "Bar", "address": ADDRESS},
        ),
        begin_date=date(2026, 6, 15),
        begin_hour=time(8, 30),
        end_date=date(2026, 6, 15),
        end_hour=time(17, 5),
        planned_hours=8,
    )
    moved = {"update": {"dimonaPeriodId": "1" * 12, "ssin": ANNA.ssin, "startingHour": "09:00", "plannedDays": 3}}
    assert read_declaration(moved) == Declaration(
        Action.UPDATE, "1" * 12, ANNA.ssin, begin_hour=time(9, 0), planned_days=3
    )
    assert read_declaration({"cancel": {"dimonaPeriodId": "1" * 12}}) == Declaration(Action.CANCEL, "1" * 12)


def test_a_declaration_is_told_as_it_was_sent() -> None:
    (told,) = ask_declarations(declarationNumber=render_declaration_number(3)).data["declarations"]["declaration"]
    assert told == {
        "declarationNumber": render_declaration_number(3),
        "action": "IN",
        "receivedAt": NOW,
        "late": False,
        "dimonaPeriodId": render_period_id(3),
        "employer": {
            "nssoRegistrationNumber": BREWERY.registration_number,
            "enterpriseNumber": BREWERY.enterprise_number,
            "name": BREWERY.name,
        },
        "worker": {"ssin": LOTTE.ssin, "identity": IDENTITY},
        "features": {
            "workerType": "STU",
            "jointCommittee": "118",
            "studentPlaceOfWork": {"name": "Zomerbar", "address": ADDRESS},
        },
        "startingDate": date(2026, 7, 1),
        "endingDate": date(2026, 7, 31),
        "plannedHours": 160,
    }


def test_a_period_is_told_as_its_declarations_left_it() -> None:
    (told,) = ask_periods(worker={"ssin": BRAM.ssin}, workerType=["FLX"]).data["employmentPeriods"]["employmentPeriod"]
    assert told == {
        "dimonaPeriodId": render_period_id(4),
        "employer": {
            "nssoRegistrationNumber": BREWERY.registration_number,
            "enterpriseNumber": BREWERY.enterprise_number,
            "name": BREWERY.name,
        },
        "worker": {"ssin": BRAM.ssin},
        "features": {"workerType": "FLX", "jointCommittee": "302", "occupationForm": "HOURS"},
        "startingDate": date(2026, 6, 20),
        "startingHour": "11:00",
        "endingDate": date(2026, 6, 20),
        "endingHour": "15:30",
        "cancelled": False,
        "locked": False,
        "late": False,
        "lastAction": "IN",
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    (ended,) = ask_periods(worker={"ssin": BRAM.ssin}, workerType=["OTH"]).data["employmentPeriods"]["employmentPeriod"]
    assert (ended["lastAction"], ended["createdAt"], ended["updatedAt"]) == ("OUT", EARLIER, NOW)


class _Answering(FakeDimonaRepository):
    """Answers with one page whatever is asked."""

    def __init__(self, periods: PeriodPage | None = None, declarations: DeclarationPage | None = None) -> None:
        super().__init__((BREWERY,))
        self._periods, self._declarations = periods or PeriodPage(()), declarations or DeclarationPage(())

    def find_periods(self, search: Any, limit: int) -> PeriodPage:
        return self._periods

    def find_declarations(self, search: Any, limit: int) -> DeclarationPage:
        return self._declarations

    def submit(self, submission: Submission) -> tuple[Accepted, ...]:
        return ()


ONE, TWO = (make_file().periods[render_period_id(number)] for number in (1, 2))
FIRST, SECOND = make_file().declarations[:2]
ASKED = {"worker": {"ssin": ANNA.ssin}, **EMPLOYER, "period": JUNE}
WRONG_PERIODS = {
    "another SSIN": ((TWO,), "a period of another SSIN"),
    "another employer": ((replace(ONE, employer=AGENCY),), "a period with another employer"),
    "cancelled": ((replace(ONE, cancelled=True),), "a cancelled period"),
    "too early": ((replace(ONE, end_date=date(2026, 5, 31)),), "a period outside the time that was asked"),
    "too late": ((replace(ONE, begin_date=date(2026, 7, 1)),), "a period outside the time that was asked"),
    "twice": ((ONE, ONE), "a page out of order"),
}
WRONG_DECLARATIONS = {
    "another number": ((replace(FIRST, number="D000000000009"),), "a declaration of another number"),
    "another SSIN": ((replace(FIRST, ssin=BRAM.ssin),), "a declaration about another SSIN"),
    "another employer": ((replace(FIRST, employer=AGENCY),), "a declaration of another employer"),
    "twice": ((FIRST, FIRST), "a page out of order"),
}


@pytest.mark.parametrize("name", WRONG_PERIODS)
def test_a_period_that_contradicts_the_question_is_found_and_names_nobody(name: str) -> None:
    periods, contradiction = WRONG_PERIODS[name]
    repository = _Answering(PeriodPage(periods))
    for ask in (lambda: ask_periods(repository, **ASKED), lambda: check(repository, worker={"ssin": [ANNA.ssin]})):
        with pytest.raises(SourceAnswerInvalid) as caught:
            ask()
        assert caught.value.information == (("details", contradiction),)
        assert ANNA.ssin not in str(caught.value)


@pytest.mark.parametrize("name", WRONG_DECLARATIONS)
def test_a_declaration_that_contradicts_the_question_is_found_and_names_nobody(name: str) -> None:
    declarations, contradiction = WRONG_DECLARATIONS[name]
    with pytest.raises(SourceAnswerInvalid) as caught:
        ask_declarations(
            _Answering(declarations=DeclarationPage(declarations)),
            declarationNumber=FIRST.number,
            worker={"ssin": ANNA.ssin},
            **EMPLOYER,
        )
    assert caught.value.information == (("details", contradiction),)


def test_a_page_that_goes_back_is_found() -> None:
    repository, tokens = make_crowd(), FakePageTokens()
    token = consult_periods(consultation("consultPeriods", ANYWHERE), repository, tokens).data["next"]
    first = PeriodPage(tuple(sorted(repository.periods.values(), key=lambda each: each.period_id))[:1])
    with pytest.raises(SourceAnswerInvalid, match="an earlier page"):
        consult_periods(consultation("consultPeriods", ANYWHERE | {"next": token}), _Answering(first), tokens)


def test_declarations_without_an_answer_are_found() -> None:
    with pytest.raises(SourceAnswerInvalid, match="0 answers to 1 declarations"):
        submit(_Answering(), begin(ANNA.ssin, date(2026, 6, 15)))


def test_searches_show_no_ssin() -> None:
    repository = make_file()
    ask_periods(repository, **ANYWHERE)
    ask_declarations(repository, **ANYWHERE)
    assert ANNA.ssin not in repr(repository.asked)


@pytest.mark.parametrize("operation", DESCRIPTOR.statuses.rows)
def test_statuses_stand_in_the_order_of_the_checks(operation: str) -> None:
    codes = [row.code for row in DESCRIPTOR.statuses.rows[operation].values()]
    order = [
        "MSG00014", "MSG00013", "MSG00027", "MSG00015", "MSG00011", "MSG00005", "MSG00012", "MSG00006", "MSG00007",
        "MSG00009", "GTW00004", "MSG00008", "MSG00020", "MSG00023", "MSG00100", "MSG00000",
    ]  # fmt: skip
    assert list(dict.fromkeys(codes)) == [code for code in order if code in codes]
    assert len(codes) >= 8


def test_the_moment_of_reception_is_that_of_the_consultation() -> None:
    repository = make_file()
    submit(repository, begin(LOTTE.ssin, date(2026, 6, 16)), now=datetime(2026, 6, 15, 12, tzinfo=UTC))
    assert repository.declarations[-1].received_at == datetime(2026, 6, 15, 12, tzinfo=UTC)
