"""One round of load on one server: a pool signed for it, driven from outside, and what it cost."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

from bench.contestants import Contestant
from bench.driver import CONNECTIONS
from bench.servers import Server
from bench.world import World

_SCRIPT = Path(__file__).with_name("pool.lua")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round measured. Times are microseconds; `request` and `reply` the mean bytes of a message."""

    cpu: float
    per_second: float
    p50: float
    p99: float
    request: float
    reply: float


class BadAnswers(Exception):
    """A contestant did not answer what it must: what it costs means nothing."""


def make_pool(contestant: Contestant, world: World, size: int, path: Path, signers: ProcessPoolExecutor) -> float:
    """Write so many fresh messages to a file, parted by zero bytes; return their mean length."""
    seeds = [next(_numbers) for _ in range(2)]
    parts = signers.map(_write_part, *zip(*((contestant.name, world, size // 2, seed) for seed in seeds), strict=True))
    octets = b"".join(parts)
    path.write_bytes(octets)
    return len(octets) / (2 * (size // 2)) - 1


def _write_part(name: str, world: World, size: int, seed: int) -> bytes:
    from bench.contestants import CONTESTANTS

    write = next(each.write for each in CONTESTANTS if each.name == name)
    random, now = Random(seed), datetime.now(UTC)  # noqa: S311 - whom a benchmark asks about is no secret
    return b"".join(write(world, seed * 1_000_000 + number, now, random) + b"\0" for number in range(size))


def drive(
    contestant: Contestant,
    server: Server,
    world: World,
    pool: Path,
    answers: int,
    request: float,
    rate: float | None = None,
    *,
    with_wrk: bool = True,
) -> Round:
    """Send messages of the pool until so many are answered; BadAnswers unless all are as they must be.

    A rate and client certificates are beyond wrk: those our own driver sends, and all where `with_wrk` is not wanted.
    """
    before = server.cpu_seconds()
    with_wrk = with_wrk and rate is None and not contestant.certified
    command = _command(contestant, server, world, pool, answers, rate, with_wrk)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        told = _listen(driver)
    cpu = server.cpu_seconds() - before
    if told["failed"] or told["answered"] < answers:
        raise BadAnswers(f"{contestant.name}: {told['failed']} of {told['answered']} answers were wrong")
    return Round(
        cpu=cpu / told["answered"] * 1e6,
        per_second=told["answered"] / told["microseconds"] * 1e6,
        p50=told["p50"],
        p99=told["p99"],
        request=request,
        reply=told["bytes"] / told["answered"],
    )


def _listen(driver: "subprocess.Popen[str]") -> dict[str, int]:
    """Return what the driver measured, and interrupt wrk as soon as all is answered."""
    for line in driver.stdout or ():
        if line.startswith("answered"):
            driver.send_signal(signal.SIGINT)
        elif line.startswith("{"):
            told: dict[str, int] = json.loads(line)
            return told
    raise BadAnswers("the driver ended without a word")


def _command(
    contestant: Contestant, server: Server, world: World, pool: Path, answers: int, rate: float | None, with_wrk: bool
) -> Sequence[str]:
    arguments = [str(pool), str(answers), contestant.expected]
    if not with_wrk:
        client = world.state / "pki" / "clients" / "bench"
        certified = ["--client", str(client), "--ca", str(world.state / "pki" / "ca.pem")]
        return [
            *(sys.executable, "-m", "bench.driver", str(server.port), contestant.path, *arguments),
            *(certified if contestant.certified else ()),
            *(("--rate", str(rate)) if rate is not None else ()),
        ]
    url = f"http://127.0.0.1:{server.port}{contestant.path}"
    return [
        *("wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", "600", "--timeout", "20"),
        *("--script", str(_SCRIPT), url, "--", *arguments),
    ]
