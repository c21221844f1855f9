"""`python -m faults.soak --requests N`: consult so often, and tell whether memory and descriptors stay as they are.

Ends with 1 when the last quarter takes more than 5 % more memory than the second, when descriptors or connections grow,
or when a reply has no record.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table

from faults.__main__ import prepare
from faults.load import WELL, Asked, Load
from faults.log import find_lost, is_whole
from faults.processes import count_connections, count_descriptors, measure_memory
from faults.trial import POOLS, Trial
from tests.e2e.conftest import RunningGateway

CLIENTS = (("pcsa", "pensions"), ("integrator", "unemployment"))
"""Of each process; each client is a thread."""
MOST_GROWTH = 1.05
SAMPLES = 80


@dataclass(frozen=True, slots=True)
class Sample:
    """The gateway after so many requests; `memory` in octets."""

    requests: int
    memory: int
    descriptors: int
    connections: int


@dataclass(frozen=True, slots=True)
class Quarter:
    """The means of the samples of a quarter of the run."""

    memory: float
    descriptors: float
    connections: float


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m faults.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ksz-soak-") as directory:
        state = Path(directory) / "state"
        prepare(state)
        trial = Trial(state, f"sqlite:///{state / 'ksz.db'}")
        with trial.serving("--workers", "2") as gateway:
            started = time.monotonic()
            samples = consult(gateway, given.requests, trial.asked)
            seconds = time.monotonic() - started
        quarters = make_quarters(samples)
        codes = Counter(each.code for each in trial.asked)
        lost, whole = find_lost(trial.url, trial.asked), is_whole(state, trial.url)
    findings = [*find_growth(quarters)]
    findings += [f"{count} were told {code}" for code, count in codes.items() if code != WELL]
    findings += [f"{lost} answers have no record"] * bool(lost)
    findings += ["the log is not what was signed"] * (not whole)
    document = {
        "kept": not findings,
        "requests": codes.total(),
        "seconds": round(seconds, 1),
        "answeredWithoutRecord": lost,
        "quarters": [asdict(each) for each in quarters],
        "findings": findings,
    }
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        _show(document, quarters)
    return int(bool(findings))


def consult(gateway: RunningGateway, requests: int, asked: list[Asked]) -> list[Sample]:
    """Send so many requests from processes of their own; put what came of them into `asked`, and sample meanwhile."""
    context = get_context("spawn")
    results: Queue[list[Asked]] = context.Queue()
    share = requests // len(CLIENTS)
    processes = [
        context.Process(target=_consult, args=(gateway.url, gateway.state, clients, share, results), daemon=True)
        for clients in CLIENTS
    ]
    for process in processes:
        process.start()
    samples: list[Sample] = []
    while len(asked) < share * len(CLIENTS):
        asked += results.get(timeout=120)
        if len(asked) >= requests * (len(samples) + 1) // SAMPLES:
            samples.append(
                Sample(len(asked), measure_memory(gateway), count_descriptors(gateway), count_connections(gateway))
            )
    for process in processes:
        process.join()
    return samples


def _consult(url: str, state: Path, clients: Sequence[str], count: int, results: "Queue[list[Asked]]") -> None:
    """Ask until so many messages have come to an end, and hand over what came of them, part by part."""
    told = 0
    with Load(RunningGateway(url, "", state, state, None), clients) as load:
        while told < count:
            time.sleep(0.2)
            part = load.asked[told:count]
            if part:
                results.put(part)
                told += len(part)


def make_quarters(samples: Sequence[Sample]) -> list[Quarter]:
    """Return the means of each quarter of the samples."""
    bounds = [len(samples) * number // 4 for number in range(5)]
    return [
        Quarter(
            memory=mean(each.memory for each in part),
            descriptors=mean(each.descriptors for each in part),
            connections=mean(each.connections for each in part),
        )
        for part in (samples[begin:end] for begin, end in pairwise(bounds))
    ]


def find_growth(quarters: Sequence[Quarter]) -> list[str]:
    """Say what grew from the second quarter, when all caches are warm, to the last."""
    second, last = quarters[1], quarters[3]
    findings = []
    if last.memory > MOST_GROWTH * second.memory:
        findings.append(f"the last quarter takes {last.memory / second.memory - 1:.1%} more memory than the second")
    if last.descriptors > second.descriptors + POOLS:
        findings.append(f"descriptors grew from {second.descriptors:.0f} to {last.descriptors:.0f}")
    if last.connections > second.connections + 1:
        findings.append(f"connections grew from {second.connections:.0f} to {last.connections:.0f}")
    return findings


def _show(document: dict[str, object], quarters: Sequence[Quarter]) -> None:
    console = Console(highlight=False)
    table = Table("quarter", "memory, MB", "descriptors", "connections", header_style="bold", pad_edge=False)
    for number, each in enumerate(quarters, start=1):
        table.add_row(str(number), f"{each.memory / 1e6:.1f}", f"{each.descriptors:.1f}", f"{each.connections:.1f}")
    console.print(table)
    console.print(
        f"{document['requests']} requests in {document['seconds']} s;"
        f" {document['answeredWithoutRecord']} answers have no record."
    )
    for finding in document["findings"]:  # type: ignore[attr-defined]
        console.print(f"[bold red]{finding}[/]", soft_wrap=True)
    if document["kept"]:
        console.print("Nothing grew, and nothing was lost.")


if __name__ == "__main__":
    sys.exit(main())
