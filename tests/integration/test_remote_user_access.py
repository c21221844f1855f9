"""User Management at another institution: who reaches an employer, and an employer who is a natural person."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_world import MANDATE, MANDATE_PATH, DemoState, Reply, World, assert_valid
from source_world import RemoteWorld, open_remote_world
from test_gateway_employer_repertory import ASKERS, BAKERY, by_enterprise, by_registration
from test_gateway_employer_repertory import ask as ask_employer
from test_gateway_user_access import PATHS, REASONS, ask_accounts, find_user
from test_health_check import Node, check, detail, states
from test_remote_personas import told

from authz.user_management.access import NoAccessReason
from fixtures.employers import get_employer
from gateway.sources.exchange import Exchange, open_endpoint
from gateway.sources.guard import Guard
from services.employer_repertory.natural_persons import REMEDIES
from tests.log_lines import LogLines

SERVICE = "EmployerMandateConsultationService/v2"
USER = "0999930240-U2"
UNAVAILABLE, INVALID, BROKEN_OFF = ("NO_RESULT", "MSG00020"), ("NO_RESULT", "MSG00023"), ("fault", "MSG00002")


@pytest.fixture(scope="module")
def shared(
    demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines
) -> Iterator[RemoteWorld]:
    """Only User Management is elsewhere: the register of employers, which knows natural persons, is ours."""
    with open_remote_world(demo_state, tmp_path_factory.mktemp("users"), services=(SERVICE,)) as opened:
        yield opened


@pytest.fixture
def worlds(shared: RemoteWorld) -> RemoteWorld:
    """The world, well, with a guard of the test's own."""
    shared.simulator.faults.replace()
    source = shared.remote.gateway.sources.remote[SERVICE]
    source.guard.close()
    source.guard = Guard(SERVICE, source.guard.policy)
    return shared


def ask_both(worlds: RemoteWorld, ask: Callable[[World], Reply]) -> tuple[Reply, str]:
    """Ask with User Management elsewhere and with our own, which tell and record the same; return reply and reason."""
    replies, reasons = [], []
    for world in (worlds.local, worlds.remote):
        reply = ask(world)
        replies.append(told(reply))
        reasons.append(world.unseal(world.records()[-1])["reason"])
    assert replies[0] == replies[1]
    assert reasons[0] == reasons[1]
    return reply, reasons[1]


@pytest.mark.parametrize(
    ("enterprise", "name", "entity", "answer"),
    [*(row[:4] for row in PATHS), *REASONS],
)
def test_who_reaches_an_employer_is_told_and_recorded_as_by_our_own(
    worlds: RemoteWorld, enterprise: str, name: str, entity: str, answer: str
) -> None:
    user = find_user(worlds.local, enterprise, name)
    reply, _ = ask_both(worlds, lambda world: ask_accounts(world, user, entity))
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert answer in (reply.payload.findtext("userAccess/path"), reply.payload.findtext("userAccess/reason/code"))
    assert worlds.remote.gateway.sources.remote[SERVICE].guard.counts == {"answered": 1}


@pytest.mark.parametrize("named", [by_enterprise, by_registration])
@pytest.mark.parametrize(("asker", "key", "refused"), ASKERS)
def test_a_natural_person_is_told_to_whom_user_management_elsewhere_lets(
    worlds: RemoteWorld, asker: str, key: str, refused: NoAccessReason | None, named: Callable[..., dict[str, Any]]
) -> None:
    user = find_user(worlds.local, asker, "chief")
    criteria = named(get_employer(key)) | {"onBehalfOf": user}
    reply, reason = ask_both(worlds, lambda world: ask_employer(world, criteria))
    assert reply.outcome == (("NO_RESULT", "MSG00016") if refused else ("DATA_FOUND", "MSG00000"))
    assert reason.startswith(REMEDIES[refused] if refused else "the user reaches the employer")


def test_an_employer_without_enterprise_number_is_asked_by_its_registration(worlds: RemoteWorld) -> None:
    criteria = by_registration(get_employer("farmer")) | {"onBehalfOf": USER}
    reply, reason = ask_both(worlds, lambda world: ask_employer(world, criteria))
    assert (reply.outcome, reason) == (("NO_RESULT", "MSG00016"), REMEDIES[NoAccessReason.ENTITY_UNKNOWN])


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("refuse", UNAVAILABLE),
        ("close", BROKEN_OFF),
        ("garbage", INVALID),
        ("forged", INVALID),
        ("wrong-person", INVALID),
    ],
)
def test_while_user_management_elsewhere_does_wrong_no_natural_person_is_told(
    worlds: RemoteWorld, fault: str, outcome: tuple[str, str]
) -> None:
    worlds.simulator.faults.replace(fault)
    reply = ask_employer(worlds.remote, by_enterprise(BAKERY) | {"onBehalfOf": USER})
    assert reply.outcome == outcome
    assert reply.payload.find("registrations") is None
    # Of a legal person nobody is asked.
    legal = ask_employer(worlds.remote, by_enterprise(get_employer("brewery")))
    assert legal.outcome == ("DATA_FOUND", "MSG00000")


def test_an_answer_about_another_user_is_alarmed(worlds: RemoteWorld, log_lines: LogLines) -> None:
    node = Node(worlds.remote)
    node.measure()
    worlds.simulator.faults.replace("wrong-person")
    reply = ask_accounts(worlds.remote, USER, "bakery")
    assert (reply.outcome, reply.information) == (INVALID, [("details", "an answer about another person")])
    assert_valid(reply.payload)
    assert any("source_answered_about_another_person" in line and SERVICE in line for line in log_lines.lines)
    health = check(worlds.remote)
    assert states(health)[SERVICE] == "DEGRADED"
    assert "another person" in detail(health, SERVICE)


@pytest.mark.parametrize("level", ["PING", "DEEP"])
def test_what_is_played_is_well(worlds: RemoteWorld, level: str) -> None:
    """The contract has HealthCheck, too: what is only played has no parts that could be ill."""
    payload = f'<m:HealthCheckRequest xmlns:m="{MANDATE}"><criteria><level>{level}</level></criteria>'
    message = worlds.remote.gateway.signing_key.sign(f"{payload}</m:HealthCheckRequest>", None, worlds.remote.clock())
    endpoint = open_endpoint(worlds.simulator.url + MANDATE_PATH, None)
    action = "http://kszbcss.fgov.be/EmployerMandateConsultationService/HealthCheck"
    reply = Reply("200 OK", {}, Exchange(endpoint, 100_000, lambda: 30.0).post(message, action))
    assert_valid(reply.payload)
    assert [(each.tag, each.text) for each in reply.payload.iterfind("health/*")] == [("overall", "OK")]
