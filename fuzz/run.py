"""Tries many inputs and counts what came of them; in several processes, each with targets of its own."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import FrameType

from fuzz import target
from fuzz.target import Target, Tried, Try
from fuzz.targets import TARGETS

MOST_FINDINGS = 20
# Between two words of progress: long enough to be worth the opening of a gateway.
_INPUTS_TOGETHER = 20_000


@dataclass(frozen=True, slots=True)
class Finding:
    """An input whose answer is wrong, with all that is needed to try it again."""

    target: str
    seed: int
    number: int
    problems: tuple[str, ...]
    content: bytes


@dataclass
class Report:
    """What came of the inputs of one target. `passed` are those behind verification; `codes` counts the answers."""

    inputs: int = 0
    passed: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The share of the inputs that passed verification."""
        return self.passed / self.inputs if self.inputs else 0.0

    def add(self, other: "Report") -> None:
        """Count in what another process found."""
        self.inputs += other.inputs
        self.passed += other.passed
        self.codes += other.codes
        self.findings += other.findings
        self.seconds += other.seconds

    def is_bad(self, target: Target) -> bool:
        """Tell whether anything was found, or too little was tried behind verification."""
        return bool(self.findings) or self.share < target.least


def run(name: str, attempt: Try, seed: int, numbers: Iterable[int]) -> Report:
    """Try the inputs of these numbers on one target; stops early after many findings. In a main thread alone."""
    report = Report()
    started = time.monotonic()
    for number in numbers:
        tried = _try_in_time(attempt, seed, number)
        report.inputs += 1
        report.passed += tried.passed
        report.codes[tried.code] += 1
        if tried.problems:
            report.findings.append(Finding(name, seed, number, tried.problems, tried.content))
            if len(report.findings) >= MOST_FINDINGS:
                break
    report.seconds = time.monotonic() - started
    return report


class _Hung(BaseException):
    """Raised in the middle of an input that does not end; no `except Exception` takes it for a failure of its own."""


def _try_in_time(attempt: Try, seed: int, number: int) -> Tried:
    with _alarm(target.HUNG_SECONDS):
        try:
            return attempt(seed, number)
        except _Hung as hung:
            return Tried(b"", "none", False, (f"had not ended after {target.HUNG_SECONDS:g} s: {hung}",))


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def raise_hung(signum: int, frame: FrameType | None) -> None:
        raise _Hung(f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "")

    former = signal.signal(signal.SIGALRM, raise_hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def try_one(name: str, seed: int, number: int) -> Tried:
    """Try one input on a target of its own."""
    with TARGETS[name].open() as attempt:
        return attempt(seed, number)


def run_in_processes(
    counts: Mapping[str, int], seed: int, processes: int, progress: Callable[[str, Report], None]
) -> Mapping[str, Report]:
    """Share the inputs of each target out among processes, and add up the reports; `progress` is told each part."""
    reports = {name: Report() for name in counts}
    # Fresh interpreters: threads of a gateway do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = {
            pool.submit(_run_part, name, seed, range(first, min(first + size, count))): name
            for name, count in counts.items()
            for size in (min(_INPUTS_TOGETHER, -(-count // processes)),)
            for first in range(0, count, size)
        }
        for part in as_completed(parts):
            name = parts[part]
            reports[name].add(part.result())
            progress(name, reports[name])
    return reports


def _run_part(name: str, seed: int, numbers: range) -> Report:
    with TARGETS[name].open() as attempt:
        return run(name, attempt, seed, numbers)
