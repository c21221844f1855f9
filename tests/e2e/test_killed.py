"""kill -9 at any moment under load: every reply that a client has is in the log, and the log is whole."""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql_server import running_server
from recomputed_log import recompute

from faults.load import BROKEN, WELL, Asked, Load, Receipt
from faults.processes import find_workers
from gateway.audit import checkpoint
from gateway.audit.log_key import read_public_file
from gateway.audit.tree import Frontier
from gateway.storage.database import Database
from tests.e2e.conftest import run_command, serving, wait_until

RUNS = 2
WORKERS_KILLED = 3
SECONDS_BETWEEN = (0.2, 0.8)


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
    asked: list[Asked] = []
    for _ in range(RUNS):
        begun = time.monotonic()
        with serving(directory, ends_with=-signal.SIGKILL, KSZ_DATABASE_URL=url) as gateway:
            with Load(gateway, asked=asked) as load:
                wait_until(lambda load=load, begun=begun: load.well_since(begun) > len(load.clients))
                for _ in range(WORKERS_KILLED):
                    os.kill(dice.choice(find_workers(gateway)), signal.SIGKILL)
                    killed = time.monotonic()
                    time.sleep(dice.uniform(*SECONDS_BETWEEN))
                    wait_until(lambda load=load, killed=killed: load.well_since(killed) > 0)
                os.killpg(gateway.process.pid, signal.SIGKILL)
            assert any(each.code == BROKEN and each.begun >= begun for each in asked)
    assert {each.code for each in asked} == {WELL, BROKEN}
    check_all_are_there(directory, url, [each.receipt for each in asked if each.receipt is not None])


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
