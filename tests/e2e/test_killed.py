"""kill -9 at any moment under load: every reply that a client has is in the log, and the log is whole."""

import base64
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from lxml import etree
from postgresql_server import running_server
from recomputed_log import recompute

from fixtures.messages import envelope, sign
from gateway.audit import checkpoint
from gateway.audit.log_key import read_public_file
from gateway.audit.tree import Frontier
from gateway.pki import load_identity
from gateway.storage.database import Database
from tests.e2e.conftest import PATIENCE, RunningGateway, run_command, serving, wait_until
from tests.e2e.test_serving import SELF_EMPLOYED, career_request

CLIENTS = 6
RUNS = 2
WORKERS_KILLED = 3
SECONDS_BETWEEN = (0.2, 0.8)


@dataclass(frozen=True)
class Receipt:
    """What a client keeps of a reply."""

    ticket: str
    position: int
    leaf: bytes
    checkpoint: str


@dataclass
class Load:
    """Clients that consult without a pause, whatever happens, and keep their receipts."""

    gateway: RunningGateway
    receipts: list[Receipt] = field(default_factory=list)
    broken: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._consult, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _consult(self) -> None:
        identity = load_identity(self.gateway.state / "pki" / "clients" / "pcsa")
        with requests.Session() as session:
            while not self._stop.is_set():
                # Each another: what is signed within one millisecond would pass for a replay.
                request = career_request().replace("<customerId", f"<ticket>{uuid4()}</ticket><customerId", 1)
                message = sign(envelope(request), identity, datetime.now(UTC))
                options = {"headers": {"Content-Type": "text/xml; charset=utf-8"}, "verify": self.gateway.authority}
                try:
                    reply = session.post(self.gateway.url + SELF_EMPLOYED, message, timeout=5, **options)
                except requests.RequestException:
                    self.broken += 1
                    time.sleep(0.02)
                    continue
                self.receipts.append(read_receipt(reply.content))


def read_receipt(reply: bytes) -> Receipt:
    envelope = etree.fromstring(reply)
    assert envelope.findtext(".//status/code") == "MSG00000", reply
    (block,) = envelope.iter("{urn:ksz-gateway:receipt:v1}Receipt")
    return Receipt(
        str(envelope.findtext(".//ticketCBSS")),
        int(str(block.findtext("position"))),
        base64.b64decode(str(block.findtext("leafHash"))),
        str(block.findtext("checkpoint")),
    )


def find_workers(gateway: RunningGateway) -> list[int]:
    """Return the processes of gunicorn's workers."""
    arbiter = gateway.process.pid
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()
    return [int(pid) for pid in children if b"gateway.management" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, state: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A state of the test's own, and the address of its database."""
    directory = tmp_path / "state"
    if request.param == "sqlite":
        shutil.copytree(state, directory, ignore=shutil.ignore_patterns("run", "ksz.db-*"))
        run_command("migrate", "--state", directory)
        yield directory, f"sqlite:///{directory / 'ksz.db'}"
        return
    with running_server() as server:
        url = server.url(server.create_database())
        made = run_command("demo", "--state", directory, KSZ_DATABASE_URL=url)
        assert made.returncode == 0, made.stderr
        yield directory, url


def test_what_a_client_was_answered_is_in_the_log_whoever_is_killed(world: tuple[Path, str]) -> None:
    directory, url = world
    dice = random.Random(6)  # noqa: S311 - moments, no secret
    receipts: list[Receipt] = []
    for _ in range(RUNS):
        with serving(directory, ends_with=-signal.SIGKILL, KSZ_DATABASE_URL=url) as gateway:
            with Load(gateway) as load:
                wait_until(lambda load=load: len(load.receipts) > CLIENTS)
                for _ in range(WORKERS_KILLED):
                    os.kill(dice.choice(find_workers(gateway)), signal.SIGKILL)
                    count = len(load.receipts)
                    time.sleep(dice.uniform(*SECONDS_BETWEEN))
                    wait_until(lambda load=load, count=count: len(load.receipts) > count)
                os.killpg(gateway.process.pid, signal.SIGKILL)
            assert load.broken
            receipts += load.receipts
    check_all_are_there(directory, url, receipts)


def check_all_are_there(directory: Path, url: str, receipts: list[Receipt]) -> None:
    """Check the log, and against it every receipt: record, leaf and root."""
    _, public_key = read_public_file(directory / "keys" / "audit-log.pub")
    database = Database(url)
    rows = recompute(database, public_key)
    database.close()
    roots, frontier = {0: Frontier().root}, Frontier()
    for row in rows:
        frontier = frontier.append(row["leaf"])
        roots[frontier.size] = frontier.root
    for receipt in receipts:
        row = rows[receipt.position]
        signed = checkpoint.open(receipt.checkpoint, public_key)
        assert (row["ticket_cbss"], row["leaf"]) == (receipt.ticket, receipt.leaf)
        assert receipt.position < signed.size
        assert signed.root == roots[signed.size]
