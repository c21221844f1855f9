"""What stands between a source and everybody else: a deadline, a bounded number of calls in flight, a circuit breaker.

One guard for each source, or part of a source, in each worker process. A call runs in a thread of the guard's own: who
asks waits until the deadline and no longer, and a call that does not come back keeps its place until it does, so that
what hangs can never take more threads than its source has places.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import pybreaker
import structlog

from gateway.health.measure import Finding, sum_up
from gateway.sources.trouble import Busy, CircuitOpen, Late, NotReached, Trouble, WrongPerson
from services.health import State

log = structlog.get_logger(__name__)

ALARM_SECONDS = 3600
"""For how long HealthCheck tells of an answer about somebody else than was asked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """`deadline_seconds` for a question and all its calls; `failures` in a row open the circuit for `pause_seconds`."""

    deadline_seconds: float = 3.0
    calls: int = 8
    failures: int = 5
    pause_seconds: float = 10.0


class Guard:
    """Guards one source; threads share it. `counts` is how many calls ended how, by the words of `trouble`."""

    def __init__(self, name: str, policy: GuardPolicy, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self.policy = policy
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._slots = threading.Semaphore(policy.calls)
        self._trial = threading.Lock()
        self._lock = threading.Lock()
        self._in_flight = 0
        self._opened_at = float("-inf")
        self._probed_at = float("-inf")
        # Whether its address did not answer the last time that the source was called, or looked for.
        self._is_away = False
        self._alarmed_at = float("-inf")
        # pybreaker holds a lock while it calls: it is told of each call when that is over, and by its own outcome. Its
        # pause is kept here, by a clock that nobody sets back.
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=policy.failures, reset_timeout=0, throw_new_error_on_trip=False
        )
        self._pool = ThreadPoolExecutor(policy.calls, thread_name_prefix=f"source-{name}")

    def begin(self) -> float:
        """Return by when a question that begins now must be answered."""
        return self._clock() + self.policy.deadline_seconds

    def left(self, until: float) -> float:
        """Return the seconds left until then, at least 0."""
        return max(0.0, until - self._clock())

    def call(self, work: Callable[[], T], until: float, abort: Callable[[], None]) -> T:
        """Do the work in a thread and return what it returns, or raise what it raises.

        `abort` is called when the deadline passes first, and must make the work end soon. Raises Trouble: Late then,
        Busy when every place is taken, CircuitOpen when the source has failed too often just now.
        """
        try:
            with _Trial(self):
                result = self._run(work, until, abort)
        except Trouble as trouble:
            self._note(trouble.word)
            if isinstance(trouble, WrongPerson):
                self._alarmed_at = self._clock()
                log.error("source_answered_about_another_person", source=self.name)
            raise
        self._note("answered")
        return result

    @property
    def in_flight(self) -> int:
        """How many calls have not come back."""
        return self._in_flight

    @property
    def is_open(self) -> bool:
        """Tell whether calls are refused, or all but one, because too many failed."""
        return self._breaker.current_state != pybreaker.STATE_CLOSED

    @property
    def is_paused(self) -> bool:
        """Tell whether the source is left alone: the circuit is open and its pause is not over."""
        return self.is_open and self._clock() - self._opened_at < self.policy.pause_seconds

    @property
    def is_on_trial(self) -> bool:
        """Tell whether the pause is over and no call has tried the source yet."""
        return self.is_open and not self.is_paused

    @property
    def is_probe_due(self) -> bool:
        """Tell whether the source's address may be asked if it is there: while the circuit is open, once in a pause."""
        return self.is_open and self._clock() - self._probed_at >= self.policy.pause_seconds

    def note_probe(self, *, answered: bool) -> None:
        """Take note of whether the address answered when it was asked about nobody.

        One that was away and is there again closes the circuit after its pause. One that answers while calls fail says
        nothing of them, and neither does one that does not: a call tries the source when the pause is over.
        """
        with self._lock:
            self._probed_at = self._clock()
            if not answered:
                self._is_away = True
            elif self._is_away and self.is_on_trial:
                self._is_away = False
                self._breaker.close()
                log.info("source_circuit_closed", source=self.name)

    def look(self) -> Finding:
        """Tell how the source is, as far as the calls of this process know."""
        return sum_up(self._findings())

    def close(self) -> None:
        """Take no more calls; those in flight end by their deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _findings(self) -> Iterator[Finding]:
        failed = f"{self.policy.failures} calls failed in a row"
        if self.is_paused:
            yield Finding(State.NOK, f"{failed}: asked again now and then")
        elif self.is_open:
            yield Finding(State.DEGRADED, f"{failed}, and none was tried since: the next one is")
        if self._clock() - self._alarmed_at < ALARM_SECONDS:
            yield Finding(State.DEGRADED, "it answered about another person than was asked, within the last hour")
        if self._in_flight >= self.policy.calls:
            yield Finding(State.DEGRADED, f"all {self.policy.calls} places for calls are taken")

    def _run(self, work: Callable[[], T], until: float, abort: Callable[[], None]) -> T:
        if not self._slots.acquire(blocking=False):
            raise Busy(f"all {self.policy.calls} places for calls are taken")
        future: Future[T] = self._pool.submit(self._work, work)
        try:
            result = future.result(self.left(until))
        except TimeoutError:
            abort()
            late = Late("no answer in time")
            self._report(late)
            raise late from None
        except Trouble as trouble:
            self._report(trouble)
            raise
        self._report(None)
        return result

    def _work(self, work: Callable[[], T]) -> T:
        with self._lock:
            self._in_flight += 1
        try:
            return work()
        finally:
            with self._lock:
                self._in_flight -= 1
            self._slots.release()

    def _note(self, word: str) -> None:
        with self._lock:
            self.counts[word] += 1

    def _report(self, trouble: Trouble | None) -> None:
        def tell() -> None:
            if trouble is not None:
                raise trouble

        with self._lock:
            was_open = self.is_open
            if was_open:
                self._breaker.half_open()
            try:
                self._breaker.call(tell)
            except Trouble:
                self._opened_at = self._clock()
            self._is_away = isinstance(trouble, NotReached)
            is_open = self.is_open
        if is_open and not was_open:
            log.warning("source_circuit_open", source=self.name, error=type(trouble).__name__)
        elif was_open and not is_open:
            log.info("source_circuit_closed", source=self.name)


class _Trial:
    """Lets everybody through a closed circuit, and one call at a time through an open one after its pause."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._holds = False

    def __enter__(self) -> None:
        guard = self._guard
        if not guard.is_open:
            return
        if guard.is_paused or not guard._trial.acquire(blocking=False):
            raise CircuitOpen("it failed too often just now")
        self._holds = True

    def __exit__(self, *error: object) -> None:
        if self._holds:
            self._guard._trial.release()
