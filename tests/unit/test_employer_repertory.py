"""EmployerRepertoryService by itself: criteria, what is told, and of whom nobody but one client is told."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from authz.enterprise import with_check_digits
from fixtures.employers import get_employer, load_employers
from services.consultation import Consultation, Outcome, SourceAnswerInvalid, SourceUnavailable
from services.employer import EmployerReference, Register
from services.employer_repertory import DESCRIPTOR
from services.employer_repertory.codes import CodeRow, read_rows
from services.employer_repertory.natural_persons import APPLICATION, REMEDIES, RESERVED
from services.employer_repertory.operations import consult_employer
from services.employer_repertory.reply import make_registrations
from services.user_access import AccessQuestion
from tests.unit.fakes_employer_repertory import FakeEmployerRegister, make_registration
from tests.unit.fakes_user_access import FakeUserAccess

# Just after midnight in Brussels, the day before by UTC.
NOW = datetime(2026, 6, 14, 22, 30, tzinfo=UTC)
BAKER = "0999930240-U2"
NATURAL = [employer for employer in load_employers() if employer.natural_person]
LEGAL = [employer for employer in load_employers() if not employer.natural_person]


def ask(
    criteria: dict[str, Any],
    client: str = RESERVED.client,
    legal_context: str = RESERVED.legal_context,
    register: FakeEmployerRegister | None = None,
    access: FakeUserAccess | None = None,
) -> Outcome:
    consultation = Consultation(
        "consultEmployer",
        {
            "informationCustomer": {"customerIdentification": {"cbeNumber": "0999912028"}},
            "legalContext": legal_context,
            "criteria": criteria,
        },
        NOW,
        "",
        client,
    )
    return consult_employer(consultation, register or FakeEmployerRegister(), access or FakeUserAccess())


def criteria_of(key: str, **more: str) -> dict[str, Any]:
    employer = get_employer(key)
    name = "nssoRegistrationNumber" if employer.register is Register.NSSO else "nssoPpoRegistrationNumber"
    return {name: employer.registration_number, **more}


def told(outcome: Outcome) -> list[str]:
    found = outcome.data.get("registrations", {}).get("registration", [])
    return [each["registrationNumber"] for each in found]


@pytest.mark.parametrize("employer", LEGAL, ids=lambda employer: employer.key)
def test_a_legal_person_is_told_to_any_client_that_may_ask(employer: Any) -> None:
    access = FakeUserAccess()
    outcome = ask(criteria_of(employer.key), "labour-statistics", "STATISTICS:LABOUR_MARKET", access=access)
    assert outcome.case == "data_found"
    assert told(outcome) == [employer.registration_number]
    assert (access.asked, outcome.concerned) == ([], ())


def test_the_whole_registration_is_told_and_nothing_else() -> None:
    outcome = ask(criteria_of("shop"))
    (registration,) = outcome.data["registrations"]["registration"]
    described = {"#text": "Besloten vennootschap", "@language": "NL"}
    assert registration["legalForm"]["description"][0] == described
    assert registration["deletionDate"] == date(2024, 6, 30)
    assert set(registration) == {
        "registrationNumber", "register", "enterpriseNumber", "deletionDate", "legalForm", "registeredOffice",
        "employerType", "employerCategories",
    }  # fmt: skip
    (category,) = registration["employerCategories"]["employerCategory"]
    assert set(category) == {"category", "naceCodes", "placeOfOperation", "importanceCodes"}


def test_what_the_register_does_not_have_is_left_out() -> None:
    (start_up,) = ask(criteria_of("start-up")).data["registrations"]["registration"]
    assert "employerCategories" not in start_up
    assert "deletionDate" not in start_up
    (farmer,) = make_registrations([make_registration(get_employer("farmer"))])["registration"]
    assert not {"enterpriseNumber", "legalForm"} & set(farmer)
    assert "placeOfOperation" not in farmer["employerCategories"]["employerCategory"][0]


def test_an_enterprise_is_told_with_its_registrations_in_both_registers() -> None:
    outcome = ask({"enterpriseNumber": get_employer("hospital").enterprise_number})
    assert told(outcome) == [get_employer(key).registration_number for key in ("hospital", "hospital-local")]


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({"nssoRegistrationNumber": "0192020100"}, "criteria/nssoRegistrationNumber"),
        ({"nssoPpoRegistrationNumber": "5099000100"}, "criteria/nssoPpoRegistrationNumber"),
        ({"enterpriseNumber": "0999930100"}, "criteria/enterpriseNumber"),
        ({"enterpriseNumber": "0000000000"}, "criteria/enterpriseNumber"),
    ],
)
def test_wrong_check_digits_are_an_unusable_criterion(criteria: dict[str, Any], field: str) -> None:
    outcome = ask(criteria)
    assert outcome.case == "criterion_unusable"
    assert outcome.information == (("field", field), ("details", "has wrong check digits"))


def test_nobody_is_found_under_a_number_that_nobody_has() -> None:
    assert ask({"enterpriseNumber": with_check_digits("09999999")}) == Outcome("no_data")


def test_a_number_of_the_other_register_is_nobodys() -> None:
    assert ask({"nssoPpoRegistrationNumber": get_employer("brewery").registration_number}).case == "no_data"


# --- Natural persons -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("employer", NATURAL, ids=lambda employer: employer.key)
@pytest.mark.parametrize(
    ("client", "legal_context"),
    [
        ("labour-statistics", RESERVED.legal_context),
        (RESERVED.client, "FRONTOFFICE:EMPLOYER_CATEGORY"),
        ("labour-statistics", "STATISTICS:LABOUR_MARKET"),
        ("", RESERVED.legal_context),
    ],
)
def test_a_natural_person_is_told_to_no_other_client_and_under_no_other_context(
    employer: Any, client: str, legal_context: str
) -> None:
    """Not even for a user who may reach the employer: whatever the annex of that client says."""
    access = FakeUserAccess({BAKER: [employer.registration_number]})
    outcome = ask(criteria_of(employer.key, onBehalfOf=BAKER), client, legal_context, access=access)
    assert (outcome.case, outcome.data) == ("natural_person_reserved", {})
    assert ("field", "legalContext") in outcome.information
    assert access.asked == []
    assert outcome.concerned == (employer.ssin,)


def test_a_natural_person_is_not_told_when_no_user_is_named() -> None:
    outcome = ask(criteria_of("bakery"))
    assert (outcome.case, outcome.data) == ("user_not_named", {})
    assert ("field", "criteria/onBehalfOf") in outcome.information


def test_a_natural_person_is_not_told_to_a_user_without_access() -> None:
    access = FakeUserAccess({BAKER: [get_employer("architect").registration_number]})
    outcome = ask(criteria_of("bakery", onBehalfOf=BAKER), access=access)
    assert (outcome.case, outcome.data) == ("user_without_access", {})
    assert outcome.information[1] == (
        "details",
        "the user belongs neither to this employer nor to its secretariat or provider",
    )
    assert outcome.reason == REMEDIES["NO_MANDATE"]


def test_a_natural_person_is_told_to_a_user_with_access_and_the_audit_is_told_why() -> None:
    bakery = get_employer("bakery")
    access = FakeUserAccess({BAKER: [bakery.registration_number]})
    outcome = ask({"enterpriseNumber": bakery.enterprise_number, "onBehalfOf": BAKER}, access=access)
    assert (outcome.case, told(outcome)) == ("data_found", [bakery.registration_number])
    assert outcome.concerned == (bakery.ssin,)
    assert outcome.reason == "the user reaches the employer: user"


def test_access_is_asked_for_that_employer_in_that_application_on_the_day_in_belgium() -> None:
    bakery, access = get_employer("bakery"), FakeUserAccess()
    ask(criteria_of("bakery", onBehalfOf=BAKER), access=access)
    reference = EmployerReference(Register.NSSO, bakery.registration_number, bakery.enterprise_number)
    assert access.asked == [AccessQuestion(BAKER, reference, APPLICATION, date(2026, 6, 15))]


def test_every_registration_that_a_natural_person_stands_beside_must_be_reached() -> None:
    """One registration of a natural person makes all of the enterprise's registrations those of a natural person."""
    register = FakeEmployerRegister()
    hospital = get_employer("hospital")
    register.registrations = tuple(
        replace(each, natural_person=each.registration_number == hospital.registration_number)
        for each in register.registrations
    )
    criteria = {"enterpriseNumber": hospital.enterprise_number, "onBehalfOf": BAKER}
    one = FakeUserAccess({BAKER: [hospital.registration_number]})
    assert ask(criteria, register=register, access=one).case == "user_without_access"
    both = FakeUserAccess({BAKER: [hospital.registration_number, get_employer("hospital-local").registration_number]})
    assert ask(criteria, register=register, access=both).case == "data_found"
    assert ask(criteria, "labour-statistics", register=register, access=both).case == "natural_person_reserved"


def test_user_management_that_cannot_be_asked_is_no_access() -> None:
    access = FakeUserAccess({BAKER: [get_employer("bakery").registration_number]})
    access.fault = SourceUnavailable("out")
    with pytest.raises(SourceUnavailable):
        ask(criteria_of("bakery", onBehalfOf=BAKER), access=access)


# --- Sources that answer badly ---------------------------------------------------------------------------------------


class OtherRegister(FakeEmployerRegister):
    """A register that answers with another employer than was asked."""

    def find_registrations(self, employer: EmployerReference) -> Any:
        return (make_registration(get_employer("bakery")),)


@pytest.mark.parametrize("key", ["brewery", "municipality"])
def test_registrations_of_another_employer_never_leave(key: str) -> None:
    enterprise = {"enterpriseNumber": get_employer(key).enterprise_number}
    for criteria in (criteria_of(key), enterprise):
        with pytest.raises(SourceAnswerInvalid) as raised:
            ask(criteria, register=OtherRegister())
        assert raised.value.information == (("details", "a registration of another employer"),)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("legalForm", {"legalForm": "999"}),
        ("employerType", {"employerType": "9"}),
        ("category", {"categories": [{"category": "999", "naceCodes": [], "importanceCodes": []}]}),
        ("nace", {"categories": [{"category": "010", "naceCodes": ["99999"], "importanceCodes": []}]}),
        ("importance", {"categories": [{"category": "010", "naceCodes": [], "importanceCodes": ["0"]}]}),
    ],
)
def test_a_code_that_no_table_has_is_an_invalid_answer(table: str, changes: dict[str, Any]) -> None:
    brewery = get_employer("brewery")
    changed = replace(brewery, document=brewery.document | changes)
    with pytest.raises(SourceAnswerInvalid) as raised:
        ask(criteria_of("brewery"), register=FakeEmployerRegister([changed]))
    ((name, text),) = raised.value.information
    assert (name, text.startswith(f"{table} has no code ")) == ("details", True)


# --- Data ------------------------------------------------------------------------------------------------------------


def test_every_code_of_the_synthetic_register_is_in_its_table() -> None:
    for employer in load_employers():
        assert make_registrations([make_registration(employer)])


def test_code_tables_say_where_each_code_comes_from_once() -> None:
    rows = read_rows()
    assert set(rows) == {"legalForm", "employerType", "category", "nace", "importance"}
    for table in rows.values():
        codes = [row.code for row in table]
        assert len(codes) == len(set(codes))
        assert codes == sorted(codes)
    assert {row.origin for table in rows.values() for row in table} == {"published", "invented"}


def test_a_row_without_its_origin_is_no_row() -> None:
    with pytest.raises(ValidationError):
        CodeRow.model_validate({"code": "1", "NL": "x", "FR": "y"})


def test_the_reserved_context_is_the_services_own() -> None:
    (operation,) = DESCRIPTOR.operations
    assert operation.reserved == (RESERVED,)
    assert RESERVED.deliberation.endswith("07/039")
