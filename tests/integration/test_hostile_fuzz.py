"""A bounded run of the fuzzers, and their honesty: what is planted is found."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from gateway_world import OpenWorld, World
from rich.console import Console

from fixtures.attacks import Request
from fuzz import declarations
from fuzz.__main__ import describe, is_bad, main
from fuzz.envelopes import Accepted, make_envelopes
from fuzz.gateway import FuzzedGateway, load_identities
from fuzz.judge import judge
from fuzz.messages import trying
from fuzz.requests import Input, make_input
from fuzz.run import Report, run
from fuzz.target import SLOW_SECONDS, Tried, try_reading
from fuzz.targets import TARGETS, share_out
from tests.log_lines import LogLines

SEED = 264


def target_of(world: World, log_lines: LogLines) -> FuzzedGateway:
    def advance(step: Any) -> None:
        world.clock.advance(seconds=step.total_seconds())

    return FuzzedGateway(world.app, world.clock, advance, load_identities(world.settings.state), log_lines.lines)


@pytest.fixture
def target(open_own_world: OpenWorld, log_lines: LogLines) -> FuzzedGateway:
    return target_of(open_own_world(), log_lines)


def problems_of(report: Report) -> str:
    return "\n".join(problem for finding in report.findings for problem in finding.problems)


def send(target: FuzzedGateway, count: int, name: str = "messages") -> Report:
    make = declarations.make_input if name == "declarations" else make_input
    return run(name, trying(target, make), SEED, range(count))


@pytest.mark.parametrize("name", ["messages", "declarations"])
def test_no_mutated_request_is_answered_wrongly(target: FuzzedGateway, name: str) -> None:
    report = send(target, 200, name)
    assert problems_of(report) == ""
    assert report.inputs == 200
    assert report.share >= 0.2
    assert {"MSG00000", "MSG00004", "GTW00013", "wsse:FailedCheck"} <= report.codes.keys()
    assert not is_bad({name: report})


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"messages", "declarations"}))
def test_nothing_that_is_read_makes_trouble(name: str) -> None:
    with TARGETS[name].open() as attempt:
        report = run(name, attempt, SEED, range(150))
        assert attempt(SEED, 3).code in report.codes
    assert problems_of(report) == ""
    assert not is_bad({name: report})
    assert len(report.codes) >= 2


def test_a_run_is_shared_out_among_all_targets() -> None:
    assert sum(share_out(20_000).values()) == 20_000
    assert min(share_out(1).values()) == 1


def raise_number() -> None:
    raise ValueError("75631290176 is no day")


def test_what_goes_wrong_in_reading_is_found() -> None:
    assert try_reading(b"", lambda: None, ()).problems == ()
    assert "raised ValueError" in try_reading(b"", raise_number, (KeyError,)).problems[0]
    assert try_reading(b"", raise_number, (ValueError,)).problems == ()
    assert "quotes a number" in try_reading(b"", raise_number, (ValueError,), about_persons=True).problems[0]


def test_an_input_is_made_again_from_its_number(target: FuzzedGateway) -> None:
    """RSA signs the same octets alike."""
    inputs = [make_input(target, SEED, number) for number in range(50)]
    again = [make_input(target, SEED, number) for number in range(50)]
    alike = [
        one == other
        for one, other in zip(inputs, again, strict=True)
        if one.client in ("pcsa", "economy", "integrator", "pensions", "unemployment")
    ]
    assert len(alike) > 5
    assert all(alike)
    assert [make_input(target, SEED + 1, number) for number in range(50)] != inputs


class Planted:
    """An application with a mistake in it: what it answers is changed once in a while."""

    def __init__(self, app: Any, change: Callable[[bytes], bytes]) -> None:
        self._app = app
        self._change = change

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return [self._change(part) for part in self._app(environ, start_response)]


def raise_anything(content: bytes) -> bytes:
    raise KeyError("planted")


PLANTED = {
    "an exception that comes out": (raise_anything, "raised KeyError"),
    "a broken reply": (lambda content: content[:-1], "no XML"),
    "no envelope": (lambda content: b"<a/>", "no Envelope"),
    "an unknown code": (lambda content: content.replace(b"MSG00004: ", b"MSG99999: "), "answered MSG99999"),
    "a reply that is not valid": (lambda content: content.replace(b"<severity>FATAL", b"<severity>WORSE"), "not valid"),
    "an unsigned reply": (lambda content: content.replace(b"xmldsig#", b"xmldsig"), "without a signature"),
    "another person": (
        lambda content: content.replace(b"<code>MSG00000</code>", b"<code>MSG00000</code><!-- --><x>19671295305</x>"),
        "not asked about: 19671295305",
    ),
    "no receipt": (lambda content: content.replace(b"Receipt", b"Recepit"), "without a receipt"),
    "a receipt of a record that is not there": (
        lambda content: content.replace(b"<position>", b"<position>9999"),
        "answered with a receipt for 9999",
    ),
    "another organisation": (
        lambda content: content.replace(b"<cbeNumber>0999900150", b"<cbeNumber>0208044709"),
        "was answered as cbe:0208044709",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_in_an_answer_is_found(
    target: FuzzedGateway, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, problem = PLANTED[name]
    report = send(replace(target, app=Planted(target.app, change)), 150)
    assert problem in problems_of(report)
    assert is_bad({"messages": report})
    describe({"messages": report}, Console())
    assert f"--target messages --seed {SEED} --only {report.findings[0].number}" in capsys.readouterr().out


class Broken:
    """A source with a mistake in it, and a pipeline's part with another."""

    def find_career(self, ssin: str, *period: object) -> None:
        raise ZeroDivisionError("planted")

    def is_pcsa(self, cbe_number: str) -> bool:
        return True

    def admit(self, *_: Any) -> None:
        raise RecursionError("planted")


def test_an_exception_in_an_operation_is_found(open_own_world: OpenWorld, log_lines: LogLines) -> None:
    report = send(target_of(open_own_world(repository=Broken()), log_lines), 150)
    assert "answered MSG00003" in problems_of(report)
    assert "internal_error" in problems_of(report)


def test_an_exception_in_a_stage_is_found(open_own_world: OpenWorld, log_lines: LogLines) -> None:
    world = open_own_world().with_part(admission=Broken())
    report = send(target_of(world, log_lines), 60)
    assert "answered MSG00003" in problems_of(report)
    assert len(report.findings) == 20


def test_what_is_logged_of_a_person_and_what_is_slow_is_found(target: FuzzedGateway) -> None:
    asked = Input(Request(b""), None)
    reply = target.send(asked.request)
    line = '{"event": "exchange", "note": "75631290176"}'
    assert judge(asked, reply, [line], SLOW_SECONDS + 1).problems == (f"logged {line}", "took 2.00 s of CPU")
    assert judge(asked, reply, [], 0).problems == ()


def test_an_input_that_waits_for_ever_is_found_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.target.HUNG_SECONDS", 0.2)
    over = threading.Event()

    def hang_at_two(seed: int, number: int) -> Tried:
        if number == 2:
            over.wait()
        return Tried(b"", "read", passed=True)

    report = run("criteria", hang_at_two, SEED, range(5))
    assert report.inputs == 5
    (finding,) = report.findings
    assert finding.number == 2
    assert "had not ended after 0.2 s: " in finding.problems[0]
    assert "threading.py" in finding.problems[0]


def test_a_run_that_reaches_too_little_is_bad() -> None:
    assert is_bad({"messages": Report(inputs=100, passed=19)})
    assert not is_bad({"messages": Report(inputs=100, passed=20)})


def test_one_input_can_be_looked_at(capsys: pytest.CaptureFixture[str], log_lines: LogLines) -> None:
    assert main(["--seed", str(SEED), "--only", "3"]) == 0
    assert "answered " in capsys.readouterr().out


def test_the_envelopes_to_begin_from_are_verified_or_refused() -> None:
    envelopes = make_envelopes()
    accepted = [envelopes.check(seed) for seed in envelopes.seeds]
    assert accepted.count(True) == 10
    assert accepted.count(False) == len(accepted) - 10
    assert envelopes.check(b"") is False


def test_an_envelope_that_is_wrongly_accepted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verification that forgets the digests lets another Body in."""
    envelopes = make_envelopes()
    forged = envelopes.seeds[0].replace(b"consultCareerRequest", b"consultAnything")
    assert envelopes.check(forged) is False
    monkeypatch.setattr("gateway.wss.verify._check_digest", lambda reference, target: None)
    with pytest.raises(Accepted):
        envelopes.check(forged)
