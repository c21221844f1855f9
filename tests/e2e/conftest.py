"""A gateway as an operator runs it: `ksz-gateway serve` under gunicorn, over TLS, with a demo world of its own."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.personas import load_personas

COMMAND = Path(sys.executable).with_name("ksz-gateway")
# Long enough for a machine that has more to do; no test waits so long for what is right.
PATIENCE = 60


@dataclass(frozen=True)
class RunningGateway:
    """A gateway that serves; `log` is what it has written to standard error."""

    url: str
    management_url: str
    state: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def authority(self) -> str:
        return str(self.state / "pki" / "ca.pem")

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", verify=self.authority, timeout=PATIENCE, **options)

    def post(self, path: str, content: bytes, **options: Any) -> requests.Response:
        options.setdefault("headers", {"Content-Type": "text/xml; charset=utf-8"})
        return requests.post(f"{self.url}{path}", content, verify=self.authority, timeout=PATIENCE, **options)


def free_port() -> int:
    """Return a port that nobody has, from below those that the kernel gives to connections, which may take it again."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Return as soon as the condition holds; fail, with what is told, if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {told()}"
        time.sleep(0.05)


def run_command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ksz-gateway to its end; `environment` adds variables."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def serving(
    state: Path,
    *options: str,
    scheme: str = "https",
    until: str = "/ready",
    ends_with: int = 0,
    **environment: str,
) -> Iterator[RunningGateway]:
    """Serve from a prepared state until the block ends; the gateway must then stop in good order, or as it `ends_with`.

    `until` is the address of the management port that must say yes first.
    """
    port, management_port = free_port(), free_port()
    log = state / f"gateway-{port}.log"
    management_url = f"http://127.0.0.1:{management_port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                COMMAND,
                "serve",
                "--state",
                state,
                "--bind",
                f"127.0.0.1:{port}",
                "--management-bind",
                f"127.0.0.1:{management_port}",
                *options,
            ],
            env=os.environ | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: _is_ready(f"{management_url}{until}", process, log), log.read_text)
        yield RunningGateway(f"{scheme}://127.0.0.1:{port}", management_url, state, log, process)
    finally:
        assert end(process) == ends_with, log.read_text()


def end(process: subprocess.Popen[Any]) -> int:
    """Ask a process that leads a session to end, and return how it did; who does not is killed with its children."""
    process.terminate()
    try:
        return process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _is_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return requests.get(address, timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared demo world."""
    directory = tmp_path_factory.mktemp("state")
    made = run_command("demo", "--state", directory)
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="session")
def gateway(state: Path) -> Iterator[RunningGateway]:
    """One gateway for all tests; in the end its log must hold no traceback and no personal number."""
    # All clients have the same address, and some are many tests at a time.
    with serving(state, KSZ_ADDRESS_RATE="0", KSZ_CLIENT_RATE="0") as running:
        yield running
    written = running.log.read_text()
    assert "Traceback" not in written
    assert not [persona.ssin for persona in load_personas() if persona.ssin in written]
