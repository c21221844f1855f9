"""What came of a fault run, judged against its promise, as a row of a table and as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.load import WELL, Asked
from faults.log import find_answered_twice, find_lost, find_unanswered, is_whole
from faults.promises import Promise
from faults.trial import Trial

_COLUMNS = {
    "fault": "fault",
    "asked": "asked",
    "answered": "answered with data",
    "told": "told otherwise",
    "unanswered_recorded": "recorded, answer not arrived",
    "lost": "answered without record",
    "twice": "answered twice",
    "silence_seconds": "nobody answered, s",
    "back_seconds": "back after, s",
    "within_seconds": "promised, s",
    "descriptors": "descriptors more",
}


@dataclass(frozen=True, slots=True)
class Report:
    """`findings` are broken promises; the run is good without."""

    name: str
    fault: str
    asked: int
    answered: int
    told: Mapping[str, int]
    unanswered_recorded: int
    lost: int
    twice: int
    silence_seconds: float
    back_seconds: float
    within_seconds: float
    descriptors: int
    notes: tuple[str, ...]
    findings: tuple[str, ...]


def judge(promise: Promise, trial: Trial) -> Report:
    """Compare what the clients hold with the log, and all of it with the promise; the gateway must have stopped."""
    codes = Counter(each.code for each in trial.asked)
    lost, twice = find_lost(trial.url, trial.asked), find_answered_twice(trial.url, trial.asked)
    back = trial.back_after()
    findings = [*trial.findings, *_find_wrongly_told(promise, trial)]
    if lost:
        findings.append(f"{lost} answers have no record")
    if twice:
        findings.append(f"{twice} messages were answered twice")
    if not is_whole(trial.state, trial.url):
        findings.append("the log is not what was signed")
    if back > promise.within_seconds:
        findings.append(f"service was back after {back:.1f} s, and {promise.within_seconds:g} s are promised")
    return Report(
        name=promise.name,
        fault=promise.fault,
        asked=len(trial.asked),
        answered=codes.pop(WELL, 0),
        told=dict(codes.most_common()),
        unanswered_recorded=find_unanswered(trial.url, trial.asked),
        lost=lost,
        twice=twice,
        silence_seconds=round(trial.longest_silence(), 2),
        back_seconds=round(back, 2),
        within_seconds=promise.within_seconds,
        descriptors=trial.descriptors,
        notes=tuple(trial.notes),
        findings=tuple(findings),
    )


def _find_wrongly_told(promise: Promise, trial: Trial) -> Iterable[str]:
    """Say what clients got that they were not to get: anything but data, where the fault is not theirs."""
    wrong = Counter(each.code for each in trial.asked if each.code not in _allowed(promise, trial, each))
    return [f"{count} were told {code}" for code, count in wrong.most_common()]


def _allowed(promise: Promise, trial: Trial, asked: Asked) -> frozenset[str]:
    concerned = trial.concerned is None or asked.client in trial.concerned
    return promise.told | {WELL} if concerned and asked.ended >= trial.began else frozenset({WELL})


def to_document(reports: Iterable[Report]) -> dict[str, Any]:
    """Return the reports as JSON takes them."""
    rows = [asdict(report) for report in reports]
    return {"kept": not any(row["findings"] for row in rows), "runs": rows}


def show(reports: Iterable[Report], console: Console) -> None:
    """Print the table, and below it what is to be said of single runs."""
    reports = list(reports)
    table = Table(*_COLUMNS.values(), header_style="bold", pad_edge=False)
    for report in reports:
        values = asdict(report)
        told = ", ".join(f"{count} {code}" for code, count in report.told.items())
        table.add_row(*(str(told if name == "told" else values[name]) for name in _COLUMNS))
    console.print(table)
    for report in reports:
        for note in report.notes:
            console.print(f"{report.name}: {note}", soft_wrap=True)
        for finding in report.findings:
            console.print(f"[bold red]{report.name}: {finding}[/]", soft_wrap=True)
    if not any(report.findings for report in reports):
        console.print("Every promise was kept.")
