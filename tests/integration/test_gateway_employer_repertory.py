"""EmployerRepertoryService through the whole gateway: criteria, statuses, natural persons, withholding, the audit."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import yaml
from databases import Databases
from gateway_world import (
    EMPLOYER_REPERTORY,
    EMPLOYER_REPERTORY_PATH,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    signed_names,
)
from lxml import etree
from sqlalchemy import update

from authz.contract_shape import find_droppable
from authz.enterprise import with_check_digits
from fixtures.employers import SyntheticEmployer, get_employer, load_employers
from gateway.contracts import OperationContract, load_contracts
from gateway.demo_world import demo_annexes
from gateway.bootstrap import open_annex_store
from gateway.storage.employer_tables import employers as employers_table
from gateway.xml.binding import compile_writer
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.employer import Register
from services.employer_repertory import DESCRIPTOR
from services.employer_repertory.natural_persons import RESERVED
from tests.unit.fakes_employer_repertory import FakeEmployerRegister, FakeUserAccess

OPERATION = "consultEmployer"
MEASURES, CATEGORY, STATISTICS = RESERVED.legal_context, "FRONTOFFICE:EMPLOYER_CATEGORY", "STATISTICS:LABOUR_MARKET"
CUSTOMERS = {"front-office": "0999912028", "labour-statistics": "0999912127"}
USER = "U000000042"
NATURAL = [employer for employer in load_employers() if employer.natural_person]


@cache
def contract() -> OperationContract:
    (operation,) = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path].operations.values()
    return operation


def ask(
    world: World,
    criteria: Mapping[str, Any],
    client: str = "front-office",
    legal_context: str = MEASURES,
    customer: str | None = None,
) -> Reply:
    values = {
        "informationCustomer": {
            "ticket": "mine",
            "customerIdentification": {"cbeNumber": customer or CUSTOMERS[client]},
        },
        "legalContext": legal_context,
        "criteria": criteria,
    }
    payload = compile_writer(contract().request, EMPLOYER_REPERTORY, "v1")(values)
    return world.post(world.sign(payload, client), EMPLOYER_REPERTORY_PATH)


def by_registration(employer: SyntheticEmployer) -> dict[str, Any]:
    name = "nssoRegistrationNumber" if employer.register is Register.NSSO else "nssoPpoRegistrationNumber"
    return {name: employer.registration_number}


def by_enterprise(employer: SyntheticEmployer) -> dict[str, Any]:
    return {"enterpriseNumber": employer.enterprise_number}


def told(reply: Reply) -> list[tuple[str | None, str | None]]:
    return [(each.findtext("register"), each.findtext("registrationNumber")) for each in reply.payload.iter("registration")]


def assert_answered(reply: Reply, case: str, *information: tuple[str, str]) -> None:
    status = DESCRIPTOR.statuses.get_status(OPERATION, case)
    assert reply.outcome == (status.value, status.code)
    assert {name for name, _ in reply.information} <= set(status.information)
    if information:
        assert reply.information == list(information)
    assert_valid(reply.payload)
    assert (reply.payload.find("registrations") is not None) == (case == "data_found")


BREWERY, BAKERY, MUNICIPALITY, HOSPITAL = (
    get_employer(key) for key in ("brewery", "bakery", "municipality", "hospital")
)


# --- Criteria and what is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["brewery", "municipality", "shop", "start-up", "university", "generated-01"])
def test_a_legal_person_is_found_by_each_of_its_numbers(world: World, key: str) -> None:
    employer = get_employer(key)
    for criteria in (by_registration(employer), by_enterprise(employer)):
        reply = ask(world, criteria)
        assert signed_names(reply, world.own_identity) >= {"Body", "Timestamp"}
        assert_answered(reply, "data_found")
        assert told(reply) == [(employer.register.value, employer.registration_number)]


def test_everything_that_the_deliberation_lists_is_told(world: World) -> None:
    (registration,) = ask(world, by_enterprise(BREWERY)).payload.iter("registration")
    assert [each.tag for each in registration] == [
        "registrationNumber", "register", "enterpriseNumber", "legalForm", "registeredOffice", "employerType",
        "employerCategories",
    ]  # fmt: skip
    first, second = registration.iter("employerCategory")
    assert [each.tag for each in first] == ["category", "naceCodes", "placeOfOperation", "importanceCodes"]
    assert first.findtext("category/code") == "048"
    assert [each.text for each in second.iterfind("naceCodes/naceCode/code")] == ["46349", "56302"]
    assert {each.get("language"): each.text for each in first.iterfind("category/description")} == {
        "NL": "Voedingsnijverheid",
        "FR": "Industrie alimentaire",
    }
    assert BREWERY.name not in etree.tostring(registration, encoding="unicode")
    (struck_off,) = ask(world, by_registration(get_employer("shop"))).payload.iter("registration")
    assert struck_off.findtext("deletionDate") == "2024-06-30"


def test_an_enterprise_in_both_registers_is_told_with_both(world: World) -> None:
    reply = ask(world, by_enterprise(HOSPITAL))
    local = get_employer("hospital-local")
    assert told(reply) == [("NSSO", HOSPITAL.registration_number), ("NSSO_PPO", local.registration_number)]
    assert told(ask(world, by_registration(local))) == [("NSSO_PPO", local.registration_number)]


# --- Statuses --------------------------------------------------------------------------------------------------------


def test_every_row_of_the_table_is_given(open_own_world: OpenWorld) -> None:
    access = FakeUserAccess({USER: [BAKERY.registration_number]})
    world = open_own_world(user_access=access)
    broken = open_own_world("broken", repository=Failing(SourceUnavailable("out")), service=DESCRIPTOR.name)
    wrong = open_own_world(
        "wrong", repository=Failing(SourceAnswerInvalid("bad", (("details", "nonsense"),))), service=DESCRIPTOR.name
    )
    unknown = with_check_digits("09999999")
    given = {
        "credentials_mismatch": ask(world, by_enterprise(BREWERY), customer="0999900150"),
        "operation_not_granted": ask(world, by_enterprise(BREWERY), legal_context="FRONTOFFICE:OTHER"),
        "parameters_not_granted": ask(world, by_registration(BREWERY), "labour-statistics", STATISTICS),
        "criterion_unusable": ask(world, {"enterpriseNumber": "0999930100"}),
        "source_unavailable": ask(broken, by_enterprise(BREWERY)),
        "source_answer_invalid": ask(wrong, by_enterprise(BREWERY)),
        "no_data": ask(world, {"enterpriseNumber": unknown}),
        "natural_person_reserved": ask(world, by_enterprise(BAKERY), "labour-statistics", STATISTICS),
        "user_not_named": ask(world, by_enterprise(BAKERY)),
        "user_without_access": ask(world, by_enterprise(BAKERY) | {"onBehalfOf": "U000000043"}),
        "data_found": ask(world, by_enterprise(BAKERY) | {"onBehalfOf": USER}),
    }
    for case, reply in given.items():
        assert_answered(reply, case)
    assert list(given) == list(DESCRIPTOR.statuses.rows[OPERATION])


class Failing:
    """A register that raises whatever is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def find_registrations(self, employer: Any) -> Any:
        raise self._error


def test_a_register_that_breaks_off_is_a_signed_fault(open_own_world: OpenWorld) -> None:
    world = open_own_world(repository=Failing(SourceCommunicationFailed("reset")), service=DESCRIPTOR.name)
    reply = ask(world, by_enterprise(BREWERY))
    assert reply.outcome == ("fault", "MSG00002")
    assert "Body" in signed_names(reply, world.own_identity)
    assert reply.detail is not None
    assert_valid(reply.detail)


def test_a_broken_request_is_a_fault_with_the_operations_own_detail(world: World) -> None:
    both = by_registration(BREWERY) | by_enterprise(BREWERY)
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in both.items())
    payload = (
        f'<v1:consultEmployerRequest xmlns:v1="{EMPLOYER_REPERTORY}"><informationCustomer><customerIdentification>'
        "<cbeNumber>0999912028</cbeNumber></customerIdentification></informationCustomer>"
        f"<legalContext>{MEASURES}</legalContext><criteria>{elements}</criteria></v1:consultEmployerRequest>"
    )
    reply = world.post(world.sign(payload, "front-office"), EMPLOYER_REPERTORY_PATH)
    assert reply.outcome == ("fault", "MSG00004")
    assert reply.detail is not None
    assert_valid(reply.detail)


def test_a_code_that_no_table_has_is_told_as_a_bad_answer(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    document = BREWERY.document | {"legalForm": "999"}
    with world.gateway.storage.database.write() as connection:
        connection.execute(
            update(employers_table)
            .where(employers_table.c.registration_number == BREWERY.registration_number)
            .values(document=document)
        )
    assert_answered(
        ask(world, by_enterprise(BREWERY)), "source_answer_invalid", ("details", "legalForm has no code 999")
    )


# --- Natural persons -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("employer", NATURAL, ids=lambda employer: employer.key)
def test_without_user_management_no_natural_person_is_told(world: World, employer: SyntheticEmployer) -> None:
    reply = ask(world, by_registration(employer) | {"onBehalfOf": USER})
    assert_answered(
        reply,
        "user_without_access",
        ("field", "criteria/onBehalfOf"),
        ("details", "this gateway has no User Management to check the user with"),
    )


def test_under_the_look_up_of_categories_no_natural_person_is_told(open_own_world: OpenWorld) -> None:
    world = open_own_world(user_access=FakeUserAccess({USER: [BAKERY.registration_number]}))
    assert_answered(ask(world, by_enterprise(BAKERY), legal_context=CATEGORY), "natural_person_reserved")


def test_no_client_of_the_demo_world_but_one_is_told_a_natural_person(open_own_world: OpenWorld) -> None:
    """Whatever annexes there are, with a User Management that lets everybody reach everything."""
    access = FakeUserAccess({USER: [employer.registration_number for employer in NATURAL]})
    world = open_own_world(user_access=access)
    store = open_annex_store(world.gateway.storage)
    asked = 0
    for text in demo_annexes():
        annex = store.read_annex(text)
        contexts = [key[2] for key in annex.grants if key[:2] == (DESCRIPTOR.name, OPERATION)]
        for context in (*contexts, MEASURES):
            if annex.client not in CUSTOMERS:
                continue
            criteria = by_enterprise(BAKERY) | ({"onBehalfOf": USER} if context == MEASURES else {})
            reply = ask(world, criteria, annex.client, str(context))
            is_front_office = (annex.client, context) == (RESERVED.client, MEASURES)
            assert (reply.payload.find("registrations") is not None) == is_front_office
            asked += 1
    assert asked >= 5


def test_an_annex_that_would_tell_natural_persons_to_another_client_cannot_be_stored(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    (text,) = (each for each in demo_annexes() if "client: labour-statistics\n" in each)
    changed = text.replace(f"[{STATISTICS}]", f"[{STATISTICS}, {MEASURES}]")
    assert changed != text
    with pytest.raises(Exception, match="reserved to the client front-office"):
        open_annex_store(world.gateway.storage).add(
            changed, actor="test", now=world.clock(), active_from=world.clock() + timedelta(seconds=10)
        )
