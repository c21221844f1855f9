"""Authorizing: what the stage reads of a request, and what it asks before the decision."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from stage_world import ANNEX, CONSULT_STAFF, CUSTOMER, FakeEmployerAccess, FakeFacts, in_file, make_valid

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.integration import Period
from authz.ssin import Environment
from gateway.established import Permitted
from gateway.refusal import Fault, NoResult
from gateway.stages.authorize import authorize
from services.descriptor import OperationDescriptor

ONE, TWO = "80631500121", "80631500319"
EVERYBODY = {ONE: in_file(), TWO: in_file()}
ENTERPRISE = ANNEX.replace("kind: institution", "kind: enterprise").replace(
    "integration: {", "integrationExemption: Clause 1 # {"
)
OURS = NamedEmployer(nsso_registration_number="0000000196")
OWN = FakeEmployerAccess({(CUSTOMER, OURS): EmployerRelation(RelationKind.OWN)})


def run(
    criteria: Mapping[str, Any],
    facts: FakeFacts | None = None,
    access: FakeEmployerAccess | None = None,
    text: str = ANNEX,
    descriptor: OperationDescriptor = CONSULT_STAFF,
) -> Permitted:
    valid = make_valid(criteria, text, descriptor)
    known = facts or FakeFacts(EVERYBODY)
    return authorize(valid, known, access or FakeEmployerAccess(), Environment.TEST)


def denied(*arguments: Any, **named: Any) -> NoResult:
    with pytest.raises(NoResult) as caught:
        run(*arguments, **named)
    return caught.value


def test_every_person_named_is_asked_for_once_and_together() -> None:
    facts = FakeFacts(EVERYBODY)
    permitted = run({"worker": {"ssin": [TWO, ONE, TWO]}}, facts)
    assert permitted.request.subjects == (TWO, ONE)
    assert facts.questions == [(TWO, ONE)]
    assert permitted.facts.persons == EVERYBODY


@pytest.mark.parametrize("named", [ONE, [ONE], [ONE, ONE]])
def test_a_single_person_is_asked_for_alone(named: Any) -> None:
    facts = FakeFacts(EVERYBODY)
    assert run({"worker": {"ssin": named}}, facts).request.subjects == (ONE,)
    assert facts.questions == [(ONE,)]


def test_one_person_who_is_not_in_the_file_refuses_the_request() -> None:
    denial = denied({"worker": {"ssin": [ONE, TWO]}}, FakeFacts({ONE: in_file(), TWO: in_file(client_inscriptions=())}))
    assert (denial.denial.case, denial.denial.subject) == ("not_integrated", TWO)


@pytest.mark.parametrize("criteria", [{}, {"worker": {"name": "Peeters"}}, {"period": {"beginDate": date(2024, 1, 1)}}])
def test_of_nobody_nothing_is_asked(criteria: Mapping[str, Any]) -> None:
    facts = FakeFacts({})
    assert run(criteria, facts).request.subjects == ()
    assert facts.questions == []


def test_the_period_is_the_one_that_the_descriptor_names() -> None:
    permitted = run({"period": {"beginDate": date(2024, 1, 1), "endDate": date(2024, 2, 1)}})
    assert permitted.request.period == Period(date(2024, 1, 1), date(2024, 2, 1))


@pytest.mark.parametrize(
    ("criteria", "parameters"),
    [
        ({"worker": {"ssin": ONE, "name": "x"}}, {"criteria/worker/ssin": ONE, "criteria/worker/name": "x"}),
        ({"worker": {"ssin": [ONE, TWO]}}, {"criteria/worker/ssin": [ONE, TWO]}),
        (
            {"worker": [{"ssin": ONE}, {"ssin": TWO, "name": "x"}]},
            {"criteria/worker/ssin": [ONE, TWO], "criteria/worker/name": ["x"]},
        ),
        (
            {"worker": [{"names": {"name": ["x", "y"]}}, {"names": {"name": ["z"]}}]},
            {"criteria/worker/names/name": ["x", "y", "z"]},
        ),
        ({"worker": {}}, {"criteria/worker": None}),
        ({"worker": [{}, {"name": "x"}, {}]}, {"criteria/worker": None, "criteria/worker/name": ["x"]}),
        ({"worker": {"names": {}}}, {"criteria/worker/names": None}),
        ({"worker": {"#text": "x", "@kind": 1}}, {"criteria/worker": {"#text": "x", "@kind": 1}}),
        ({}, {}),
    ],
)
def test_every_element_that_was_sent_is_a_parameter(criteria: Mapping[str, Any], parameters: Any) -> None:
    text = ANNEX.replace("STAFF:INQUIRY", "STAFF:OTHER")  # Refused before the parameters are looked at.
    assert denied(criteria, text=text).request.parameters == parameters


@pytest.mark.parametrize(
    ("criteria", "refused"),
    [
        ({"place": [{"code": "1"}, {"since": date(2024, 1, 1)}]}, ["criteria/place/code", "criteria/place/since"]),
        ({"place": [{}]}, ["criteria/place"]),
        ({"place": [{"code": "1"}, {}]}, ["criteria/place/code", "criteria/place"]),
    ],
)
def test_what_stands_in_a_repeated_element_is_refused_by_name(criteria: Any, refused: list[str]) -> None:
    denial = denied(criteria).denial
    assert denial.case == "parameters_not_granted"
    assert denial.information == tuple(("parameter", f"{path}: not granted") for path in refused)


def test_an_enterprise_acts_for_an_employer_by_its_relation_of_today() -> None:
    permitted = run({"employer": {"nssoRegistrationNumber": "0000000196"}}, access=OWN, text=ENTERPRISE)
    assert permitted.facts.relation == EmployerRelation(RelationKind.OWN)
    assert OWN.questions[-1] == (CUSTOMER, OURS, date(2024, 6, 1))


@pytest.mark.parametrize(
    "criteria",
    [
        {"employer": {"nssoRegistrationNumber": "0000000295"}},
        {"employer": {}},
        {},
        {"worker": {"ssin": [ONE]}},
    ],
)
def test_an_enterprise_is_refused_for_any_other_employer_or_for_none(criteria: Mapping[str, Any]) -> None:
    denial = denied(criteria, access=OWN, text=ENTERPRISE)
    assert denial.denial.case == "employer_not_accessible"
    assert denial.facts.relation is None


def test_an_operation_that_is_about_persons_and_no_employer_is_refused_to_an_enterprise() -> None:
    """Whatever its annex says: a grant that the check of annexes refuses is not obeyed either."""
    descriptor = replace(CONSULT_STAFF, employer=None)
    denial = denied({"worker": {"ssin": [ONE]}}, access=OWN, text=ENTERPRISE, descriptor=descriptor)
    assert denial.denial.case == "employer_not_accessible"


def test_of_an_institution_no_relation_is_asked() -> None:
    access = FakeEmployerAccess()
    permitted = run({"employer": {"nssoRegistrationNumber": "0000000196"}}, access=access)
    assert (permitted.request.employer, permitted.facts.relation) == (OURS, None)
    assert access.questions == []


def test_when_a_register_cannot_be_read_nothing_is_decided() -> None:
    class Broken(FakeEmployerAccess):
        def find_relation(self, *arguments: Any) -> Any:
            raise OperationalError("SELECT", {}, Exception(ONE))

    with pytest.raises(Fault) as caught:
        run({"employer": {"nssoRegistrationNumber": "0000000196"}}, access=Broken(), text=ENTERPRISE)
    assert caught.value.code == "MSG00001"
    assert ONE not in caught.value.reason
