"""The rules of the personnel file: each refuses what breaks it, and lets pass what just does not."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files

import pytest
import yaml

from services.dimona.anomalies import ANOMALIES, BY_CODE
from services.dimona.codes import OCCUPATION_FORMS, WORKER_TYPES
from services.dimona.declaration import OPEN_END, Accepted, Action, Declaration, RecordedDeclaration, Refused
from services.dimona.declaration import OccupationForm as Form
from services.dimona.rules import FURTHEST_BEGIN, RULES
from services.employer import Employer
from tests.unit.dimona_world import (
    ANNA,
    BAKERY,
    BRAM,
    BREWERY,
    CANCELLED,
    DEATH,
    DECEASED,
    EMPLOYERS,
    MALFORMED,
    NOON,
    OLD_NUMBER,
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
    features,
    identity,
    submission,
    update,
    using,
)
from tests.unit.fakes_dimona import FakeDimonaRepository

TOMORROW = TODAY + timedelta(days=1)
EIGHT, NOON_HOUR, FOUR = time(8), time(12), time(16)
QUARTER_END = date(2026, 3, 31)
NOTHING_THERE = "100000000001"
# The first two periods that a file gives out.
FIRST, SECOND = "100000000135", "100000000236"
RETIRED = RecordedDeclaration(
    "D000000000001",
    NOON,
    BREWERY,
    ANNA.ssin,
    FIRST,
    declaration=Declaration(Action.IN, ssin=ANNA.ssin, features=features("A17"), begin_date=date(2010, 1, 1)),
)


def make_file(*before: Declaration, employer: Employer = BREWERY) -> FakeDimonaRepository:
    """Return a file that accepted these declarations."""
    file = FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS)
    for declaration in before:
        (answer,) = file.submit(submission(declaration, employer=employer))
        assert isinstance(answer, Accepted)
    return file


@dataclass(frozen=True)
class Example:
    """What breaks a rule in a file that accepted `before`, and what is like it and keeps every rule."""

    rule: str
    broken: Declaration
    kept: Declaration
    before: tuple[Declaration, ...] = ()
    employer: Employer = BREWERY


def hours(**changes: object) -> Declaration:
    return begin(
        **{
            "worker_type": "EXT",
            "occupation_form": Form.HOURS,
            "begin_hour": EIGHT,
            "end_date": TODAY,
            "end_hour": FOUR,
        }
        | changes  # type: ignore[arg-type]
    )


def day(**changes: object) -> Declaration:
    return begin(**{"worker_type": "EXT", "occupation_form": Form.DAY, "end_date": TODAY} | changes)  # type: ignore[arg-type]


def contract(**changes: object) -> Declaration:
    told = {"worker_type": "FLX", "occupation_form": Form.WRITTEN_CONTRACT, "end_date": QUARTER_END}
    return begin(**told | changes)  # type: ignore[arg-type]


def student(**changes: object) -> Declaration:
    return begin(**{"worker_type": "STU", "end_date": QUARTER_END, "planned_hours": 40} | changes)  # type: ignore[arg-type]


EXAMPLES = (
    Example("period_unknown", end(NOTHING_THERE, TODAY), end(FIRST, TODAY), (begin(),)),
    Example("period_unknown", cancel("000000000000"), cancel(FIRST), (begin(),)),
    Example("period_unknown", update(SECOND, end_date=TODAY), update(FIRST, end_date=TODAY), (begin(),)),
    Example("period_cancelled", cancel(FIRST), cancel(SECOND), (begin(), cancel(FIRST), begin(TOMORROW))),
    Example("period_cancelled", end(FIRST, TODAY), end(SECOND, TODAY), (begin(), cancel(FIRST), begin())),
    Example("ssin_malformed", begin(ssin=MALFORMED), begin()),
    Example("ssin_unknown", begin(ssin=UNKNOWN), begin()),
    Example("ssin_cancelled", begin(ssin=CANCELLED), begin(ssin=OLD_NUMBER)),
    Example("ssin_of_another", cancel(FIRST, ssin=BRAM.ssin), cancel(FIRST, ssin=ANNA.ssin), (begin(),)),
    Example("ssin_of_another", cancel(FIRST, ssin=UNKNOWN), cancel(FIRST, ssin=OLD_NUMBER), (begin(),)),
    Example("worker_unknown", begin(identity=identity(BRAM, sex="F")), begin(identity=identity(BRAM))),
    Example(
        "worker_unknown",
        begin(identity=identity(BRAM, birth_date=TODAY)),
        begin(identity=identity(BRAM, name="DUBOIS ETIENNE", first_name="rene")),
    ),
    Example("worker_ambiguous", begin(identity=identity(TWIN)), begin(ssin=TWIN.ssin)),
    Example("worker_type_unknown", begin(worker_type="ABC"), begin(worker_type="BCW")),
    *(
        Example("worker_type_retired", begin(worker_type=code), begin(worker_type="ALT"))
        for code in ("A17", "QUA", "STX", "TEA")
    ),
    *(
        Example("joint_committee_malformed", begin(joint_committee=wrong), begin(joint_committee=right))
        for wrong, right in (("14", "140"), ("140.1", "140.01"), ("ABC", "XXX"), ("14001", "124"))
    ),
    Example("form_missing", day(occupation_form=None), day()),
    Example("form_missing", contract(occupation_form=None), contract()),
    Example("form_not_allowed", begin(occupation_form=Form.DAY), begin()),
    Example("form_not_allowed", day(occupation_form=Form.WRITTEN_CONTRACT), day()),
    Example("form_not_allowed", contract(occupation_form=Form.DAY), contract()),
    Example(
        "using_company_malformed",
        begin(using_company=using(enterprise_number=f"{USING[:8]}00")),
        begin(using_company=using()),
    ),
    Example(
        "using_committee_malformed",
        begin(using_company=using(joint_committee="1.30")),
        begin(using_company=using(joint_committee="XXX")),
    ),
    Example("begin_too_early", begin(date(1998, 12, 31)), begin(date(1999, 1, 1))),
    Example("begin_too_far", begin(TODAY + FURTHEST_BEGIN + timedelta(days=1)), begin(TODAY + FURTHEST_BEGIN)),
    Example("worker_deceased", begin(DEATH + timedelta(days=1), ssin=DECEASED), begin(DEATH, ssin=DECEASED)),
    Example(
        "worker_deceased",
        update(FIRST, begin_date=DEATH + timedelta(days=1)),
        update(FIRST, begin_date=DEATH),
        (begin(date(2026, 1, 2), ssin=DECEASED),),
    ),
    Example("periods_overlap", begin(), begin(worker_type="BCW"), (begin(),)),
    Example("periods_overlap", begin(), begin(ssin=BRAM.ssin), (begin(),)),
    Example("periods_overlap", begin(ssin=OLD_NUMBER), begin(TOMORROW), (begin(end_date=TODAY),)),
    Example("periods_overlap", begin(TOMORROW), begin(end_date=TODAY), (begin(TOMORROW),)),
    Example(
        "periods_overlap",
        begin(begin_hour=time(11), end_date=TODAY, end_hour=FOUR),
        begin(begin_hour=NOON_HOUR, end_date=TODAY, end_hour=FOUR),
        (begin(begin_hour=EIGHT, end_date=TODAY, end_hour=NOON_HOUR),),
    ),
    Example(
        "periods_overlap",
        begin(end_date=TODAY),
        begin(begin_hour=NOON_HOUR, end_date=TODAY),
        (begin(begin_hour=EIGHT, end_date=TODAY, end_hour=NOON_HOUR),),
    ),
    Example(
        "periods_overlap",
        update(FIRST, end_date=TOMORROW),
        update(FIRST, end_date=TODAY),
        (begin(end_date=TODAY), begin(TOMORROW)),
    ),
    Example(
        "periods_overlap",
        end(FIRST, TOMORROW),
        end(FIRST, TODAY - timedelta(days=1)),
        (begin(TODAY - timedelta(days=9), end_date=TODAY), begin(TOMORROW)),
    ),
    Example("begin_hour_missing", hours(begin_hour=None), hours()),
    Example("begin_hour_not_allowed", day(begin_hour=EIGHT), day()),
    Example("begin_hour_not_allowed", contract(begin_hour=EIGHT), contract()),
    Example("end_before_begin", begin(end_date=TODAY - timedelta(days=1)), begin(end_date=TODAY)),
    Example("end_before_begin", end(FIRST, TODAY - timedelta(days=1)), end(FIRST, TODAY), (begin(),)),
    Example(
        "end_before_begin",
        update(FIRST, begin_date=TOMORROW),
        update(FIRST, begin_date=TODAY - timedelta(days=1)),
        (begin(end_date=TODAY),),
    ),
    Example("only_update_reopens", begin(end_date=OPEN_END), begin()),
    Example(
        "only_update_reopens",
        end(FIRST, OPEN_END),
        update(FIRST, end_date=OPEN_END),
        (begin(end_date=TODAY),),
    ),
    Example("employer_struck_off", begin(TOMORROW), begin(TODAY), employer=STRUCK_OFF),
    Example(
        "employer_struck_off",
        update(FIRST, begin_date=TOMORROW),
        update(FIRST, begin_date=TODAY - timedelta(days=1), end_date=TOMORROW),
        (begin(),),
        STRUCK_OFF,
    ),
    Example("end_missing", student(end_date=None), student()),
    Example("end_missing", contract(end_date=None), contract()),
    Example("end_missing", day(end_date=None), day()),
    Example("end_missing", update(FIRST, end_date=OPEN_END), update(FIRST, end_date=TODAY), (student(),)),
    Example("spans_days", hours(end_date=TOMORROW), hours()),
    Example("spans_days", day(end_date=TOMORROW), day()),
    Example("spans_days", end(FIRST, TOMORROW), end(FIRST, TODAY), (hours(),)),
    *(
        Example("spans_quarters", student(worker_type=code, end_date=date(2026, 4, 1)), student(worker_type=code))
        for code in ("STU", "O17", "S17")
    ),
    Example("spans_quarters", contract(end_date=date(2026, 4, 1)), contract()),
    Example(
        "spans_quarters",
        update(FIRST, end_date=date(2027, 3, 10)),
        update(FIRST, end_date=date(2026, 3, 11)),
        (student(),),
    ),
    Example("end_hour_missing", hours(end_hour=None), hours()),
    Example("end_hour_missing", hours(worker_type="FLX", end_hour=None), hours(worker_type="FLX")),
    Example("end_hour_not_allowed", day(end_hour=FOUR), day()),
    Example("end_hour_without_date", begin(end_hour=FOUR), begin(end_hour=FOUR, end_date=TODAY)),
    Example(
        "end_hour_without_date",
        update(FIRST, end_date=OPEN_END, end_hour=FOUR),
        update(FIRST, end_date=OPEN_END),
        (begin(end_date=TODAY, end_hour=FOUR),),
    ),
    Example("end_hour_before_begin", hours(end_hour=EIGHT), hours(end_hour=time(8, 1))),
    Example(
        "end_hour_before_begin",
        begin(begin_hour=FOUR, end_hour=EIGHT, end_date=TODAY),
        begin(begin_hour=FOUR, end_hour=EIGHT, end_date=TOMORROW),
    ),
    *(
        Example("planned_hours_missing", student(worker_type=code, planned_hours=None), student(worker_type=code))
        for code in ("STU", "O17", "S17")
    ),
    Example("planned_hours_missing", update(FIRST, planned_days=3), update(FIRST, planned_hours=999), (student(),)),
    Example("planned_hours_out_of_range", student(planned_hours=0), student(planned_hours=1)),
    Example("planned_hours_out_of_range", student(planned_hours=1000), student(planned_hours=999)),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_a_rule_that_is_broken_refuses_and_is_named(example: Example) -> None:
    file = make_file(*example.before, employer=example.employer)
    before = file.periods
    (answer,) = file.submit(submission(example.broken, employer=example.employer))
    assert isinstance(answer, Refused)
    row = ANOMALIES[example.rule]
    assert (row.code, row.field) in {(each.code, each.field) for each in answer.anomalies}
    assert file.periods == before
    (answer,) = file.submit(submission(example.kept, employer=example.employer))
    assert isinstance(answer, Accepted), answer


def test_a_period_of_a_retired_type_cannot_change() -> None:
    file = FakeDimonaRepository(EMPLOYERS, PERSONS, WORKERS, [RETIRED])
    assert file.periods[FIRST].locked
    for declaration in (end(FIRST, TODAY), cancel(FIRST), update(FIRST, end_date=TODAY)):
        (answer,) = file.submit(submission(declaration))
        assert isinstance(answer, Refused)
        assert [each.code for each in answer.anomalies] == [ANOMALIES["period_retired"].code]


def test_what_began_with_an_employer_that_was_struck_off_since_still_ends_changes_and_is_undone() -> None:
    file = make_file(begin(TOMORROW), begin(ssin=BRAM.ssin))
    file.employers = (replace(BREWERY, deletion_date=TODAY - timedelta(days=9)),)
    changes = (update(FIRST, begin_date=TODAY), update(FIRST, planned_days=3), end(FIRST, TOMORROW), cancel(SECOND))
    answers = file.submit(submission(*changes, begin()))
    assert [type(answer) for answer in answers] == [Accepted] * 4 + [Refused]


def test_every_rule_has_its_row_and_its_example() -> None:
    assert [rule.__name__ for rule in RULES] == list(ANOMALIES)
    assert {example.rule for example in EXAMPLES} | {"period_retired"} == set(ANOMALIES)
    assert len(BY_CODE) == len(ANOMALIES)


def test_the_period_of_another_employer_is_as_unknown_as_none() -> None:
    file = make_file(begin())
    answers = [file.submit(submission(cancel(period_id), employer=BAKERY))[0] for period_id in (FIRST, NOTHING_THERE)]
    assert answers[0] == answers[1]
    assert isinstance(answers[0], Refused)


def test_all_anomalies_of_a_declaration_are_told_in_the_order_of_its_fields() -> None:
    file = make_file()
    wrong = student(ssin=MALFORMED, joint_committee="1", planned_hours=0, end_date=TODAY - timedelta(days=1))
    (answer,) = file.submit(submission(wrong))
    assert isinstance(answer, Refused)
    rules = ("ssin_malformed", "joint_committee_malformed", "end_before_begin", "planned_hours_out_of_range")
    assert [each.code for each in answer.anomalies] == [ANOMALIES[rule].code for rule in rules]


def test_what_is_said_of_a_code_is_one_row_of_its_table() -> None:
    document = yaml.safe_load(files("services.dimona").joinpath("codes.yaml").read_text("utf-8"))
    assert [row["code"] for row in document["workerTypes"]] == list(WORKER_TYPES)
    assert set(OCCUPATION_FORMS) == set(Form)
    assert {form for row in WORKER_TYPES.values() for form in row.forms} == set(Form)
    assert {code for code, row in WORKER_TYPES.items() if not row.declarable} == {"A17", "QUA", "STX", "TEA"}
    assert {row.origin for row in WORKER_TYPES.values()} == {"published"}


def at(text: str) -> datetime:
    """Return the moment of a Belgian winter time."""
    return datetime.fromisoformat(f"{text}+01:00").astimezone(UTC)


LATENESS = (
    (begin(), (), "2026-03-10T23:59", False),
    (begin(), (), "2026-03-11T00:00", True),
    (begin(begin_hour=EIGHT), (), "2026-03-10T08:00", False),
    (begin(begin_hour=EIGHT), (), "2026-03-10T08:01", True),
    # A Friday, whose next working day is the Monday.
    (end(FIRST, date(2026, 3, 13)), (begin(),), "2026-03-16T23:59", False),
    (end(FIRST, date(2026, 3, 13)), (begin(),), "2026-03-17T00:00", True),
    # The day before New Year, a Friday, and the Monday after it.
    (end(FIRST, date(2026, 12, 31)), (begin(),), "2027-01-04T10:00", False),
    (end(FIRST, date(2026, 12, 31)), (begin(),), "2027-01-05T10:00", True),
    (update(FIRST, end_date=date(2026, 3, 13)), (begin(),), "2026-03-17T10:00", True),
    (update(FIRST, end_date=date(2026, 3, 20)), (begin(end_date=date(2026, 3, 13)),), "2026-03-17T10:00", True),
    (update(FIRST, end_date=OPEN_END), (begin(end_date=date(2026, 3, 13)),), "2026-03-16T10:00", False),
    (update(FIRST, begin_date=TOMORROW), (begin(),), "2026-03-10T10:00", False),
    (update(FIRST, begin_date=date(2026, 3, 9)), (begin(),), "2026-03-10T10:00", True),
    (update(FIRST, begin_date=date(2026, 3, 30)), (begin(),), "2026-03-20T10:00", True),
    (update(FIRST, begin_hour=EIGHT), (begin(),), "2026-03-10T09:00", True),
    (update(FIRST, planned_days=3), (begin(),), "2026-05-10T09:00", False),
    (cancel(FIRST), (begin(),), "2026-05-10T09:00", False),
)


@pytest.mark.parametrize(("declaration", "before", "received", "late"), LATENESS)
def test_a_late_declaration_is_accepted_and_marked(
    declaration: Declaration, before: tuple[Declaration, ...], received: str, late: bool
) -> None:
    file = make_file(*before)
    (answer,) = file.submit(submission(declaration, received_at=at(received)))
    assert isinstance(answer, Accepted)
    assert answer.late is late
    assert file.periods[FIRST].late is late


def test_a_period_stays_late_when_what_follows_is_in_time() -> None:
    file = make_file(begin(TODAY - timedelta(days=1)), end(FIRST, TODAY))
    assert file.periods[FIRST].late


def test_an_out_keeps_the_hour_of_the_end_only_with_its_day() -> None:
    told = begin(end_date=TODAY, end_hour=FOUR)
    assert make_file(told, end(FIRST, TODAY)).periods[FIRST].end_hour == FOUR
    assert make_file(told, end(FIRST, TOMORROW)).periods[FIRST].end_hour is None
    assert make_file(told, end(FIRST, TOMORROW, end_hour=EIGHT)).periods[FIRST].end_hour == EIGHT


def test_an_update_leaves_what_it_does_not_say() -> None:
    told = begin(begin_hour=EIGHT, end_date=TODAY, end_hour=FOUR, planned_hours=8)
    before = make_file(told).periods[FIRST]
    after = make_file(told, update(FIRST, end_date=TOMORROW)).periods[FIRST]
    assert after == replace(before, end_date=TOMORROW, last_action=Action.UPDATE)
    after = make_file(told, update(FIRST, planned_days=2)).periods[FIRST]
    assert (after.planned_hours, after.planned_days) == (None, 2)


def test_a_worker_without_ssin_is_recorded_under_his_own() -> None:
    file = make_file(begin(identity=identity(BRAM)))
    assert file.declarations[0].ssin == file.periods[FIRST].ssin == BRAM.ssin


def test_a_replaced_number_becomes_its_successor() -> None:
    assert make_file(begin(ssin=OLD_NUMBER)).periods[FIRST].ssin == ANNA.ssin


def test_each_declaration_of_a_message_sees_what_those_before_it_did() -> None:
    file = make_file()
    answers = file.submit(
        submission(begin(end_date=TODAY), begin(TOMORROW), begin(TOMORROW), end(SECOND, TOMORROW), cancel(FIRST))
    )
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Refused, Accepted, Accepted]
    assert [each.period_id for each in file.periods.values()] == [FIRST, SECOND]
    assert file.periods[FIRST].cancelled
    assert file.periods[SECOND].end_date == TOMORROW


@pytest.mark.parametrize(
    "who",
    [
        {"ssin": DECEASED},
        {"ssin": CANCELLED},
        {"ssin": UNKNOWN},
        {"identity": identity(TWIN)},
        {"identity": identity(ANNA, name="Nobody")},
    ],
    ids=["deceased", "cancelled", "unknown", "namesakes", "nobody"],
)
def test_what_can_never_be_accepted_tells_nothing_of_the_worker(who: dict[str, object]) -> None:
    file = make_file()
    hopeless = {"worker_type": "FLX", "joint_committee": "none"}
    living, asked = file.submit(submission(begin(**hopeless), begin(**hopeless | who)))  # type: ignore[arg-type]
    assert isinstance(living, Refused)
    assert isinstance(asked, Refused)
    assert asked.anomalies == living.anomalies
