"""What a run measured, as a table for people, JSON for machines, a plot, and the page that keeps the last full run."""

import json
import os
import platform
import ssl
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.contestants import CONTESTANTS, TARGETS, Target
from bench.load import Round

_MEGABYTE = 1024 * 1024
_PACKAGES = ("gunicorn", "spyne", "lxml", "xmlsec", "cryptography", "SQLAlchemy")
RESULTS = Path(__file__).with_name("RESULTS.md")
_BEGIN, _END = "<!-- measured: written by make bench -->", "<!-- end of what was measured -->"


@dataclass(slots=True)
class Run:
    """What was measured: `rounds` by contestant, the `limit` of each round, and what was measured once."""

    rounds: dict[str, list[Round]] = field(default_factory=dict)
    limit: list[float] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    started_in: dict[str, float] = field(default_factory=dict)
    at_rate: Round | None = None
    stages: list[tuple[str, float]] = field(default_factory=list)

    def ratio(self, target: Target) -> float | None:
        """Return the median, over the rounds, of the ratio within a round; None where a part did not run."""
        if not {target.what, *target.of} <= {*self.rounds, "limit"}:
            return None
        parts = [self._costs(name) for name in target.of]
        ratios = [cost / sum(others) for cost, *others in zip(self._costs(target.what), *parts, strict=True)]
        return float(median(ratios))

    def _costs(self, name: str) -> list[float]:
        return self.limit if name == "limit" else [each.cpu for each in self.rounds[name]]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each contestant, in their order, the limit last."""
        ours = median(each.cpu for each in self.rounds["ours"])
        rows = [self._row(each.name, each.title) for each in CONTESTANTS if each.name in self.rounds]
        limit = median(self.limit)
        return [*rows, {"name": "limit", "title": "the limit, in process", "cpu": limit, "ratio": limit / ours}]

    def _row(self, name: str, title: str) -> dict[str, Any]:
        rounds = self.rounds[name]
        medians = {key: median(asdict(each)[key] for each in rounds) for key in asdict(rounds[0])}
        ratio = median(each.cpu / own.cpu for each, own in zip(rounds, self.rounds["ours"], strict=True))
        memory = {"memory": self.memory[name], "largest": self.largest[name], "startedIn": self.started_in[name]}
        return {"name": name, "title": title, **medians, "ratio": ratio, **memory}

    def judged(self) -> list[tuple[str, float, float]]:
        """Return (what, measured, at most) for each target that this run measured."""
        ratios = [(each.title, self.ratio(each), each.most) for each in TARGETS]
        judged = [(title, ratio, most) for title, ratio, most in ratios if ratio is not None]
        if self.at_rate is not None:
            judged.append(("p99 : p50 at 70 % of the saturated rate", self.at_rate.p99 / self.at_rate.p50, 6.0))
        judged.append(("memory of the largest worker, MB", self.largest["ours"] / _MEGABYTE, 150.0))
        judged.append(("serve to first answer, s", self.started_in["ours"], 2.0))
        return judged


def describe_machine() -> Mapping[str, str]:
    """Name what the numbers depend on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} x {model}, Linux {platform.release()}",
        "python": f"{platform.python_version()}, {_optimisation()}",
        "openssl": ssl.OPENSSL_VERSION,
        **{name: version(name) for name in _PACKAGES},
    }


def _optimisation() -> str:
    """Tell how this interpreter was built: it changes everything that is written in Python."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return "built with PGO" if "--enable-optimizations" in arguments else "built without PGO"


def show(run: Run, console: Console) -> None:
    """Print the table, and what was reached."""
    table = Table(title="CPU of the whole server per request, and more (medians of the rounds)")
    for name in ("", "CPU us", "ratio", "requests/s", "p50 ms", "p99 ms", "memory MB", "request", "reply"):
        table.add_column(name, justify="left" if not name else "right")
    for row in run.rows():
        table.add_row(row["title"], *_cells(row))
    console.print(table)
    for title, measured, most in run.judged():
        mark = "[green]reached[/]" if measured <= most else "[red]missed[/]"
        console.print(f"{mark:20} {title}: {measured:.2f}, at most {most:g}")


def save(run: Run, folder: Path, *, full: bool) -> None:
    """Write results.json and results.svg; after a full run RESULTS.md too."""
    machine = describe_machine()
    rows = run.rows()
    document = {"machine": machine, "rows": rows, "targets": run.judged(), "stages": run.stages}
    (folder / "results.json").write_text(json.dumps(document, indent=1))
    (folder / "results.svg").write_text(_plot(rows))
    if full:
        RESULTS.with_name("results.svg").write_text(_plot(rows))
        _rewrite_page(_measured(run, machine, rows))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    costs = (f"{row['cpu']:.0f}", f"{row['ratio']:.2f}")
    if "p50" not in row:
        return costs
    times = (f"{row['per_second']:.0f}", f"{row['p50'] / 1000:.1f}", f"{row['p99'] / 1000:.1f}")
    return (*costs, *times, f"{row['memory'] / _MEGABYTE:.0f}", f"{row['request']:.0f}", f"{row['reply']:.0f}")


def _plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw a bar for each row's CPU."""
    most = max(row["cpu"] for row in rows)
    bars = "".join(
        f'<text x="230" y="{y + 15}" text-anchor="end">{escape(row["title"])}</text>'
        f'<rect x="240" y="{y}" width="{420 * row["cpu"] / most:.1f}" height="20" '
        f'fill="{"#2a6f97" if row["name"].startswith(("ours", "few", "many")) else "#b0b7bd"}"/>'
        f'<text x="{246 + 420 * row["cpu"] / most:.1f}" y="{y + 15}">{row["cpu"]:.0f}</text>'
        for y, row in zip(range(40, 1000, 28), rows, strict=False)
    )
    height = 50 + 28 * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="730" height="{height}" '
        'font-family="sans-serif" font-size="13">'
        f'<rect width="730" height="{height}" fill="white"/>'
        f'<text x="10" y="22">CPU microseconds of the whole server per request, median</text>{bars}</svg>\n'
    )


def _measured(run: Run, machine: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    table = [
        "| server | CPU us | ratio to ours | requests/s | p50 ms | p99 ms | memory MB | request | reply |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
        *(f"| {row['title']} | {' | '.join(_cells(row))} |" for row in rows),
    ]
    targets = [
        "| target | measured | at most | |",
        "| --- | --: | --: | --- |",
        *(
            f"| {title} | {measured:.2f} | {most:g} | {'reached' if measured <= most else '**missed**'} |"
            for title, measured, most in run.judged()
        ),
    ]
    described = [f"- {name}: {value}" for name, value in machine.items()]
    stages = [
        "| stage of ours, one request at a time | CPU us |",
        "| --- | --: |",
        *(f"| {title} | {cost:.0f} |" for title, cost in run.stages),
    ]
    return "\n".join([*described, "", *table, "", "![CPU per request](results.svg)", "", *targets, "", *stages])


def _rewrite_page(measured: str) -> None:
    before, _, rest = RESULTS.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    RESULTS.write_text(f"{before}{_BEGIN}\n\n{measured}\n\n{_END}{after}")
