"""The rounds of a run: all contestants in turn, then what is measured of ours alone."""

import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.contestants import Contestant
from bench.driver import CONNECTIONS
from bench.limit import measure as measure_limit
from bench.load import Round, drive, make_pool
from bench.run import Run
from bench.servers import Server, free_port, running
from bench.world import World

_WARM_UP = 200
# So many messages are signed at a time: they must be fresh when they are sent.
_POOL = 5_000
_LIMIT_MESSAGES = 400
_STARTS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    `answers` are a round's of a contestant whose requests cost 1; `worked` is how many answers of ours precede the
    measurement of its memory.
    """

    rounds: int
    answers: int
    seconds_at_rate: int
    worked: int
    commit_seconds: float


FULL = Size(rounds=8, answers=2_500, seconds_at_rate=20, worked=50_000, commit_seconds=2.0)
QUICK = Size(rounds=3, answers=2_000, seconds_at_rate=8, worked=0, commit_seconds=0.4)


def tell(what: str) -> None:
    """Say on standard error how far the run is."""
    print(f"{datetime.now():%H:%M:%S} {what}", file=sys.stderr, flush=True)  # noqa: DTZ005 - for who sits here


class Bench:
    """The servers of a run and what was measured of them."""

    def __init__(self, folder: Path, worlds: dict[str, World], signers: ProcessPoolExecutor, size: Size) -> None:
        self.run = Run()
        self._folder = folder
        self._worlds = worlds
        self._signers = signers
        self._size = size
        self._servers: dict[str, Server] = {}
        self._worked = 0

    def start(self, chosen: list[Contestant], stack: ExitStack) -> None:
        """Start the contestants' servers and wait until they are at rest."""
        for each in chosen:
            self._servers[each.name] = stack.enter_context(self._running(each))
        for server in self._servers.values():
            server.wait_until_idle()

    def measure_round(self, chosen: list[Contestant], number: int) -> None:
        """Drive each contestant, and measure the limit; round 0 does not count."""
        for each in chosen:
            measured = self._drive(each, self._size.answers // each.cost if number else _WARM_UP)
            if number:
                self.run.rounds.setdefault(each.name, []).append(measured)
                self.run.memory[each.name] = self._servers[each.name].memory()
                tell(f"round {number}, {each.title}: {measured.cpu:.0f} us")
        ours = chosen[0]
        make_pool(ours, self._worlds[ours.world], _LIMIT_MESSAGES, self._pool, self._signers)
        limit = measure_limit(self._pool.read_bytes().split(b"\0")[:-1], self._worlds[ours.world].identity)
        if number:
            self.run.limit.append(limit)

    def measure_at_rate(self, ours: Contestant) -> None:
        """Drive ours at 70 % of what it reaches when saturated by the same driver, which needs more than wrk does."""
        rate = 0.7 * self._drive(ours, self._size.answers // ours.cost, with_wrk=False).per_second
        tell(f"latency at {rate:.0f} requests a second")
        self.run.at_rate = self._drive(ours, round(rate * self._size.seconds_at_rate), rate)

    def measure_memory(self, ours: Contestant) -> None:
        """Let ours answer what is left of its requests, then take the size of its largest worker."""
        while self._worked < self._size.worked:
            tell(f"memory: {self._worked} of {self._size.worked} requests")
            self._drive(ours, min(_POOL, self._size.worked - self._worked))
        if self._size.worked:
            self.run.worker_memory = self._servers[ours.name].largest_process()

    def measure_start(self, ours: Contestant) -> None:
        """Start ours anew while nothing else runs."""
        times = []
        for _ in range(_STARTS):
            with self._running(ours) as server:
                times.append(server.started_in)
        self.run.first_answer = median(times)

    @property
    def _pool(self) -> Path:
        return self._folder / "pool"

    def _running(self, contestant: Contestant) -> AbstractContextManager[Server]:
        world, port = self._worlds[contestant.world], free_port()
        log = self._folder / f"{contestant.name}.log"
        return running(contestant.command(world, port), contestant.environment(world), port, log, world.database_pid)

    def _drive(
        self, contestant: Contestant, answers: int, rate: float | None = None, *, with_wrk: bool = True
    ) -> Round:
        world = self._worlds[contestant.world]
        request = make_pool(contestant, world, answers + 2 * CONNECTIONS, self._pool, self._signers)
        server = self._servers[contestant.name]
        measured = drive(contestant, server, world, self._pool, answers, request, rate, with_wrk=with_wrk)
        if contestant.name == "ours":
            self._worked += answers
        return measured
