"""Measures: runs checks side by side, each with a deadline, none twice at a time.

A check that hangs costs one thread, however often is measured: it is NOK until it comes back, and then measured anew.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic, perf_counter

from gateway.clock import Clock
from services.health import Component, Kind, State

DEADLINE_SECONDS = 3.0
SLOW_MILLISECONDS = 1000
_ORDER = tuple(State)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `detail` is for people, and names nobody and nothing secret."""

    state: State = State.OK
    detail: str = ""


Check = Callable[[], Finding]
"""Looks at one component. What it raises makes the component NOK, and is told by its class alone."""


def worse_of(measured: Component, known: Finding | None) -> Component:
    """Return the component as it was measured, or with what is known of it if that is worse; of like trouble both."""
    if known is None or known.state is State.OK or _ORDER.index(known.state) < _ORDER.index(measured.state):
        return measured
    both = known.state is measured.state and known.detail != measured.detail
    return replace(measured, state=known.state, detail=f"{measured.detail}; {known.detail}" if both else known.detail)


def worst_of(findings: Iterable[Finding]) -> Finding:
    """Return the worst, of like ones the first; ValueError for none."""
    return max(findings, key=lambda each: _ORDER.index(each.state))


def sum_up(findings: Iterable[Finding]) -> Finding:
    """Return the worst state with the details of all that are as bad; all is well for none."""
    found = tuple(findings)
    worst = worst_of((Finding(), *found)).state
    return Finding(worst, "; ".join(each.detail for each in found if each.state is worst))


class Measurer:
    """Measures components by their names, one measurement at a time; `rest` is called after each.

    `known` tells what is known of components otherwise: of that and what was measured the worse counts.
    """

    def __init__(
        self,
        checks: Mapping[tuple[str, Kind], Check],
        clock: Clock,
        deadline_seconds: float = DEADLINE_SECONDS,
        rest: Callable[[], None] = lambda: None,
        known: Callable[[], Mapping[str, Finding]] = dict,
    ) -> None:
        self._runners = [_Runner(name, kind, check) for (name, kind), check in checks.items()]
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._rest = rest
        self._known = known
        self._measuring = threading.Lock()

    def measure(self) -> tuple[Component, ...]:
        """Return every component as it is now, after at most the deadline."""
        with self._measuring:
            now = self._clock()
            until = monotonic() + self._deadline_seconds
            runs = [(runner, runner.begin()) for runner in self._runners]
            known = self._known()
            measured = []
            for runner, run in runs:
                run.done.wait(max(0.0, until - monotonic()))
                finding, milliseconds = run.result or (self._late(), round(self._deadline_seconds * 1000))
                component = Component(runner.name, runner.kind, finding.state, milliseconds, now, finding.detail)
                measured.append(worse_of(component, known.get(runner.name)))
            self._rest()
            return tuple(measured)

    def _late(self) -> Finding:
        return Finding(State.NOK, f"no answer within {self._deadline_seconds:g} s")


class _Run:
    """One call of a check, in its thread."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.result: tuple[Finding, int] | None = None


class _Runner:
    """Calls a check, in a thread of its own; while a call lasts, no other begins."""

    def __init__(self, name: str, kind: Kind, check: Check) -> None:
        self.name = name
        self.kind = kind
        self._check = check
        self._run: _Run | None = None

    def begin(self) -> _Run:
        """Begin a call; while the former lasts, return one that never ends."""
        if self._run is not None and not self._run.done.is_set():
            return _Run()
        run = self._run = _Run()
        threading.Thread(target=self._call, args=(run,), name=f"check-{self.name}", daemon=True).start()
        return run

    def _call(self, run: _Run) -> None:
        started = perf_counter()
        try:
            finding = self._check()
        except Exception as error:
            # The class alone: an exception's text may hold an address or a password of the deployment.
            finding = Finding(State.NOK, type(error).__name__)
        milliseconds = round((perf_counter() - started) * 1000)
        if finding.state is State.OK and milliseconds > SLOW_MILLISECONDS:
            finding = Finding(State.DEGRADED, f"slow: more than {SLOW_MILLISECONDS} ms")
        run.result = finding, milliseconds
        run.done.set()
