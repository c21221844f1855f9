"""Every hostile request goes through the whole gateway, gets the answer that its index names, and leaves no trace."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from databases import sampled
from gateway_world import (
    CONTEXTS,
    CUSTOMERS,
    DemoState,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    open_world,
    request_xml,
    signed_names,
)

from fixtures import attacks
from fixtures.attacks import ATTACKS, HOSTILE, Hostile, Material, Request
from gateway.catalogue import load_catalogue
from gateway.pki import load_identity
from gateway.storage.tables import annex_revisions, inscriptions, persons, replay_keys
from tests.log_lines import LogLines

SSIN = "75631290176"
CBE_NUMBER = CUSTOMERS["pcsa"]["cbeNumber"]
BODY = request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"])
CPU_SECONDS = 0.050
ADMITTED_FAULTS = {"GTW00016", "GTW00017", "GTW00020", "MSG00004"}
CATALOGUE = load_catalogue()
HTTP_STATUS = {"GTW00010": "405", "GTW00011": "415", "GTW00012": "413"}
# Not a part of a UUID.
SSIN_LIKE = re.compile(r"(?<![\w-])[0-9]{11}(?![\w-])")
CASES = sampled("attack", [pytest.param(attack, id=attack.name) for attack in HOSTILE.values()], every=8)


@pytest.fixture(scope="module")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """A world of their own: quotas are counted, and what attacks leave behind is looked at."""
    with open_world(demo_state, tmp_path_factory.mktemp("hostile")) as opened:
        yield opened


def material(world: World) -> Material:
    # Slow enough for the smallest quota.
    world.clock.advance(seconds=3)
    names = ("inspection", "career-account", "integrator")
    return Material(
        client=world.identity("pcsa"),
        other=world.identity("economy"),
        authority=load_identity(world.settings.state / "pki" / "ca"),
        body_xml=BODY,
        now=world.clock(),
        clients={name: world.identity(name) for name in names} | {"gateway": world.own_identity},
    )


def send(world: World, request: Request) -> Reply:
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{name}" in environ:
            environ[name] = environ.pop(f"HTTP_{name}")
    if request.client is not None:
        environ |= world.handed_over(request.client)
    return world.post(request.content, request.path, request.method, **environ)


def send_all(world: World, requests: tuple[Request, ...]) -> Reply:
    """Send them in order; those before the last are let in."""
    *before, last = requests
    replies = [send(world, request) for request in before]
    if before:
        assert replies[0].outcome == ("DATA_FOUND", "MSG00000")
    return send(world, last)


@CASES
def test_a_hostile_request_gets_its_answer(world: World, log_lines: LogLines, attack: Hostile) -> None:
    requests = attack.make(material(world))
    keys, logged = len(world.rows(replay_keys)), len(log_lines.lines)
    reply = send_all(world, requests)
    assert reply.outcome == attack.answer
    value, code = attack.answer
    admitted = value != "fault" or code in ADMITTED_FAULTS
    assert reply.is_signed is admitted
    assert len(world.rows(replay_keys)) == keys + admitted + (len(requests) > 1)
    if admitted:
        assert "Body" in signed_names(reply, world.own_identity)
    assert_tells_nothing_more(reply, attack)
    assert_logged(log_lines.lines[logged:], len(requests))


def assert_tells_nothing_more(reply: Reply, attack: Hostile) -> None:
    """A whole answer to this request, and nothing of another one, of the message, or of the gateway."""
    value, code = attack.answer
    assert reply.status.startswith(HTTP_STATUS.get(code, "500") if value == "fault" else "200")
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    text = reply.content.decode()
    assert set(SSIN_LIKE.findall(text)) <= {SSIN}
    assert not {"Traceback", "/work/", "root:", "hostname", "127.0.0.1"} & set(re.split(r"[\s<>]", text))
    if value == "fault":
        assert code in CATALOGUE
        assert "career>" not in text
        if reply.detail is not None:
            assert_valid(reply.detail)
        return
    assert_valid(reply.payload)
    if value == "DATA_FOUND":
        assert reply.payload.findtext("criteria/ssin") == SSIN
        assert reply.payload.findtext("informationCustomer/customerIdentification/cbeNumber") == CBE_NUMBER
        assert reply.payload.findtext("legalContext") == CONTEXTS["pcsa"]
        assert reply.payload.findtext("ssin") == SSIN
    else:
        assert reply.payload.find("career") is None


def assert_logged(lines: list[str], exchanges: int) -> None:
    """One line for each exchange, of known words only."""
    entries = [json.loads(line) for line in lines]
    assert [entry["event"] for entry in entries] == ["exchange"] * exchanges
    for line in lines:
        assert not SSIN_LIKE.search(line)
        assert "<" not in line
        assert len(line) < 500


@CASES
def test_a_hostile_request_costs_little(world: World, attack: Hostile) -> None:
    costs = []
    for _ in range(3):
        *before, last = attack.make(material(world))
        for request in before:
            send(world, request)
        started = time.process_time()
        send(world, last)
        costs.append(time.process_time() - started)
    assert min(costs) <= CPU_SECONDS


def test_hostile_requests_change_nothing(world: World) -> None:
    tables = (persons, inscriptions, annex_revisions)
    before = [world.rows(table) for table in tables]
    answers = {attack.name: send_all(world, attack.make(material(world))).outcome for attack in HOSTILE.values()}
    assert answers == {attack.name: attack.answer for attack in HOSTILE.values()}
    assert [world.rows(table) for table in tables] == before
    assert world.ask(SSIN).outcome == ("DATA_FOUND", "MSG00000")


def test_the_gateway_answers_the_next_caller_after_a_hostile_one(world: World) -> None:
    """What a parser or a thread keeps of a hostile message must not reach an honest one."""
    for name in (
        "entity-expansion",
        "relative-namespace-in-criteria",
        "violations-within-the-limit",
        "type-of-another",
    ):
        send_all(world, HOSTILE[name].make(material(world)))
        reply = world.ask("82710590203")
        assert reply.outcome == ("DATA_FOUND", "MSG00000")
        assert set(SSIN_LIKE.findall(reply.content.decode())) == {"82710590203"}


def test_the_bounds_hold_where_larger_messages_are_let_in(open_own_world: OpenWorld) -> None:
    """What only its size kept out meets the counts when an operator allows the largest size."""
    roomy = open_own_world(max_message_bytes=16 * 1024 * 1024)
    enormous = [attack for attack in HOSTILE.values() if attack.answer == ("fault", "GTW00012")]
    assert len(enormous) > 4
    for attack in enormous:
        assert send_all(roomy, attack.make(material(roomy))).outcome == ("fault", "GTW00014")


def test_every_attack_of_the_two_indexes_is_tried() -> None:
    folder = Path(attacks.__file__).parent
    rows = yaml.safe_load((folder / "requests.yaml").read_text("utf-8"))
    assert not rows.keys() & ATTACKS.keys()
    assert HOSTILE.keys() == rows.keys() | ATTACKS.keys()
    assert len(HOSTILE) > 200
    assert all(row["tries"].endswith(".") for row in rows.values())


def test_what_is_signed_afterwards_is_not_what_was_signed(world: World) -> None:
    """The attacks on identifiers are worth nothing if their messages do not carry what their names say."""
    made = {
        name: HOSTILE[name].make(material(world))[0].content
        for name in ("comment-in-cbe-number", "section-in-ssin", "reference-in-cbe-number")
    }
    assert b"<cbeNumber>0999900<!-- x -->150<" in made["comment-in-cbe-number"]
    assert b"<ssin><![CDATA[7563129]]>0176<" in made["section-in-ssin"]
    assert b"<cbeNumber>&#x30;&#x39;" in made["reference-in-cbe-number"]
