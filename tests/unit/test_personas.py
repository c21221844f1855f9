"""The personas: well-made data, and every expectation that the operations decide holds at their level."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from authz.ssin import has_valid_check_digits, is_synthetic
from fixtures.persona import Expectation, Persona
from fixtures.personas import demo_rows, load_personas
from services.consultation import Consultation, Outcome, SourceFault
from services.self_employed import DESCRIPTOR, codes
from services.self_employed.operations import consult_career, consult_contributions
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
PERSONAS = load_personas(NOW.date())
OPERATIONS = {"consultCareer": consult_career, "consultContributions": consult_contributions}
# What authorisation decides before the operation is called.
DECIDED_BEFORE = {
    "MSG00005", "MSG00006", "MSG00007", "MSG00009", "MSG00011", "MSG00012", "MSG00013", "MSG00014",
    "MSG00021", "MSG00027",
}  # fmt: skip


def get_persona(name: str) -> Persona:
    return next(persona for persona in PERSONAS if persona.name == name)


def test_there_are_at_least_sixty_persons_with_numbers_of_their_own() -> None:
    assert len(demo_rows().persons) >= 60
    assert len({persona.ssin for persona in PERSONAS}) == len(PERSONAS)
    assert len({persona.name for persona in PERSONAS}) == len(PERSONAS)


def test_every_number_is_well_made_and_nobodys_but_the_malformed_one() -> None:
    malformed = [persona.name for persona in PERSONAS if not has_valid_check_digits(persona.ssin)]
    assert malformed == ["malformed"]
    assert all(is_synthetic(persona.ssin) for persona in PERSONAS)


def test_every_persona_says_what_each_operation_answers() -> None:
    for persona in PERSONAS:
        assert {expectation.operation for expectation in persona.expectations} == set(OPERATIONS), persona.name
        assert persona.description


# A database that is out, an account of somebody else, an annex that bounds the quarters: no person brings these.
# A dry run is of any person who may be consulted: tests/integration/test_gateway_dry_run.py.
NOT_OF_A_PERSON = {
    "consultCareer": {"MSG00020", "GTW00004"},
    "consultContributions": {"MSG00023", "MSG00027", "GTW00004"},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_status_of_the_service_is_given_by_a_persona(operation: str) -> None:
    possible = {(row.value, row.code) for row in DESCRIPTOR.statuses.rows[operation].values()}
    told = {
        (expectation.value, expectation.code)
        for persona in PERSONAS
        for expectation in persona.expectations
        if expectation.operation == operation
    }
    assert told <= possible
    assert {code for _, code in possible - told} == NOT_OF_A_PERSON[operation]


def ask(persona: Persona, expectation: Expectation) -> Consultation:
    criteria: dict[str, Any] = {"ssin": persona.ssin}
    if expectation.period is not None:
        criteria["period"] = expectation.period
    values = {
        "informationCustomer": {"customerIdentification": expectation.customer},
        "legalContext": expectation.legal_context,
        "criteria": criteria,
    }
    return Consultation(expectation.operation, values, NOW, "")


def find_outcome(consultation: Consultation, repository: FakeSelfEmployedRepository) -> Outcome:
    try:
        return OPERATIONS[consultation.operation](consultation, repository)
    except SourceFault as fault:
        return Outcome(fault.case, {}, fault.information)


DECIDED_BY_OPERATION = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in PERSONAS
    for index, expectation in enumerate(persona.expectations)
    if expectation.code not in DECIDED_BEFORE
]


@pytest.fixture(scope="module")
def repository() -> FakeSelfEmployedRepository:
    world = demo_rows()
    return FakeSelfEmployedRepository(world.persons, world.pcsas, world.fund_outages)


@pytest.mark.parametrize(("persona", "expectation"), DECIDED_BY_OPERATION)
def test_persona_is_answered_as_expected(
    persona: Persona, expectation: Expectation, repository: FakeSelfEmployedRepository
) -> None:
    outcome = find_outcome(ask(persona, expectation), repository)
    status = DESCRIPTOR.statuses.get_status(expectation.operation, outcome.case)
    assert (status.value, status.code) == (expectation.value, expectation.code)
    assert {name for name, _ in outcome.information} <= set(status.information)
    assert all(len(value) <= 256 for _, value in outcome.information)


def test_every_code_of_the_personas_is_known_except_in_the_unexpected_one() -> None:
    for persona in PERSONAS:
        if persona.person is None or persona.name == "unexpected-source-code":
            continue
        for told in persona.person.contributions:
            codes.SOCIAL_INSURANCE_FUND.get_element(told.social_insurance_fund)
            codes.CONTRIBUTION_SITUATION.get_element(told.contribution_situation)


def test_persons_are_in_the_files_that_their_expectations_rest_on() -> None:
    main = get_persona("main-occupation").person
    assert main is not None
    assert {(one.organisation, one.context) for one in main.inscriptions} == {
        ("cbe:0999900150", "PCSA:FILE"),
        ("cbe:0999900249", "FPSECO:APPLICANT"),
        ("sector:21/0", "SIGEDIS:ACCOUNT_HOLDER"),
        ("cbe:0999900645", "PPSSI:INQUIRY"),
        ("cbe:0208044709", "RSVZ:INSURED"),
    }
    absent = get_persona("not-at-the-supplier").person
    assert absent is not None
    assert "cbe:0208044709" not in {one.organisation for one in absent.inscriptions}
    former = get_persona("formerly-in-the-file").person
    assert former is not None
    assert {one.end for one in former.inscriptions if one.context != "RSVZ:INSURED"} == {date(2014, 12, 31)}


def test_replaced_number_names_its_successor() -> None:
    replaced = get_persona("replaced").person
    assert replaced is not None
    assert replaced.replaced_by == get_persona("successor").ssin


def test_numbers_that_nobody_has_are_not_loaded() -> None:
    loaded = {person.ssin for person in demo_rows().persons}
    nobodys = {persona.name for persona in PERSONAS if persona.ssin not in loaded}
    assert nobodys == {"non-existent", "malformed"}


def test_relative_period_follows_the_day_of_the_question() -> None:
    def begin(today: date) -> object:
        personas = load_personas(today)
        main = next(persona for persona in personas if persona.name == "main-occupation")
        economy = next(one for one in main.expectations if one.client == "economy" and one.period)
        assert economy.period is not None
        return economy.period["beginDate"]

    assert begin(date(2026, 6, 15)) == date(2022, 6, 15)
    assert begin(date(2028, 2, 29)) == date(2024, 2, 28)


def test_document_of_a_persona_is_what_the_command_prints() -> None:
    document = get_persona("main-occupation").to_document()
    assert set(document) == {"name", "ssin", "description", "operations"}
    assert document["operations"][0] == {
        "service": "SelfEmployedService/v2",
        "operation": "consultCareer",
        "client": "pcsa",
        "customer": {"cbeNumber": "0999900150"},
        "legalContext": "PCSA:SOCIAL_INQUIRY",
        "value": "DATA_FOUND",
        "code": "MSG00000",
    }
    assert document["operations"][3]["period"] == {"beginDate": "2022-06-15"}
