"""Sends many inputs and counts what came of them; in several processes, each with a gateway of its own."""

import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context

from fuzz.judge import Verdict, judge
from fuzz.mutate import Input, make_input
from fuzz.target import Target, open_target

# A client with a quota of thirty a minute, and two inputs in a hundred, stays within it.
_STEP = timedelta(milliseconds=50)
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """An input whose answer is wrong, with all that is needed to send it again."""

    seed: int
    number: int
    problems: tuple[str, ...]
    content: bytes


@dataclass
class Report:
    """What came of the inputs. `verified` are those whose sender was let in; `codes` counts the answers."""

    inputs: int = 0
    verified: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """The share of the inputs that passed verification."""
        return self.verified / self.inputs if self.inputs else 0.0

    def add(self, other: "Report") -> None:
        """Count in what another process found."""
        self.inputs += other.inputs
        self.verified += other.verified
        self.codes += other.codes
        self.findings += other.findings


def run(target: Target, seed: int, numbers: Iterable[int]) -> Report:
    """Send the inputs of these numbers to one gateway; stops early after many findings."""
    report = Report()
    started = time.monotonic()
    for number in numbers:
        asked = make_input(target, seed, number)
        verdict = try_one(target, asked)
        report.inputs += 1
        report.verified += verdict.verified
        report.codes[verdict.code] += 1
        if verdict.problems:
            report.findings.append(Finding(seed, number, verdict.problems, asked.request.content))
            if len(report.findings) >= MOST_FINDINGS:
                break
        target.advance(_STEP)
    report.seconds = time.monotonic() - started
    return report


def try_one(target: Target, asked: Input) -> Verdict:
    """Send one input and judge its answer; whatever the gateway raises is a finding."""
    logged = len(target.logged)
    started = time.process_time()
    try:
        reply = target.send(asked.request)
    except Exception as error:
        return Verdict("none", False, (f"raised {type(error).__name__}: {error}",))
    return judge(asked, reply, target.logged[logged:], time.process_time() - started)


def run_in_processes(seed: int, count: int, processes: int) -> Report:
    """Share the numbers out among processes, and add up what they report."""
    report = Report()
    started = time.monotonic()
    # Fresh interpreters: threads of a gateway do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for part in pool.map(_run_share, [(seed, range(first, count, processes)) for first in range(processes)]):
            report.add(part)
    report.seconds = time.monotonic() - started
    return report


def _run_share(share: tuple[int, range]) -> Report:
    seed, numbers = share
    with open_target() as target:
        return run(target, seed, numbers)
