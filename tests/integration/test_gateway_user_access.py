"""CheckUnauthenticatedUserAccess through the whole gateway: who may ask, what is told, and what is recorded."""

from datetime import date

import pytest
from gateway_world import MANDATE, MANDATE_PATH, OpenWorld, Reply, World, assert_valid, signed_names
from test_health_check import renamed

from fixtures.users import load_users
from gateway.users.access import StoredAccounts
from services.user_access import (
    AccessGiven,
    AccessPath,
    AccessRefused,
    Mandate,
    NoAccessReason,
)
from tests.unit.test_employer_mandate import CBE, NSSO, FakeUserAccess

CUSTOMERS = {"support": "0999900744", "probe": "0999900843", "pcsa": "0999900150", "integrator": "0999900447"}


PATHS = [
    ("brewery", "chief", "brewery", "MANAGER", None),
    ("brewery", "Claes", "brewery", "USER", None),
    ("secretariat", "chief", "brewery", "RECOGNISED_SOCIAL_SECRETARIAT", "2020-01-01"),
    ("accountant", "chief", "bakery", "SERVICE_PROVIDER", "2024-01-01"),
]
REASONS = [
    ("brewery", "Goossens", "brewery", "USER_BLOCKED"),
    ("brewery", "Mertens", "brewery", "USER_NOT_ACTIVATED"),
    ("brewery", "Peeters", "bakery", "NO_MANDATE"),
    ("brewery", "chief", CBE, "ENTITY_UNKNOWN"),
    ("secretariat", "chief", "bakery", "MANDATE_ENDED"),
]


def ask(
    world: World,
    client: str = "support",
    entity: str = f"<enterpriseNumber>{CBE}</enterpriseNumber>",
    user: str = "U0000000123",
    application: str = "dimona",
) -> Reply:
    payload = (
        f'<m:CheckUnauthenticatedUserAccessRequest xmlns:m="{MANDATE}"><informationCustomer><customerIdentification>'
        f"<cbeNumber>{CUSTOMERS[client]}</cbeNumber></customerIdentification></informationCustomer><criteria>"
        f"<technicalUserId>{user}</technicalUserId><entity>{entity}</entity><application>{application}</application>"
        "<referenceDate>2026-04-01</referenceDate></criteria></m:CheckUnauthenticatedUserAccessRequest>"
    )
    reply = world.post(world.sign(payload, client), MANDATE_PATH)
    assert_valid(reply.payload if reply.detail is None else reply.detail)
    return reply


@pytest.fixture
def users() -> FakeUserAccess:
    return FakeUserAccess(answer=AccessGiven(AccessPath.SERVICE_PROVIDER, Mandate("0999900249", date(2025, 1, 1))))


@pytest.fixture
def faked(open_own_world: OpenWorld, users: FakeUserAccess) -> World:
    return open_own_world(repository=users, service="EmployerMandateConsultationService/v2")


@pytest.mark.parametrize("client", ["pcsa", "integrator", "probe"])
def test_only_support_applications_may_ask(faked: World, users: FakeUserAccess, client: str) -> None:
    assert ask(faked, client).outcome == ("NO_RESULT", "MSG00013")
    assert users.asked == []


def test_access_is_told_with_its_path_and_recorded_with_its_deliberation(faked: World) -> None:
    reply = ask(faked)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.payload.findtext("userAccess/access") == "true"
    assert reply.payload.findtext("userAccess/path") == "SERVICE_PROVIDER"
    assert reply.payload.findtext("userAccess/mandate/validity/beginDate") == "2025-01-01"
    assert "Body" in signed_names(reply, faked.own_identity)
    (record,) = faked.records()
    assert record["deliberation"] == "Demonstration deliberation 24/010"
    assert (record["client"], record["operation"]) == ("support", "CheckUnauthenticatedUserAccess")
    assert record["criteria"] == [
        "criteria/technicalUserId",
        "criteria/entity/enterpriseNumber",
        "criteria/application",
        "criteria/referenceDate",
    ]


def test_no_access_is_an_answer_with_its_reason(faked: World, users: FakeUserAccess) -> None:
    users.answer = AccessRefused(NoAccessReason.MANDATE_ENDED)
    reply = ask(faked, entity=f"<nssoRegistrationNumber>{NSSO}</nssoRegistrationNumber>")
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.payload.findtext("userAccess/access") == "false"
    assert reply.payload.findtext("userAccess/reason/code") == "MANDATE_ENDED"
    assert len(reply.payload.findall("userAccess/reason/descriptions/description")) == 3


def test_a_number_that_is_none_is_told(faked: World) -> None:
    reply = ask(faked, entity="<enterpriseNumber>0999910346</enterpriseNumber>")
    assert reply.outcome == ("NO_RESULT", "MSG00008")
    assert reply.information[0] == ("field", "criteria/entity/enterpriseNumber")


# --- With User Management itself behind it ---------------------------------------------------------------------------


def ask_accounts(world: World, user: str, entity: str, application: str = "dmfa") -> Reply:
    enterprise = load_users().enterprises.get(entity, entity)
    return ask(world, entity=f"<enterpriseNumber>{enterprise}</enterpriseNumber>", user=user, application=application)


def find_user(world: World, enterprise: str, name: str) -> str:
    """Return the technical identification of a user of the synthetic world, `chief` for the manager."""
    account = StoredAccounts(world.gateway.storage.database).find_account(load_users().enterprises[enterprise])
    assert account is not None
    if name == "chief":
        return str(account.chief)
    (user_id,) = (user_id for user_id, user in account.users.items() if user.person.name == name)
    return user_id


@pytest.mark.parametrize(
    ("enterprise", "name", "entity", "path", "begin"),
    PATHS,
)
def test_user_management_tells_the_path(
    world: World, enterprise: str, name: str, entity: str, path: str, begin: str | None
) -> None:
    reply = ask_accounts(world, find_user(world, enterprise, name), entity)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert (reply.payload.findtext("userAccess/access"), reply.payload.findtext("userAccess/path")) == ("true", path)
    assert reply.payload.findtext("userAccess/mandate/validity/beginDate") == begin


@pytest.mark.parametrize(
    ("enterprise", "name", "entity", "reason"),
    REASONS,
)
def test_user_management_tells_the_first_reason(
    world: World, enterprise: str, name: str, entity: str, reason: str
) -> None:
    reply = ask_accounts(world, find_user(world, enterprise, name), entity)
    assert reply.payload.findtext("userAccess/reason/code") == reason


def test_without_user_management_the_source_is_unavailable(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with renamed(world, "user_identifiers"):
        assert ask_accounts(world, "nobody", "brewery").outcome == ("NO_RESULT", "MSG00020")


def test_a_user_whom_nobody_knows_has_no_access(world: World) -> None:
    assert ask_accounts(world, "nobody", "brewery").payload.findtext("userAccess/reason/code") == "USER_UNKNOWN"
