"""Other people's software against a running gateway: clients in three languages, and HAProxy in front.

Run by `make interop`, which installs what these tests need and fails rather than skips where something is missing.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import PATIENCE, RunningGateway, end, free_port, run_command, serving, wait_until

REPOSITORY = Path(__file__).parents[2]
CLIENTS = REPOSITORY / "docs" / "clients"
PROXY_ADDRESS = "127.0.0.2"


@dataclass(frozen=True)
class Proxy:
    """HAProxy that serves; `log` is what it wrote, `gateway` the node behind it."""

    port: int
    log: Path
    gateway: RunningGateway
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def proxying(gateway: RunningGateway, port: int, **environment: str) -> Iterator[Proxy]:
    """Run deploy/haproxy.cfg as it stands in front of a gateway until the block ends."""
    pki = gateway.state / "pki"
    certificate, log = gateway.state / f"haproxy-{port}.pem", gateway.state / f"haproxy-{port}.log"
    certificate.touch(0o600)
    certificate.write_bytes((pki / "gateway.pem").read_bytes() + (pki / "gateway.key").read_bytes())
    settings = {
        "PROXY_BIND": f"127.0.0.1:{port}",
        "PROXY_CERTIFICATE": str(certificate),
        "PROXY_CLIENT_CA": str(pki / "ca.pem"),
        "PROXY_NODE": gateway.url.removeprefix("http://"),
        "PROXY_NODE_READY": gateway.management_url.removeprefix("http://"),
        "PROXY_SOURCE": PROXY_ADDRESS,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/usr/sbin/haproxy", "-db", "-f", REPOSITORY / "deploy" / "haproxy.cfg"],
            env=os.environ | settings | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: _is_listening(port, process, log), log.read_text)
        yield Proxy(port, log, gateway, process)
    finally:
        end(process)


def _is_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def serving_behind(state: Path, port: int) -> Iterator[RunningGateway]:
    """Serve plain HTTP to the proxy that will listen on `port`, and believe only its address."""
    with serving(
        state,
        "--no-tls",
        "--public-url",
        f"https://127.0.0.1:{port}",
        scheme="http",
        KSZ_TRUSTED_PROXIES=f'["{PROXY_ADDRESS}"]',
    ) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared demo world."""
    directory = tmp_path_factory.mktemp("state")
    made = run_command("demo", "--state", directory)
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="session")
def gateway(state: Path) -> Iterator[RunningGateway]:
    """A gateway that serves TLS itself."""
    with serving(state) as running:
        yield running
    assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="session")
def proxy(state: Path) -> Iterator[Proxy]:
    """HAProxy in front of a gateway that serves plain HTTP."""
    port = free_port()
    with serving_behind(state, port) as behind, proxying(behind, port) as running:
        yield running
    assert "Traceback" not in behind.log.read_text()


PROGRAMS = {
    "zeep": [sys.executable, CLIENTS / "zeep" / "call.py"],
    "node": ["node", CLIENTS / "node" / "call.mjs"],
    "php": ["php", CLIENTS / "php" / "call.php"],
}


def run_example(language: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the example of docs/clients, with nothing of ours in its environment."""
    return subprocess.run(
        [*PROGRAMS[language], *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
