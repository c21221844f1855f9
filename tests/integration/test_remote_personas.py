"""What is answered from remote sources is what is answered from the database: every persona of every service."""

from collections.abc import Iterator

import pytest
from databases import sampled
from gateway_world import (
    DIMONA,
    DIMONA_PATH,
    DMFA_PATH,
    OVER_TLS,
    SELF_EMPLOYED_PATH,
    SHAPES,
    STARTED,
    DemoState,
    Reply,
    World,
    request_xml,
)
from lxml import etree
from source_world import RemoteWorld, open_remote_world
from test_gateway_dimona import contracts as dimona_contracts
from test_gateway_dmfa import request_xml as dmfa_request_xml
from test_gateway_employer_repertory import ask as ask_employer
from test_gateway_employer_repertory import by_enterprise, by_registration

from authz.brussels import brussels_day
from fixtures import dimona_personas, dmfa_personas, personas
from fixtures.employers import SyntheticEmployer, load_employers
from fixtures.persona import Expectation, Persona
from gateway.xml.binding import compile_writer
from tests.log_lines import LogLines

TODAY = brussels_day(STARTED)
SELF_EMPLOYED = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in personas.load_personas(TODAY)
    for index, expectation in enumerate(persona.expectations)
]
DMFA_PERSONAS = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in dmfa_personas.load_personas(TODAY)
    for index, expectation in enumerate(persona.expectations)
]
DIMONA_PERSONAS = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in dimona_personas.load_personas(TODAY)
    for index, expectation in enumerate(persona.expectations)
]
EMPLOYERS = [pytest.param(employer, id=employer.key) for employer in load_employers()]


@pytest.fixture(scope="module")
def worlds(
    demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines
) -> Iterator[RemoteWorld]:
    with open_remote_world(demo_state, tmp_path_factory.mktemp("remote")) as opened:
        yield opened


@pytest.fixture(scope="module")
def broker(
    demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines
) -> Iterator[RemoteWorld]:
    with open_remote_world(demo_state, tmp_path_factory.mktemp("broker"), broker=True) as opened:
        yield opened


def told(reply: Reply) -> str:
    """Return all that a reply says but when it was made and by which number it is known."""
    payload = reply.payload
    for name in ("informationCBSS", "next"):
        for each in payload.findall(name):
            payload.remove(each)
    if reply.outcome[1] == "MSG00023":
        # A source that finds its record contradictory says so; what it says of it, nobody repeats.
        for each in payload.iterfind("status/information"):
            payload.find("status").remove(each)
    return etree.tostring(payload, method="c14n").decode()


def ask_about_self_employed(world: World, persona: Persona, asked: Expectation) -> Reply:
    payload = request_xml(asked.operation, persona.ssin, asked.customer, asked.legal_context, asked.period)
    if asked.client in OVER_TLS:
        return world.over_tls(payload, asked.client)
    return world.post(world.sign(payload, asked.client), SELF_EMPLOYED_PATH)


@sampled("persona,asked", SELF_EMPLOYED, every=8)
def test_the_self_employed(worlds: RemoteWorld, persona: Persona, asked: Expectation) -> None:
    worlds.remote.clock.advance(seconds=6)
    remote, local = (ask_about_self_employed(each, persona, asked) for each in (worlds.remote, worlds.local))
    assert local.outcome == (asked.value, asked.code)
    assert told(remote) == told(local)


@sampled("persona,asked", SELF_EMPLOYED, every=8)
def test_the_self_employed_whose_funds_are_asked_side_by_side(
    broker: RemoteWorld, persona: Persona, asked: Expectation
) -> None:
    broker.remote.clock.advance(seconds=6)
    remote, local = (ask_about_self_employed(each, persona, asked) for each in (broker.remote, broker.local))
    assert told(remote) == told(local)


@sampled("persona,asked", DMFA_PERSONAS, every=8)
def test_attestations(worlds: RemoteWorld, persona: Persona, asked: Expectation) -> None:
    criteria = {"ssin": persona.ssin, **asked.criteria}
    payload = dmfa_request_xml(asked.customer, asked.legal_context, criteria, asked.operation)
    remote, local = (each.post(each.sign(payload, asked.client), DMFA_PATH) for each in (worlds.remote, worlds.local))
    assert local.outcome == (asked.value, asked.code)
    assert told(remote) == told(local)


@sampled("persona,asked", DIMONA_PERSONAS, every=4)
def test_employments(worlds: RemoteWorld, persona: Persona, asked: Expectation) -> None:
    worlds.remote.clock.advance(seconds=6)
    values = {
        "informationCustomer": {"ticket": "mine", "customerIdentification": asked.customer},
        "legalContext": asked.legal_context,
        "criteria": asked.criteria,
    }
    payload = compile_writer(dimona_contracts()[asked.operation].request, DIMONA, "v1")(values)
    remote, local = (
        each.post(each.sign(payload, asked.client, SHAPES.get(asked.client)), DIMONA_PATH)
        for each in (worlds.remote, worlds.local)
    )
    assert local.outcome == (asked.value, asked.code)
    assert told(remote) == told(local)


@sampled("employer", EMPLOYERS, every=4)
def test_employers(worlds: RemoteWorld, employer: SyntheticEmployer) -> None:
    questions = [by_registration(employer)] + ([by_enterprise(employer)] if employer.enterprise_number else [])
    for criteria in questions:
        remote, local = (ask_employer(each, criteria) for each in (worlds.remote, worlds.local))
        if employer.natural_person:
            # The source, which keeps to the same deliberation, tells us nothing of him.
            assert remote.outcome == ("NO_RESULT", "MSG00015")
        else:
            assert told(remote) == told(local)
            assert remote.outcome == ("DATA_FOUND", "MSG00000")
