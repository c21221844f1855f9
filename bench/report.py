"""What a run measured, as tables for people and JSON for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.page import rewrite_page
from bench.plot import plot
from bench.run import Run, describe_machine
from bench.targets import judge

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first column holds words, the others numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sheets(run: Run) -> list[Sheet]:
    """Return all that is told of a run."""
    return [
        Sheet(
            "CPU of the whole server per request (medians of the rounds), and what goes with it",
            ("server", "CPU us", "ratio", "requests/s", "p50 ms", "p99 ms", "memory MB", "request", "reply"),
            [(row["title"], *_cells(row)) for row in run.rows()],
        ),
        Sheet(
            "Must be reached",
            ("what", "measured", "at most", ""),
            [
                (
                    each.title,
                    f"{each.measured:.2f}" if each.measured is not None else "",
                    f"{each.most:g}",
                    each.verdict,
                )
                for each in judge(run)
            ],
        ),
        Sheet(
            "Where the CPU of one signed consultation goes, one at a time",
            ("stage", "us"),
            [(title, f"{cost:.0f}") for title, cost in run.stages],
        ),
        Sheet(
            "Microseconds per decision (medians)",
            ("engine", "annexes", "us"),
            [(each.engine, f"{each.annexes:,}", f"{each.microseconds:.1f}") for each in run.decisions],
        ),
        Sheet(
            "Audited requests per second",
            ("database", "fsync", "at a time", "one commit each", "group commit", "gain"),
            [
                (
                    each.database,
                    each.fsync,
                    str(each.at_a_time),
                    f"{each.single:.0f}",
                    f"{each.grouped:.0f}",
                    _gain(each),
                )
                for each in run.commits
            ],
        ),
    ]


def show(run: Run, console: Console) -> None:
    """Print the tables."""
    for sheet in sheets(run):
        if sheet.rows:
            table = Table(title=sheet.title, title_justify="left")
            for number, name in enumerate(sheet.columns):
                table.add_column(name, justify="right" if number else "left", no_wrap=True)
            for row in sheet.rows:
                table.add_row(*row, style=_STYLES.get(row[-1]))
            console.print(table)


def save(run: Run, folder: Path, *, full: bool) -> None:
    """Write results.json and results.svg; after a full run RESULTS.md and its plot too."""
    machine, rows = describe_machine(), run.rows()
    document = {
        "machine": machine,
        "rows": rows,
        "targets": [asdict(each) | {"verdict": each.verdict} for each in judge(run)],
        "stages": run.stages,
        "decisions": [asdict(each) for each in run.decisions],
        "commits": [asdict(each) for each in run.commits],
        "atRate": asdict(run.at_rate) if run.at_rate else None,
    }
    (folder / "results.json").write_text(json.dumps(document, indent=1))
    (folder / "results.svg").write_text(plot(rows))
    if full:
        rewrite_page(machine, [(each.title, each.columns, each.rows) for each in sheets(run)], plot(rows))


_STYLES = {"reached": "green", "missed": "red"}


def _gain(each: Any) -> str:
    return f"{each.grouped / each.single:.1f} x"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    costs = (f"{row['cpu']:.0f}", f"{row['ratio']:.2f}")
    if "p50" not in row:
        return (*costs, *("",) * 6)
    times = (f"{row['per_second']:.0f}", f"{row['p50'] / 1000:.1f}", f"{row['p99'] / 1000:.1f}")
    memory = f"{row['memory'] / _MEGABYTE:.0f}" if row["memory"] else ""
    return (*costs, *times, memory, f"{row['request']:.0f}", f"{row['reply']:.0f}")
