"""CheckUnauthenticatedUserAccess through the whole gateway: who may ask, what is told, and what is recorded."""

from datetime import date

import pytest
from gateway_world import MANDATE, MANDATE_PATH, OpenWorld, Reply, World, assert_valid, signed_names

from services.employer_mandate.access import (
    AccessGiven,
    AccessPath,
    AccessRefused,
    Mandate,
    NoAccessReason,
)
from tests.unit.test_employer_mandate import CBE, NSSO, FakeUserAccess

CUSTOMERS = {"support": "0999900744", "probe": "0999900843", "pcsa": "0999900150", "integrator": "0999900447"}


def ask(world: World, client: str = "support", entity: str = f"<enterpriseNumber>{CBE}</enterpriseNumber>") -> Reply:
    payload = (
        f'<m:CheckUnauthenticatedUserAccessRequest xmlns:m="{MANDATE}"><informationCustomer><customerIdentification>'
        f"<cbeNumber>{CUSTOMERS[client]}</cbeNumber></customerIdentification></informationCustomer><criteria>"
        f"<technicalUserId>U0000000123</technicalUserId><entity>{entity}</entity><application>DIMONA</application>"
        "<referenceDate>2026-04-01</referenceDate></criteria></m:CheckUnauthenticatedUserAccessRequest>"
    )
    reply = world.post(world.sign(payload, client), MANDATE_PATH)
    assert_valid(reply.payload)
    return reply


@pytest.fixture
def users() -> FakeUserAccess:
    return FakeUserAccess(AccessGiven(AccessPath.SERVICE_PROVIDER, Mandate("0999900249", date(2025, 1, 1))))


@pytest.fixture
def world(open_own_world: OpenWorld, users: FakeUserAccess) -> World:
    return open_own_world(repository=users, service="EmployerMandateConsultationService/v2")


@pytest.mark.parametrize("client", ["pcsa", "integrator", "probe"])
def test_only_support_applications_may_ask(world: World, users: FakeUserAccess, client: str) -> None:
    assert ask(world, client).outcome == ("NO_RESULT", "MSG00013")
    assert users.asked == []


def test_access_is_told_with_its_path_and_recorded_with_its_deliberation(world: World) -> None:
    reply = ask(world)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.payload.findtext("userAccess/access") == "true"
    assert reply.payload.findtext("userAccess/path") == "SERVICE_PROVIDER"
    assert reply.payload.findtext("userAccess/mandate/validity/beginDate") == "2025-01-01"
    assert "Body" in signed_names(reply, world.own_identity)
    (record,) = world.records()
    assert record["deliberation"] == "Demonstration deliberation 24/010"
    assert (record["client"], record["operation"]) == ("support", "CheckUnauthenticatedUserAccess")
    assert record["criteria"] == [
        "criteria/technicalUserId",
        "criteria/entity/enterpriseNumber",
        "criteria/application",
        "criteria/referenceDate",
    ]


def test_no_access_is_an_answer_with_its_reason(world: World, users: FakeUserAccess) -> None:
    users.answer = AccessRefused(NoAccessReason.MANDATE_ENDED)
    reply = ask(world, entity=f"<nssoRegistrationNumber>{NSSO}</nssoRegistrationNumber>")
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.payload.findtext("userAccess/access") == "false"
    assert reply.payload.findtext("userAccess/reason/code") == "MANDATE_ENDED"
    assert len(reply.payload.findall("userAccess/reason/descriptions/description")) == 3


def test_a_number_that_is_none_is_told(world: World) -> None:
    reply = ask(world, entity="<enterpriseNumber>0999910346</enterpriseNumber>")
    assert reply.outcome == ("NO_RESULT", "MSG00008")
    assert reply.information[0] == ("field", "criteria/entity/enterpriseNumber")
