"""EmployerRepertoryService through the whole gateway: criteria, statuses, natural persons, withholding, the audit."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from dry_running import DryRunning
from gateway_world import (
    EMPLOYER_REPERTORY,
    EMPLOYER_REPERTORY_PATH,
    ROOT,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    signed_names,
)
from lxml import etree
from sqlalchemy import update

from authz.annex_document import AnnexInvalid
from authz.enterprise import with_check_digits
from authz.user_management.access import NoAccessReason
from fixtures.employers import SyntheticEmployer, get_employer, load_employers
from gateway.audit.keys import MonthKeys
from gateway.audit.sealing import pseudonym
from gateway.contracts import OperationContract, load_contracts
from gateway.storage.employer_tables import employers as employers_table
from gateway.users.access import StoredAccounts
from gateway.xml.binding import compile_writer
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.employer import Register
from services.employer_repertory import DESCRIPTOR
from services.employer_repertory.natural_persons import REMEDIES, RESERVED
from tests.unit.fakes_user_access import FakeUserAccess

OPERATION = "consultEmployer"
MEASURES, CATEGORY, STATISTICS = RESERVED.legal_context, "FRONTOFFICE:EMPLOYER_CATEGORY", "STATISTICS:LABOUR_MARKET"
CUSTOMERS = {"front-office": "0999912028", "labour-statistics": "0999912127"}
USER = "0999930240-U2"
CASES = yaml.safe_load((ROOT / "fixtures/decisions/repertory/natural-persons.yaml").read_text("utf-8"))["cases"]
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
    return [
        (each.findtext("register"), each.findtext("registrationNumber")) for each in reply.payload.iter("registration")
    ]


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
    enterprise = open_own_world("enterprise")
    enterprise.change_annex("labour-statistics", ("kind: institution", "kind: enterprise"))
    unknown = with_check_digits("09999999")
    given = {
        "credentials_mismatch": ask(world, by_enterprise(BREWERY), customer="0999900150"),
        "operation_not_granted": ask(world, by_enterprise(BREWERY), legal_context="FRONTOFFICE:OTHER"),
        "parameters_not_granted": ask(world, by_registration(BREWERY), "labour-statistics", STATISTICS),
        "employer_not_accessible": ask(enterprise, by_enterprise(BREWERY), "labour-statistics", STATISTICS),
        "dry_run": ask(DryRunning(world), by_enterprise(BREWERY)),
        "criterion_unusable": ask(world, {"enterpriseNumber": "0999930100"}),
        "source_unavailable": ask(broken, by_enterprise(BREWERY)),
        "source_answer_invalid": ask(wrong, by_enterprise(BREWERY)),
        "no_data": ask(world, {"enterpriseNumber": unknown}),
        "natural_person_reserved": ask(world, by_enterprise(BAKERY), "labour-statistics", STATISTICS),
        "user_not_named": ask(world, by_enterprise(BAKERY)),
        "user_without_access": ask(world, by_enterprise(BAKERY) | {"onBehalfOf": "0999930240-U9"}),
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
def test_no_natural_person_is_told_to_a_user_whom_user_management_does_not_know(
    world: World, employer: SyntheticEmployer
) -> None:
    reply = ask(world, by_registration(employer) | {"onBehalfOf": "0999930240-U999"})
    details = REMEDIES[NoAccessReason.USER_UNKNOWN]
    assert_answered(reply, "user_without_access", ("field", "criteria/onBehalfOf"), ("details", details))


# Whose chief access manager asks, about which employer, and why not: the users of the demo world.
ASKERS: tuple[tuple[str, str, NoAccessReason | None], ...] = (
    ("bakery", "bakery", None),
    ("accountant", "architect", None),
    ("brewery", "bakery", NoAccessReason.NO_MANDATE),
    ("architect", "bakery", NoAccessReason.APPLICATION_NOT_GRANTED),
    ("secretariat", "bakery", NoAccessReason.MANDATE_ENDED),
    ("accountant", "bakery", NoAccessReason.NO_MANDATE),
)


@pytest.mark.parametrize(("asker", "key", "reason"), ASKERS)
def test_user_management_says_who_reaches_a_natural_person(
    world: World, asker: str, key: str, reason: NoAccessReason | None
) -> None:
    """The employer and its mandatary do; once affiliated, or a provider for other things, is not enough."""
    account = StoredAccounts(world.gateway.storage.database).find_account(str(get_employer(asker).enterprise_number))
    assert account is not None
    reply = ask(world, by_enterprise(get_employer(key)) | {"onBehalfOf": account.chief})
    if reason is None:
        assert_answered(reply, "data_found")
    else:
        details = ("details", REMEDIES[reason])
        assert_answered(reply, "user_without_access", ("field", "criteria/onBehalfOf"), details)


def test_under_the_look_up_of_categories_no_natural_person_is_told(open_own_world: OpenWorld) -> None:
    world = open_own_world(user_access=FakeUserAccess({USER: [BAKERY.registration_number]}))
    assert_answered(ask(world, by_enterprise(BAKERY), legal_context=CATEGORY), "natural_person_reserved")


@pytest.mark.parametrize(
    ("client", "legal_context"),
    [
        ("labour-statistics", STATISTICS),
        ("labour-statistics", MEASURES),
        ("front-office", CATEGORY),
        ("front-office", STATISTICS),
    ],
)
def test_no_natural_person_is_told_elsewhere_though_its_user_may_reach_everything(
    open_own_world: OpenWorld, client: str, legal_context: str
) -> None:
    access = FakeUserAccess({USER: [employer.registration_number for employer in NATURAL]})
    world = open_own_world(user_access=access)
    for employer in NATURAL:
        if employer.enterprise_number is not None:
            reply = ask(world, by_enterprise(employer), client, legal_context)
            assert reply.outcome[1] in ("MSG00013", "MSG00015")
            assert reply.payload.find("registrations") is None
    assert access.asked == []


def test_an_annex_that_would_tell_natural_persons_to_another_client_cannot_be_stored(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with pytest.raises(AnnexInvalid, match="reserved to the client front-office"):
        world.change_annex("labour-statistics", (f"[{STATISTICS}]", f"[{STATISTICS}, {MEASURES}]"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_a_natural_person_is_told_as_its_rule_says(open_own_world: OpenWorld, case: Mapping[str, Any]) -> None:
    reachable = {
        user: [get_employer(key).registration_number for key in keys] for user, keys in case["world"]["users"].items()
    }
    world = open_own_world(user_access=FakeUserAccess(reachable))
    request, expected = case["request"], case["expected"]
    employer = get_employer(request["employer"])
    criteria = by_enterprise(employer) if request.get("by") == "enterprise" else by_registration(employer)
    if "onBehalfOf" in request:
        criteria["onBehalfOf"] = request["onBehalfOf"]
    reply = ask(world, criteria, request["client"], request["legalContext"])
    assert_answered(reply, expected["case"])
    assert reply.outcome == tuple(expected["answer"].split())
    (record,) = world.records()
    assert {name: record[name] for name in expected["audit"]} == expected["audit"]


# --- Withholding and the audit ---------------------------------------------------------------------------------------


def test_the_look_up_of_categories_tells_them_alone_and_rests_on_its_own_deliberation(
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world()
    reply = ask(world, by_registration(BREWERY), legal_context=CATEGORY)
    assert_answered(reply, "data_found")
    names = {each.tag for registration in reply.payload.iter("registration") for each in registration.iter("*")}
    assert names == {
        "registration", "employerCategories", "employerCategory", "category", "code", "description",
    }  # fmt: skip
    assert [each.text for each in reply.payload.iterfind(".//category/code")] == ["048", "010"]
    ask(world, by_registration(BREWERY))
    first, second = world.records()
    assert (first["deliberation"], first["annex_clause"]) == ("Deliberation 06/80", "operations[1]")
    assert (second["deliberation"], second["annex_clause"]) == ("Deliberation 07/039", "operations[0]")
    assert [each.text for each in reply.payload.iter("filteredElement")] == first["withheld"]


def test_what_an_annex_withholds_is_left_out_and_named(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    reply = ask(world, by_enterprise(BREWERY), "labour-statistics", STATISTICS)
    assert_answered(reply, "data_found")
    assert len(list(reply.payload.iter("filteredElement"))) == 4
    for each in reply.payload.iter("filteredElement"):
        assert reply.payload.find(str(each.text)) is None
    assert reply.payload.findtext("registrations/registration/registeredOffice/municipality") == "Gent"


def test_every_record_of_a_decision_to_tell_or_not_names_the_deliberation_and_the_person(
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world(user_access=FakeUserAccess({USER: [BAKERY.registration_number]}))
    ask(world, by_enterprise(BAKERY))
    ask(world, by_enterprise(BAKERY) | {"onBehalfOf": "0999930240-U9"})
    ask(world, by_enterprise(BAKERY) | {"onBehalfOf": USER})
    ask(world, by_enterprise(BREWERY))
    records = world.records()
    assert [record["code"] for record in records] == ["MSG00015", "MSG00016", "MSG00000", "MSG00000"]
    assert {record["deliberation"] for record in records} == {RESERVED.deliberation}
    assert [record["outcome"] for record in records] == ["refusal", "refusal", "reply", "reply"]
    key = MonthKeys(world.settings.audit_keys).find(records[0]["month"])
    assert key is not None
    baker = pseudonym(key, str(BAKERY.ssin))
    assert [record["subject"] for record in records] == [baker, baker, baker, None]
    reasons = [world.unseal(record)["reason"] for record in records]
    assert reasons[1:] == [
        "the user belongs neither to this employer nor to its secretariat or provider",
        "the user reaches the employer: user",
        "",
    ]
    assert "name the user" in reasons[0]


def test_an_enterprise_is_told_of_itself_and_of_no_other(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.change_annex(
        "labour-statistics",
        ("kind: institution", "kind: enterprise"),
        (CUSTOMERS["labour-statistics"], str(BREWERY.enterprise_number)),
    )
    own = ask(world, by_enterprise(BREWERY), "labour-statistics", STATISTICS, customer=BREWERY.enterprise_number)
    assert_answered(own, "data_found")
    other = ask(world, by_enterprise(HOSPITAL), "labour-statistics", STATISTICS, customer=BREWERY.enterprise_number)
    assert_answered(other, "employer_not_accessible")
