"""`python -m bench [--quick] [--only NAME …]`: start all contestants, drive them in turn, and report."""

import argparse
import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from rich.console import Console

from bench.contestants import CONTESTANTS, WORLDS, Contestant
from bench.driver import CONNECTIONS
from bench.limit import measure
from bench.load import drive, make_pool
from bench.report import Run, save, show
from bench.servers import Server, free_port, running
from bench.stages import measure as measure_stages
from bench.world import ROOT, World, prepare

console = Console()
# Requests of a round to the cheapest contestant; the others get fewer, by what they cost.
_QUICK, _FULL = (3, 3_000), (5, 6_000)


def main() -> int:
    """Run the benchmark; 0 even where a target is missed: the table says so."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, one world")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these contestants, beside ours")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        console.print("wrk is not there: apt-get install wrk")
        return 1
    chosen = [
        each
        for each in CONTESTANTS
        if each.name in ("ours", *given.only) or not (given.only or (given.quick and each.only_full))
    ]
    rounds, size = _QUICK if given.quick else _FULL
    folder = ROOT / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        console.print("Preparing the worlds (minutes the first time) ...")
        worlds = {name: prepare(folder, *WORLDS[name]) for name in dict.fromkeys(each.world for each in chosen)}
        signers = stack.enter_context(ProcessPoolExecutor(2))
        servers = {each.name: _start(each, worlds[each.world], folder, stack) for each in chosen}
        run = _measure(chosen, servers, worlds, folder, signers, rounds, size)
        _finish(run, chosen[0], servers, worlds, folder, signers, size)
        if not given.quick:
            # In a process of its own, which it leaves changed.
            run.stages = stack.enter_context(ProcessPoolExecutor(1)).submit(measure_stages, worlds["usual"]).result()
    show(run, console)
    save(run, folder, full=not (given.quick or given.only))
    console.print(f"{folder}/results.json, {folder}/results.svg")
    return 0


def _start(contestant: Contestant, world: World, folder: Path, stack: ExitStack) -> Server:
    port = free_port()
    command, environment = contestant.command(world, port), contestant.environment(world)
    return stack.enter_context(running(command, environment, port, folder / f"{contestant.name}.log"))


def _measure(
    chosen: list[Contestant],
    servers: Mapping[str, Server],
    worlds: Mapping[str, World],
    folder: Path,
    signers: ProcessPoolExecutor,
    rounds: int,
    size: int,
) -> Run:
    run = Run(started_in={name: server.started_in for name, server in servers.items()})
    # The first round warms up and checks every answer; it does not count.
    for number in range(rounds + 1):
        for each in chosen:
            answers = max(200, size // each.cost) if number else 200
            pool = folder / "pool"
            world = worlds[each.world]
            request = make_pool(each, world, answers + 2 * CONNECTIONS, pool, signers)
            measured = drive(each, servers[each.name], world, pool, answers, request)
            if number:
                run.rounds.setdefault(each.name, []).append(measured)
                console.print(f"{datetime.now():%H:%M:%S} round {number} {each.title}: {measured.cpu:.0f} us")  # noqa: DTZ005
        make_pool(CONTESTANTS[0], worlds["usual"], 400, folder / "pool", signers)
        messages = (folder / "pool").read_bytes().split(b"\0")[:-1]
        limit = measure(messages, worlds["usual"].identity)
        if number:
            run.limit.append(limit)
    return run


def _finish(
    run: Run,
    ours: Contestant,
    servers: Mapping[str, Server],
    worlds: Mapping[str, World],
    folder: Path,
    signers: ProcessPoolExecutor,
    size: int,
) -> None:
    """Measure what is measured once: latency below saturation, and memory after all that work."""
    world = worlds[ours.world]
    rate = 0.7 * sorted(each.per_second for each in run.rounds[ours.name])[len(run.rounds[ours.name]) // 2]
    answers = size // ours.cost
    request = make_pool(ours, world, answers, folder / "pool", signers)
    run.at_rate = drive(ours, servers[ours.name], world, folder / "pool", answers, request, rate)
    run.memory = {name: server.memory() for name, server in servers.items()}
    run.largest = {name: server.largest_process() for name, server in servers.items()}


if __name__ == "__main__":
    sys.exit(main())
