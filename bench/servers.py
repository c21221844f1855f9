"""Starting a server under test as a user would, and reading what its processes cost. Linux only."""

import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60
_IDLE_SECONDS = 120

# All clients of a bench share an address.
_UNLIMITED = {"KSZ_ADDRESS_RATE": "0", "KSZ_CLIENT_RATE": "0"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and all its processes.

    `started_in` are the seconds until it answered; `helper` is another server that works for it alone, its database.
    """

    pid: int
    port: int
    started_in: float
    helper: int | None = None

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes, those that have ended included."""
        return sum(_cpu_seconds(pid) for pid in self._processes())

    def wait_until_idle(self) -> None:
        """Wait until it has done what follows its start, such as compiling annexes; RuntimeError if it never has."""
        deadline = time.monotonic() + _IDLE_SECONDS
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(0.5)
            if self.cpu_seconds() - before < 0.05:
                return
        raise RuntimeError("a server does not come to rest")

    def memory(self) -> int:
        """Return the bytes of memory of all its processes, what they share counted once (PSS)."""
        return sum(_field(pid, "smaps_rollup", "Pss:") for pid in self._processes())

    def largest_process(self) -> int:
        """Return the resident bytes of the largest of its processes."""
        return max(_field(pid, "status", "VmRSS:") for pid in self._processes())

    def _processes(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int(_stat(int(entry.name))[1])
                except OSError:
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        found, left = [], [self.pid, *([self.helper] if self.helper is not None else [])]
        while left:
            found.append(left.pop())
            left += children.get(found[-1], ())
        return found


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str], port: int, log: Path, helper: int | None = None
) -> Iterator[Server]:
    """Run a server until the block ends; RuntimeError when it does not come up."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **_UNLIMITED, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(process, port, log)
        yield Server(process.pid, port, time.monotonic() - started, helper)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until something answers, whatever it says: a listening socket alone is not a worker."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once; see {log}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            # Either nobody listens yet, or it speaks TLS and has hung up on us: then it listens.
            if _speaks_tls(port):
                return
            time.sleep(0.02)
    raise RuntimeError(f"the server did not come up in {_START_SECONDS} s; see {log}")


def _speaks_tls(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            context.wrap_socket(connection).close()
            return True
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; the name before may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _cpu_seconds(pid: int) -> float:
    return sum(map(int, _stat(pid)[11:15])) / _TICKS


def _field(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise ValueError(name)
