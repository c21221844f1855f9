"""What a remote source does wrong costs its own callers a clear answer in time, and nobody else anything."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from gateway_world import DemoState, Reply, World
from source_world import RemoteWorld, open_remote_world
from test_gateway_dimona import ANNA, TODAY, begin, results, submit
from test_gateway_dmfa import ask as ask_dmfa
from test_gateway_employer_repertory import ask as ask_employer
from test_gateway_employer_repertory import by_registration
from test_gateway_user_access import ask_accounts

from fixtures.employers import get_employer
from fixtures.personas import demo_rows
from gateway.file_watch import FileWatch
from gateway.simulator.faults import Fault
from gateway.sources.guard import Guard, GuardPolicy
from gateway.wss.sign import Signer
from tests.log_lines import LogLines

SSIN = "75631290176"
DEADLINE = 1.2
LIMITS = {"deadline_seconds": DEADLINE, "calls": 3, "failures": 4, "pause_seconds": 60.0}
# So much later than its deadline an answer may come on a busy machine; what hangs or drips does so for far longer.
LEEWAY = 10.0
QUARTERS = {"beginQuarter": "2020Q1", "endQuarter": "2020Q4"}

# What each fault is told as, to somebody who asks.
UNAVAILABLE, INVALID, BROKEN_OFF = ("NO_RESULT", "MSG00020"), ("NO_RESULT", "MSG00023"), ("fault", "MSG00002")
TOLD = {
    Fault.REFUSE: UNAVAILABLE,
    Fault.HANG: UNAVAILABLE,
    Fault.SLOW: UNAVAILABLE,
    Fault.DRIP: UNAVAILABLE,
    Fault.CLOSE: BROKEN_OFF,
    Fault.GARBAGE: INVALID,
    Fault.DTD: INVALID,
    Fault.HUGE: INVALID,
    Fault.FORGED: INVALID,
    Fault.STALE: INVALID,
    Fault.WRONG_PERSON: INVALID,
}
Ask = Callable[[World], Reply]
PERSONS: dict[str, Ask] = {
    "career": lambda world: world.ask(SSIN),
    "contributions": lambda world: world.ask(SSIN, operation="consultContributions", period=QUARTERS),
    "attestations": lambda world: ask_dmfa(world, ANNA),
    "access": lambda world: ask_accounts(world, "0999930141-U2", "brewery"),
}
QUESTIONS = PERSONS | {"employer": lambda world: ask_employer(world, by_registration(get_employer("brewery")))}


OpenSources = Callable[..., RemoteWorld]


@pytest.fixture(scope="module")
def shared(demo_state: DemoState, tmp_path_factory: Any, log_lines: LogLines) -> Iterator[Mapping[bool, RemoteWorld]]:
    """A world whose sources are whole, and one with the funds: what guards them is every test's own."""
    with (
        open_remote_world(demo_state, tmp_path_factory.mktemp("whole")) as whole,
        open_remote_world(demo_state, tmp_path_factory.mktemp("funds"), broker=True) as funds,
    ):
        yield {False: whole, True: funds}


@pytest.fixture
def open_sources(shared: Mapping[bool, RemoteWorld]) -> OpenSources:
    def open_one(broker: bool = False, **limits: Any) -> RemoteWorld:
        worlds = shared[broker]
        worlds.simulator.faults.replace()
        sources = worlds.remote.gateway.sources
        for source in (*sources.remote.values(), *sources.funds.values()):
            source.guard.close()
            source.guard = Guard(source.guard.name, GuardPolicy(**LIMITS | limits))
        return worlds

    return open_one


def timed(ask: Ask, world: World) -> tuple[Reply, float]:
    started = time.perf_counter()
    reply = ask(world)
    return reply, time.perf_counter() - started


@pytest.mark.parametrize("fault", TOLD)
def test_each_fault_is_told_within_the_deadline_whatever_is_asked(open_sources: OpenSources, fault: Fault) -> None:
    # What does not wait must not be judged by a machine that has more to do.
    waits = fault in (Fault.HANG, Fault.SLOW, Fault.DRIP)
    worlds = open_sources(failures=100, deadline_seconds=DEADLINE if waits else 10.0)
    for question, ask in QUESTIONS.items():
        if fault is Fault.WRONG_PERSON and question not in PERSONS:
            continue
        assert ask(worlds.remote).outcome == ("DATA_FOUND", "MSG00000") or question == "attestations"
        worlds.simulator.faults.replace(fault)
        reply, seconds = timed(ask, worlds.remote)
        assert reply.outcome == TOLD[fault], question
        assert not waits or seconds < DEADLINE + LEEWAY
        worlds.simulator.faults.replace()


@pytest.mark.parametrize("fault", [each for each in TOLD if each is not Fault.WRONG_PERSON])
def test_a_declaration_is_told_once_and_its_ticket_may_be_sent_again(open_sources: OpenSources, fault: Fault) -> None:
    worlds = open_sources()
    ask_employer(worlds.remote, by_registration(get_employer("brewery")))
    worlds.simulator.faults.replace(fault)
    day = TODAY + timedelta(days=list(Fault).index(fault))
    declared = {"in": {**begin(ANNA)["in"], "startingDate": day, "endingDate": day}}
    reply = submit(worlds.remote, declared, ticket=fault)
    assert reply.outcome == BROKEN_OFF
    worlds.simulator.faults.replace()
    first, second = (submit(worlds.remote, declared, ticket=fault) for _ in range(2))
    assert results(first) == results(second) == ["ACCEPTED"]
    assert first.payload.findtext(".//declarationNumber") == second.payload.findtext(".//declarationNumber")


def test_a_declaration_to_a_source_that_cannot_be_reached_was_not_made(
    open_sources: OpenSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = open_sources()
    source = worlds.remote.gateway.sources.remote["DimonaService/v1"]
    monkeypatch.setattr(source, "_endpoint", replace(source._endpoint, port=1))
    reply = submit(worlds.remote, begin(ANNA), ticket="nobody")
    assert reply.outcome == UNAVAILABLE


def test_a_source_that_hangs_costs_nobody_else_anything(open_sources: OpenSources) -> None:
    deadline = 5.0  # Time enough for all to have asked on a busy machine.
    worlds = open_sources(failures=100, deadline_seconds=deadline)
    worlds.simulator.faults.replace("/SelfEmployedService:hang")
    with ThreadPoolExecutor(12) as callers:
        waiting = [callers.submit(timed, PERSONS["career"], worlds.remote) for _ in range(9)]
        time.sleep(0.2)
        meanwhile = [timed(QUESTIONS["employer"], worlds.remote) for _ in range(5)]
        asked = [future.result() for future in waiting]
    assert all(reply.outcome == ("DATA_FOUND", "MSG00000") for reply, _ in meanwhile)
    assert min(seconds for _, seconds in meanwhile) < deadline / 2
    assert all(reply.outcome == UNAVAILABLE for reply, _ in asked)
    # Three have a place and wait for their deadline; who finds none is told at once.
    assert sum(seconds > deadline - 0.1 for _, seconds in asked) == 3
    guard = worlds.remote.gateway.sources.remote["SelfEmployedService/v2"].guard
    assert guard.counts["busy"] == 6
    assert guard.counts["late"] == 3


def test_a_source_that_fails_is_left_alone_and_tried_again(open_sources: OpenSources) -> None:
    worlds = open_sources()
    source = worlds.remote.gateway.sources.remote["SelfEmployedService/v2"]
    worlds.simulator.faults.replace("hang")
    for _ in range(LIMITS["failures"]):
        assert PERSONS["career"](worlds.remote).outcome == UNAVAILABLE
    assert source.guard.is_open
    assert PERSONS["career"](worlds.remote).outcome == UNAVAILABLE
    assert source.guard.counts == {"late": LIMITS["failures"], "circuit_open": 1}
    worlds.simulator.faults.replace()
    assert QUESTIONS["employer"](worlds.remote).outcome == ("DATA_FOUND", "MSG00000")
    source.guard._opened_at -= LIMITS["pause_seconds"]
    assert PERSONS["career"](worlds.remote).outcome == ("DATA_FOUND", "MSG00000")
    assert not source.guard.is_open


def test_a_connection_that_broke_off_is_tried_once_more_for_a_question(
    open_sources: OpenSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = open_sources()
    posts: list[str] = []
    pick = worlds.simulator.faults.pick

    def first_closes(path: str) -> Fault | None:
        posts.append(path)
        return Fault.CLOSE if len(posts) == 1 else pick(path)

    monkeypatch.setattr(worlds.simulator.faults, "pick", first_closes)
    assert PERSONS["career"](worlds.remote).outcome == ("DATA_FOUND", "MSG00000")
    assert len(posts) == 2


def test_an_answer_about_another_person_is_alarmed(open_sources: OpenSources, log_lines: LogLines) -> None:
    worlds = open_sources()
    worlds.simulator.faults.replace("wrong-person")
    reply = PERSONS["career"](worlds.remote)
    assert reply.information == [("details", "an answer about another person")]
    guard = worlds.remote.gateway.sources.remote["SelfEmployedService/v2"].guard
    assert guard.counts["wrong_person"] == 1
    finding = worlds.remote.gateway.sources.look()["SelfEmployedService/v2"]
    assert finding.detail == "it answered about another person than was asked, within the last hour"
    assert any("source_answered_about_another_person" in line and "error" in line for line in log_lines.lines)


def test_a_source_that_does_not_know_us_is_unavailable(
    open_sources: OpenSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = open_sources()
    key = worlds.remote.settings.state / "pki" / "clients" / "pcsa"
    signing_key = worlds.remote.gateway.signing_key
    other = Signer(key.with_suffix(".key").read_bytes(), key.with_suffix(".pem").read_bytes())
    monkeypatch.setattr(signing_key, "_signer", other)
    assert PERSONS["career"](worlds.remote).outcome == UNAVAILABLE


def test_a_source_changes_its_certificate_without_a_restart(open_sources: OpenSources, log_lines: LogLines) -> None:
    """It signs with another key (the simulator's forger): both count while the file holds both, then the new alone."""
    worlds = open_sources()
    clients = worlds.remote.settings.state / "pki" / "clients"
    file, other = clients / "simulated-source.pem", clients / "simulated-forger.pem"
    own = file.read_bytes()

    def told(content: bytes) -> list[tuple[str, str]]:
        file.write_bytes(content)
        for watch in worlds.remote.gateway.watches:
            if isinstance(watch, FileWatch):
                watch.look()
        asked = []
        for faults in ([], ["forged"]):
            worlds.simulator.faults.replace(*faults)
            asked.append(PERSONS["career"](worlds.remote).outcome)
        return asked

    found = ("DATA_FOUND", "MSG00000")
    try:
        assert told(own) == [found, INVALID]
        assert told(own + other.read_bytes()) == [found, found]
        assert told(other.read_bytes()) == [INVALID, found]
        assert told(b"no certificate at all") == [INVALID, found]
        assert any("source_certificate_unusable" in line and "error" in line for line in log_lines.lines)
    finally:
        assert told(own) == [found, INVALID]


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.REFUSE, Fault.CLOSE])
def test_a_fund_that_is_away_is_named_and_the_others_are_not_kept_waiting(
    open_sources: OpenSources, fault: Fault
) -> None:
    worlds = open_sources(broker=True)
    ask = PERSONS["contributions"]
    whole = ask(worlds.remote)
    assert whole.outcome == ("DATA_FOUND", "MSG00000")
    funds = {str(each.findtext("socialInsuranceFund/code")) for each in whole.payload.iter("contribution")}
    away = min(funds)
    worlds.simulator.faults.replace(f"/funds/{away}/:{fault}")
    reply, seconds = timed(ask, worlds.remote)
    assert reply.outcome == UNAVAILABLE
    assert reply.information[0] == ("socialInsuranceFund", away)
    assert seconds < DEADLINE + LEEWAY
    # Careers are the register's: a fund that is away takes nothing from them.
    assert PERSONS["career"](worlds.remote).outcome == ("DATA_FOUND", "MSG00000")


def test_funds_are_asked_side_by_side(open_sources: OpenSources, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = open_sources(broker=True, deadline_seconds=5.0)
    at_once, most, lock = [0], [0], threading.Lock()
    pick = worlds.simulator.faults.pick

    def wait_a_moment(path: str) -> Fault | None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.2)
        with lock:
            at_once[0] -= 1
        return pick(path)

    monkeypatch.setattr(worlds.simulator.faults, "pick", wait_a_moment)

    several = next(
        person
        for person in demo_rows().persons
        if len({each.social_insurance_fund for each in person.contributions}) > 1
    )
    repository: Any = worlds.remote.gateway.sources.repositories["SelfEmployedService/v2"]
    local: Any = worlds.local.gateway.sources.repositories["SelfEmployedService/v2"]
    asked = several.ssin, "1990Q1", "2025Q4"
    assert repository.find_contributions(*asked).contributions == local.find_contributions(*asked).contributions
    assert most[0] > 1
