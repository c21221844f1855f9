"""The guard of a source: its places, its deadline, its circuit."""

import threading
import time
from collections.abc import Callable

import pytest

from gateway.sources.guard import ALARM_SECONDS, Guard, GuardPolicy
from gateway.sources.trouble import BadAnswer, Busy, CircuitOpen, Late, NotReached, Trouble, WrongPerson
from services.health import State

# How long a busy machine may need for what is at once otherwise.
PATIENCE = 30.0
POLICY = GuardPolicy(PATIENCE, calls=2, failures=3, pause_seconds=10.0)


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def raising(error: Exception) -> Callable[[], str]:
    def work() -> str:
        raise error

    return work


def call(guard: Guard, work: Callable[[], str] = lambda: "answer") -> str:
    return guard.call(work, guard.begin(), lambda: None)


def call_in_vain(guard: Guard, work: Callable[[], str]) -> None:
    """Call for what does not come back, and be let go soon."""
    with pytest.raises(Late):
        guard.call(work, guard.begin() - guard.policy.deadline_seconds + 0.2, lambda: None)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fail(guard: Guard, times: int, error: type[Trouble] = NotReached) -> None:
    for _ in range(times):
        with pytest.raises(error):
            call(guard, raising(error("no")))


def test_what_the_work_returns_or_raises_comes_back() -> None:
    guard = Guard("source", POLICY)
    assert call(guard) == "answer"
    with pytest.raises(BadAnswer):
        call(guard, raising(BadAnswer("no")))
    with pytest.raises(LookupError):
        call(guard, raising(LookupError("a mistake of ours")))
    assert guard.counts == {"answered": 1, "bad_answer": 1}


def test_who_waits_is_let_go_at_the_deadline_and_the_work_is_told_to_end() -> None:
    guard = Guard("source", POLICY)
    told = threading.Event()

    def hang() -> str:
        told.wait(PATIENCE)
        return "too late"

    started = time.monotonic()
    with pytest.raises(Late):
        guard.call(hang, guard.begin() - PATIENCE + 0.2, told.set)
    assert time.monotonic() - started < PATIENCE / 2
    assert told.is_set()


def test_a_call_that_does_not_come_back_keeps_its_place_and_who_finds_none_is_told_at_once() -> None:
    guard = Guard("source", POLICY)
    end = threading.Event()

    def hang() -> str:
        end.wait(PATIENCE)
        return ""

    for _ in range(POLICY.calls):
        call_in_vain(guard, hang)
    wait_until(lambda: guard.in_flight == POLICY.calls)
    assert guard.look().state is State.DEGRADED
    with pytest.raises(Busy):
        call(guard)
    end.set()
    wait_until(lambda: not guard.in_flight)
    assert call(guard) == "answer"


def test_failures_in_a_row_open_the_circuit_and_only_in_a_row() -> None:
    guard = Guard("source", POLICY)
    fail(guard, 2)
    call(guard)
    fail(guard, 2)
    assert not guard.is_open
    fail(guard, 1, BadAnswer)
    assert guard.is_open
    assert guard.look().state is State.NOK
    with pytest.raises(CircuitOpen):
        call(guard)
    assert guard.counts["circuit_open"] == 1


def test_after_its_pause_one_call_tries_the_source() -> None:
    clock = Monotonic()
    guard = Guard("source", GuardPolicy(PATIENCE, calls=4, failures=1, pause_seconds=10.0), clock)
    fail(guard, 1)
    clock.now += 9.9
    with pytest.raises(CircuitOpen):
        call(guard)
    clock.now += 0.1
    fail(guard, 1)
    with pytest.raises(CircuitOpen):
        call(guard)
    clock.now += 10
    begun, end = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        end.wait(PATIENCE)
        return "answer"

    trial = threading.Thread(target=lambda: call(guard, slow))
    trial.start()
    assert begun.wait(PATIENCE)
    with pytest.raises(CircuitOpen):
        call(guard)
    end.set()
    trial.join()
    assert not guard.is_open
    assert call(guard) == "answer"


def test_after_its_pause_a_source_counts_as_one_to_be_tried() -> None:
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    fail(guard, 3)
    assert (guard.is_paused, guard.is_on_trial, guard.look().state) == (True, False, State.NOK)
    clock.now += POLICY.pause_seconds
    assert (guard.is_paused, guard.is_on_trial, guard.look().state) == (False, True, State.DEGRADED)
    call(guard)
    assert (guard.is_paused, guard.is_on_trial, guard.look().state) == (False, False, State.OK)


def test_an_address_that_was_away_and_answers_after_the_pause_closes_the_circuit() -> None:
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    fail(guard, 3, Late)
    guard.note_probe(answered=False)
    guard.note_probe(answered=True)
    assert guard.is_paused
    clock.now += POLICY.pause_seconds
    guard.note_probe(answered=True)
    assert not guard.is_open
    # It begins anew: no single failure opens it again.
    fail(guard, 2)
    assert not guard.is_open


def test_an_address_that_never_answers_about_nobody_keeps_no_call_away() -> None:
    """Such as one that serves no WSDL: its source may answer questions all the same."""
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    fail(guard, 3, Late)
    for _ in range(3):
        clock.now += POLICY.pause_seconds
        guard.note_probe(answered=False)
        assert guard.is_on_trial
    assert call(guard) == "answer"
    assert not guard.is_open


@pytest.mark.parametrize("error", [Late, BadAnswer])
def test_an_address_that_answers_while_calls_fail_says_nothing_of_them(error: type[Trouble]) -> None:
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    fail(guard, 2)
    fail(guard, 1, error)
    clock.now += POLICY.pause_seconds
    guard.note_probe(answered=True)
    assert guard.is_on_trial


def test_an_address_is_asked_while_the_circuit_is_open_and_once_in_a_pause() -> None:
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    assert not guard.is_probe_due
    fail(guard, 3)
    assert guard.is_probe_due
    guard.note_probe(answered=False)
    clock.now += POLICY.pause_seconds - 1
    assert not guard.is_probe_due
    clock.now += 1
    assert guard.is_probe_due
    guard.note_probe(answered=True)
    assert not guard.is_probe_due


def test_a_full_source_does_not_count_as_one_that_failed() -> None:
    guard = Guard("source", GuardPolicy(PATIENCE, calls=1, failures=2, pause_seconds=10.0))
    end = threading.Event()

    def hang() -> str:
        end.wait(PATIENCE)
        return ""

    call_in_vain(guard, hang)
    for _ in range(5):
        with pytest.raises(Busy):
            call(guard)
    assert not guard.is_open
    end.set()


def test_an_answer_about_another_person_is_told_for_an_hour() -> None:
    clock = Monotonic()
    guard = Guard("source", POLICY, clock)
    fail(guard, 1, WrongPerson)
    assert guard.look().state is State.DEGRADED
    clock.now += ALARM_SECONDS
    assert guard.look().state is State.OK


def test_calls_of_many_threads_run_side_by_side() -> None:
    guard = Guard("source", GuardPolicy(PATIENCE, calls=4))
    together = threading.Barrier(4, timeout=PATIENCE)

    def meet() -> str:
        together.wait()
        return "answer"

    threads = [threading.Thread(target=lambda: call(guard, meet)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guard.counts == {"answered": 4}
