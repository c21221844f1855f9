"""A bounded run of the fuzzers, and their honesty: what is planted is found."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from gateway_world import LogLines, OpenWorld, World

from fixtures.attacks import Request
from fuzz.__main__ import describe, is_bad, main
from fuzz.envelopes import Accepted, make_envelopes
from fuzz.judge import SLOW_SECONDS, judge
from fuzz.mutate import Input, make_input
from fuzz.run import Report, run
from fuzz.target import Target, load_identities

SEED = 264


def target_of(world: World, log_lines: LogLines) -> Target:
    def advance(step: Any) -> None:
        world.clock.advance(seconds=step.total_seconds())

    return Target(world.app, world.clock, advance, load_identities(world.settings.state), log_lines.lines)


@pytest.fixture
def target(open_own_world: OpenWorld, log_lines: LogLines) -> Target:
    return target_of(open_own_world(), log_lines)


def problems_of(report: Report) -> str:
    return "\n".join(problem for finding in report.findings for problem in finding.problems)


def test_no_mutated_request_is_answered_wrongly(target: Target) -> None:
    report = run(target, SEED, range(300))
    assert problems_of(report) == ""
    assert report.inputs == 300
    assert report.share >= 0.2
    assert {"MSG00000", "MSG00004", "MSG00014", "GTW00013", "wsse:FailedCheck"} <= report.codes.keys()
    assert not is_bad(report)


def test_an_input_is_made_again_from_its_number(target: Target) -> None:
    """RSA signs the same octets alike."""
    inputs = [make_input(target, SEED, number) for number in range(50)]
    again = [make_input(target, SEED, number) for number in range(50)]
    alike = [one == other for one, other in zip(inputs, again, strict=True) if one.client != "inspection"]
    assert len(alike) > 30
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
    "another organisation": (
        lambda content: content.replace(b"<cbeNumber>0999900150", b"<cbeNumber>0208044709"),
        "was answered as cbe:0208044709",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_in_an_answer_is_found(target: Target, name: str) -> None:
    change, problem = PLANTED[name]
    report = run(replace(target, app=Planted(target.app, change)), SEED, range(80))
    assert problem in problems_of(report)
    assert is_bad(report)
    assert f"--seed {SEED} --only {report.findings[0].number}" in describe(report)


class Broken:
    """A source with a mistake in it, and a pipeline's part with another."""

    def find_career(self, ssin: str, *period: object) -> None:
        raise ZeroDivisionError("planted")

    def is_pcsa(self, cbe_number: str) -> bool:
        return True

    def admit(self, *_: Any) -> None:
        raise RecursionError("planted")


def test_an_exception_in_an_operation_is_found(open_own_world: OpenWorld, log_lines: LogLines) -> None:
    report = run(target_of(open_own_world(repository=Broken()), log_lines), SEED, range(60))
    assert "answered MSG00003" in problems_of(report)
    assert "internal_error" in problems_of(report)


def test_an_exception_in_a_stage_is_found(open_own_world: OpenWorld, log_lines: LogLines) -> None:
    world = open_own_world().with_part(admission=Broken())
    report = run(target_of(world, log_lines), SEED, range(60))
    assert "answered MSG00003" in problems_of(report)
    assert len(report.findings) == 20


def test_what_is_logged_of_a_person_and_what_is_slow_is_found(target: Target) -> None:
    asked = Input(Request(b""), None)
    reply = target.send(asked.request)
    line = '{"event": "exchange", "note": "75631290176"}'
    assert judge(asked, reply, [line], SLOW_SECONDS + 1).problems == (f"logged {line}", "took 1.50 s of CPU")
    assert judge(asked, reply, [], 0).problems == ()


def test_a_run_that_reaches_too_little_is_bad() -> None:
    assert is_bad(Report(inputs=100, verified=19))
    assert not is_bad(Report(inputs=100, verified=20))


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
