"""The processes of a running gateway: who works, what they hold open, and how much memory they take."""

import os
import time
from pathlib import Path

from tests.e2e.conftest import RunningGateway

# Of the numbers in the first line of /proc/stat.
_IDLE = 3


def find_processes(gateway: RunningGateway) -> list[int]:
    """Return gunicorn's arbiter, its workers and the management process."""
    return [gateway.process.pid, *find_children(gateway.process.pid)]


def find_workers(gateway: RunningGateway) -> list[int]:
    """Return the processes of gunicorn's workers."""
    return [pid for pid in find_children(gateway.process.pid) if not _manages(pid)]


def find_management(gateway: RunningGateway) -> int:
    """Return the management process."""
    (pid,) = filter(_manages, find_children(gateway.process.pid))
    return pid


def find_children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def count_descriptors(gateway: RunningGateway) -> int:
    """Return how many descriptors all processes of the gateway hold open."""
    return sum(_count_descriptors(pid) for pid in find_processes(gateway))


def count_connections(gateway: RunningGateway) -> int:
    """Return how many connections to its SOAP port are established."""
    port = f":{int(gateway.url.rpartition(':')[2]):04X}"
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(line[1].endswith(port) and line[3] == "01" for line in lines)


def measure_memory(gateway: RunningGateway) -> int:
    """Return the octets of memory that all processes of the gateway take, what they share counted once."""
    return sum(_proportional(pid) for pid in find_processes(gateway))


def measure_processor_seconds(gateway: RunningGateway) -> float:
    """Return for how many seconds all processes of the gateway have had a processor."""
    return sum(map(_had_processor, find_processes(gateway))) / os.sysconf("SC_CLK_TCK")


def measure_idle_share(seconds: float = 1.0) -> float:
    """Return which share of the machine's processors nobody wanted meanwhile."""
    before = _processor_ticks()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(_processor_ticks(), before, strict=True)]
    return spent[_IDLE] / max(1, sum(spent))


def _processor_ticks() -> list[int]:
    return [int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _count_descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _manages(pid: int) -> bool:
    return b"gateway.management" in _read(pid, "cmdline")


def _had_processor(pid: int) -> int:
    # After the name, which may hold anything: the 12th and 13th are user and system time, in clock ticks.
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return sum(map(int, fields[11:13]))


def _proportional(pid: int) -> int:
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0
