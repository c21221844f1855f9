"""`python -m bench [--quick] [--only NAME …]`: prepare, start all contestants, drive them in turn, and report."""

import argparse
import compileall
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import commits, decisions, stages
from bench.contestants import CONTESTANTS, POSTGRESQL, WORLDS, Contestant
from bench.postgresql import copy_world
from bench.report import save, show
from bench.rounds import FULL, QUICK, Bench, Size, tell
from bench.run import Run
from bench.world import ROOT, World, copy, prepare
from tests.postgresql_server import running_server

_RUN = ROOT / "run"


def main() -> int:
    """Run the benchmark; 0 even where a target is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, no large worlds")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these contestants, beside ours")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    for tool in ("wrk", "cc"):
        if shutil.which(tool) is None:
            console.print(f"{tool} is not there: bench/install.sh installs it.")
            return 1
    chosen = [each for each in CONTESTANTS if each.name in ("ours", *given.only) or not given.only]
    if given.quick:
        chosen = [each for each in chosen if not each.only_full]
    size = QUICK if given.quick else FULL
    shutil.rmtree(_RUN, ignore_errors=True)
    _RUN.mkdir(parents=True)
    _compile()
    run, state = _run(chosen, size)
    if not given.only:
        tell("decisions, beside other engines")
        run.decisions = _apart(decisions.measure)
        tell("records, in groups and one by one")
        run.commits = commits.measure(state, size.commit_seconds)
    show(run, console)
    save(run, _RUN, full=not (given.quick or given.only))
    console.print(f"{_RUN}/results.json, {_RUN}/results.svg")
    return 0


def _run(chosen: list[Contestant], size: Size) -> tuple[Run, Path]:
    """Run all contestants; return what was measured, and a state to measure more with."""
    with ExitStack() as stack:
        processes = stack.enter_context(ProcessPoolExecutor(2))
        tell("preparing the worlds; the first time that takes minutes")
        worlds = _prepare(chosen, processes, stack)
        bench = Bench(_RUN, worlds, processes, size)
        bench.start(chosen, stack)
        # The first round warms up and checks every answer; it does not count.
        for number in range(size.rounds + 1):
            bench.measure_round(chosen, number)
        bench.measure_at_rate(chosen[0])
        bench.measure_memory(chosen[0])
    bench.measure_start(chosen[0])
    tell("the stages of one consultation")
    bench.run.stages = _apart(stages.measure, worlds["usual"])
    return bench.run, worlds["usual"].state


def _compile() -> None:
    """Compile our modules, as pip does when it installs them; else each start may do it anew."""
    for package in ("authz", "fixtures", "gateway", "services"):
        compileall.compile_dir(package, quiet=1)


def _prepare(chosen: list[Contestant], processes: ProcessPoolExecutor, stack: ExitStack) -> dict[str, World]:
    """Return a copy of each world that is asked; what is missing is made, two side by side."""
    names = [name for name in WORLDS if any(each.world == name for each in chosen)]
    kept = {size: processes.submit(prepare, *size) for size in dict.fromkeys(WORLDS[name] for name in names)}
    worlds = {name: copy(kept[WORLDS[name]].result(), _RUN / name.replace(" ", "-")) for name in names}
    if POSTGRESQL in worlds:
        server = stack.enter_context(running_server(durable=True))
        url = server.url(server.create_database())
        copy_world(worlds[POSTGRESQL].state, url)
        worlds[POSTGRESQL] = replace(worlds[POSTGRESQL], database_url=url, database_pid=server.pid)
    return worlds


def _apart(measure: Callable[..., Any], *given: Any) -> Any:
    """Measure in a process of its own, which may be left as it is then."""
    with ProcessPoolExecutor(1) as process:
        return process.submit(measure, *given).result()


if __name__ == "__main__":
    sys.exit(main())
