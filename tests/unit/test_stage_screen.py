"""Screening: whom an operation found leaves only if the client may be told about that person."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from stage_world import ANNEX, CUSTOMER, FakeFacts, in_file, make_answered

from authz.integration import Inscription, Period, PersonFacts
from gateway.refusal import Fault
from gateway.stages.screen import screen
from services.consultation import Outcome
from services.descriptor import OperationDescriptor

ONE, TWO, THREE = "80631500121", "80631500319", "80631500418"
EXEMPT = ANNEX.replace("integration: {", "integrationExemption: Clause 1 # {")


def item(ssin: Any, number: int = 1) -> dict[str, Any]:
    return {"number": number, "worker": {"ssin": ssin}}


def found(*items: Any, case: str = "data_found", information: tuple[tuple[str, str], ...] = (), **data: Any) -> Outcome:
    return Outcome(case, {"periods": {"period": list(items)}, **data}, information)


def listed(outcome: Outcome) -> list[Any]:
    return outcome.data.get("periods", {}).get("period", [])


def test_persons_who_are_not_in_the_file_are_left_out_and_counted() -> None:
    outcome = found(item(ONE, 1), item(TWO, 2), item(ONE, 3), item(THREE, 4))
    before = deepcopy(outcome.data)
    screened = screen(make_answered(outcome), FakeFacts({ONE: in_file(), TWO: PersonFacts(known=True)}))
    assert listed(screened.outcome) == [item(ONE, 1), item(ONE, 3)]
    assert (screened.told, screened.left_out) == ((ONE,), 2)
    assert screened.outcome.case == "data_found"
    assert outcome.data == before


def test_one_question_is_asked_for_a_whole_reply() -> None:
    facts = FakeFacts({ONE: in_file(), TWO: in_file()})
    screened = screen(make_answered(found(item(ONE), item(TWO), item(ONE), item(THREE))), facts)
    assert facts.questions == [(ONE, TWO, THREE)]
    assert (screened.told, screened.left_out) == ((ONE, TWO), 1)


def test_when_nobody_is_left_out_the_outcome_is_untouched() -> None:
    outcome = found(item(ONE), item(TWO), information=(("a", "b"),))
    screened = screen(make_answered(outcome), FakeFacts({ONE: in_file(), TWO: in_file()}))
    assert screened.outcome is outcome
    assert (screened.told, screened.left_out) == ((ONE, TWO), 0)


def test_when_nobody_is_left_the_reply_is_one_that_found_nothing() -> None:
    outcome = found(item(TWO), item(THREE), information=(("details", "about them"),))
    screened = screen(make_answered(outcome), FakeFacts({}))
    assert screened.outcome == Outcome("no_data")
    assert (screened.told, screened.left_out) == ((), 2)


def test_an_empty_page_still_tells_that_more_may_follow() -> None:
    outcome = found(item(TWO), case="page_found", information=(("next", "ask again"),), next="token")
    screened = screen(make_answered(outcome), FakeFacts({}))
    assert screened.outcome == Outcome("page_found", {"next": "token"}, (("next", "ask again"),))


@pytest.mark.parametrize(
    "nobody", [{"number": 1}, {"worker": {}}, {"worker": None}, item(None), item([ONE]), item({"@canceled": True})]
)
def test_an_item_that_does_not_say_whom_it_is_about_is_left_out(nobody: dict[str, Any]) -> None:
    screened = screen(make_answered(found(nobody, item(ONE))), FakeFacts({ONE: in_file()}))
    assert listed(screened.outcome) == [item(ONE)]
    assert screened.left_out == 1


def test_when_no_item_says_whom_it_is_about_nothing_is_asked_and_none_leaves() -> None:
    facts = FakeFacts({})
    assert screen(make_answered(found({"number": 1})), facts).outcome == Outcome("no_data")
    assert facts.questions == []


def test_a_number_with_attributes_is_read() -> None:
    about = item({"#text": ONE, "@canceled": False})
    screened = screen(make_answered(found(about, item({"#text": TWO}))), FakeFacts({ONE: in_file()}))
    assert listed(screened.outcome) == [about]
    assert screened.told == (ONE,)


def test_a_replaced_number_counts_when_its_successor_is_in_the_file() -> None:
    persons = {ONE: in_file(replaced_by=TWO), THREE: in_file(cancelled=True)}
    assert screen(make_answered(found(item(ONE), item(THREE))), FakeFacts(persons)).left_out == 0


@pytest.mark.parametrize(
    ("end", "period", "left_out"),
    [
        (date(2024, 5, 2), None, 0),  # Thirty days before today, the last that the tolerance reaches.
        (date(2024, 5, 1), None, 1),
        (date(2022, 12, 2), Period(date(2023, 1, 1), date(2023, 12, 31)), 0),
        (date(2022, 12, 1), Period(date(2023, 1, 1), date(2023, 12, 31)), 1),
    ],
)
def test_the_period_asked_counts_with_its_tolerance_or_else_today(
    end: date, period: Period | None, left_out: int
) -> None:
    inscribed = Inscription(CUSTOMER.key, "STAFF:FILE", date(2020, 1, 1), end)
    facts = FakeFacts({ONE: PersonFacts(known=True, client_inscriptions=(inscribed,))})
    assert screen(make_answered(found(item(ONE)), period=period), facts).left_out == left_out


@pytest.mark.parametrize(
    "inscribed",
    [
        Inscription("cbe:0999900249", "STAFF:FILE", date(2020, 1, 1)),
        Inscription(CUSTOMER.key, "STAFF:OTHER", date(2020, 1, 1)),
    ],
    ids=["another organisation", "another context"],
)
def test_another_organisation_or_context_puts_nobody_in_the_file(inscribed: Inscription) -> None:
    facts = FakeFacts({ONE: PersonFacts(known=True, client_inscriptions=(inscribed,))})
    assert screen(make_answered(found(item(ONE))), facts).left_out == 1


def test_whoever_the_request_did_not_name_never_leaves() -> None:
    facts = FakeFacts({TWO: in_file()})
    screened = screen(make_answered(found(item(ONE), item(TWO), {"number": 3}), subjects=(ONE, THREE)), facts)
    assert listed(screened.outcome) == [item(ONE)]
    assert (screened.told, screened.left_out) == ((ONE,), 2)
    assert facts.questions == []


def test_whoever_the_request_did_not_name_never_leaves_under_an_exemption_either() -> None:
    screened = screen(make_answered(found(item(TWO)), subjects=(ONE,), text=EXEMPT), FakeFacts({}))
    assert (screened.outcome, screened.left_out) == (Outcome("no_data"), 1)


def test_an_exempt_operation_tells_about_all_and_the_audit_knows_them() -> None:
    facts = FakeFacts({})
    outcome = found(item(ONE), {"number": 2}, item(TWO), item(ONE))
    screened = screen(make_answered(outcome, text=EXEMPT), facts)
    assert screened.outcome is outcome
    assert (screened.told, screened.left_out) == ((ONE, TWO), 0)
    assert facts.questions == []


def test_an_operation_that_lists_nobody_passes() -> None:
    facts, outcome = FakeFacts({}), found(item(TWO))
    screened = screen(make_answered(outcome, descriptor=OperationDescriptor("consultStaff")), facts)
    assert screened.outcome is outcome
    assert (screened.told, screened.left_out, facts.questions) == ((), None, [])


def test_an_outcome_without_items_passes() -> None:
    outcome = Outcome("source_unavailable", {}, (("source", "x"),))
    screened = screen(make_answered(outcome), FakeFacts({}))
    assert screened.outcome is outcome
    assert (screened.told, screened.left_out) == ((), 0)


def test_when_the_register_cannot_be_read_nobody_is_told_about() -> None:
    class Broken(FakeFacts):
        def find_all(self, *arguments: Any) -> Any:
            raise OperationalError("SELECT", {"ssins": [ONE]}, Exception(ONE))

    with pytest.raises(Fault) as caught:
        screen(make_answered(found(item(ONE))), Broken({}))
    assert caught.value.code == "MSG00001"
    assert ONE not in f"{caught.value} {caught.value.reason}"


SSINS = st.sampled_from([ONE, TWO, THREE, None])


@given(st.lists(SSINS, max_size=8), st.sets(SSINS.filter(bool)), st.lists(SSINS.filter(bool), unique=True, max_size=2))
def test_nobody_leaves_who_is_not_in_the_file_or_not_named(
    numbers: list[str | None], integrated: set[str], named: list[str]
) -> None:
    """Whatever was found, only those allowed are told, in their order, and everything else is counted."""
    items = [item(ssin, number) for number, ssin in enumerate(numbers)]
    outcome = found(*items) if items else Outcome("no_data")
    screened = screen(
        make_answered(outcome, subjects=tuple(named)), FakeFacts({ssin: in_file() for ssin in integrated})
    )
    allowed = set(named) if named else integrated
    assert listed(screened.outcome) == [each for each in items if each["worker"]["ssin"] in allowed]
    assert screened.left_out == len(items) - len(listed(screened.outcome))
    assert set(screened.told) == {ssin for ssin in numbers if ssin in allowed}
    assert screened.outcome.case == ("data_found" if listed(screened.outcome) else "no_data")
