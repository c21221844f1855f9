"""The cases of fixtures/decisions/user_access/ asked over SOAP: what is answered, and what the audit says of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from databases import sampled
from gateway_world import MANDATE, MANDATE_PATH, DemoState, World, assert_valid, open_world

from tests.log_lines import LogLines
from tests.unit.fakes_user_access import Cases
from tests.unit.test_authz_user_access_cases import ALL, TODAY, make_case_world
from tests.unit.user_management_world import resolve

ELEMENTS = {
    "nsso_registration_number": "nssoRegistrationNumber",
    "nsso_ppo_registration_number": "nssoPpoRegistrationNumber",
    "enterprise_number": "enterpriseNumber",
}
# A message names an entity by one number; the rules alone know entities by several, or by none.
ASKED = [case for case in ALL if len(case.values[0]["entity"]) == 1]  # type: ignore[arg-type, call-overload, index]


@pytest.fixture(scope="module")
def users() -> Cases:
    return Cases()


@pytest.fixture(scope="module")
def world(
    users: Cases, demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines
) -> Iterator[World]:
    with open_world(demo_state, tmp_path_factory.mktemp("cases"), user_access=users) as opened:
        yield opened


def ask(world: World, case: Mapping[str, Any]) -> Any:
    ((name, number),) = resolve(case["entity"]).items()
    payload = (
        f'<m:CheckUnauthenticatedUserAccessRequest xmlns:m="{MANDATE}"><informationCustomer><customerIdentification>'
        "<cbeNumber>0999900744</cbeNumber></customerIdentification></informationCustomer><criteria>"
        f"<technicalUserId>{resolve(case['user'])}</technicalUserId>"
        f"<entity><{ELEMENTS[name]}>{number}</{ELEMENTS[name]}></entity><application>{case['application']}</application>"
        f"<referenceDate>{case.get('day', TODAY)}</referenceDate></criteria></m:CheckUnauthenticatedUserAccessRequest>"
    )
    reply = world.post(world.sign(payload, "support"), MANDATE_PATH)
    assert_valid(reply.payload)
    return reply


@sampled("case", ASKED, every=8)
def test_the_answer_and_the_record_are_those_of_the_case(world: World, users: Cases, case: Mapping[str, Any]) -> None:
    users.accounts = make_case_world(case)
    reply = ask(world, case)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.payload.findtext("userAccess/path") == case.get("access")
    assert reply.payload.findtext("userAccess/reason/code") == case.get("reason")
    record = world.records()[-1]
    assert {name: record[name] for name in case["audit"]} == case["audit"]
    told = world.unseal(record)["reason"]
    if "reason" in case:
        assert told == f"no access: {case['reason']}"
    else:
        assert told.startswith(f"access: {case['access'].replace('_', ' ').lower()}")
