"""One fault run: a world and a gateway of its own, the load, when the fault began and ended, and what was found."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from faults.load import WELL, Asked, Load
from faults.processes import count_descriptors
from tests.e2e.conftest import PATIENCE, RunningGateway, serving, wait_until
from tests.postgresql_server import PostgresServer

# All clients share an address here, and none is to be slowed down but by the fault.
NO_RATES = {"KSZ_ADDRESS_RATE": "0", "KSZ_CLIENT_RATE": "0"}
# The threads and the writer of each worker open their connections to the database when they first need them: so many
# descriptors may be more than before, and a leak of one a message is many more.
POOLS = 2 * 10 * 4
_WARM = 200


@dataclass
class Trial:
    """What a run fills in. `began` and `ended` are when the fault did (monotonic seconds).

    `concerned` are the clients that the fault may reach, None all; the others must not notice. `findings` are promises
    that were broken, `notes` what else is worth telling.
    """

    state: Path
    url: str
    server: PostgresServer | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    began: float = 0.0
    ended: float = 0.0
    descriptors: int = 0
    concerned: frozenset[str] | None = None
    asked: list[Asked] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def serving(self, *options: str, **given: Any) -> Iterator[RunningGateway]:
        """Serve from the run's own state; what is given is as `tests.e2e.conftest.serving` takes it."""
        with serving(self.state, *options, **(NO_RATES | {"KSZ_DATABASE_URL": self.url} | given)) as gateway:
            yield gateway

    @contextmanager
    def loaded(self, gateway: RunningGateway, **options: Any) -> Iterator[Load]:
        """Load the gateway: all its clients are answered well before the block begins, and again before it ends."""
        load = Load(gateway, asked=self.asked, **options)
        before = 0
        with load:
            started = time.monotonic()
            wait_until(lambda: load.well_since(started) >= _WARM)
            before = count_descriptors(gateway)
            yield load
            self.wait_for_service(load)
            after = count_descriptors(load.gateway)
        self.descriptors = after - before
        if self.descriptors > POOLS:
            self.findings.append(f"{self.descriptors} descriptors more than before")

    @contextmanager
    def fault(self) -> Iterator[None]:
        """Note when the fault, put in and taken away by the block, begins and ends."""
        self.began = time.monotonic()
        yield
        self.ended = time.monotonic()

    def move(self, state: Path) -> None:
        """Go on with a copy of the state, and the SQLite database in it."""
        self.state, self.url = state, f"sqlite:///{state / 'ksz.db'}"

    def wait_for_service(self, load: Load) -> None:
        """Return when every client is answered well again, and goes on to be."""
        wait_until(
            lambda: load.is_steady_since(self.ended),
            lambda: f"{ {each.code for each in load.asked if each.begun >= self.ended} }",
        )

    def back_after(self) -> float:
        """Return for how many seconds after the end of the fault the last of its clients had no good answer."""
        clients = {each.client for each in self.asked if self.concerned is None or each.client in self.concerned}
        return max((self._first_well(client) - self.ended for client in clients), default=0.0)

    def longest_silence(self) -> float:
        """Return for how many seconds, since the fault began, nobody was answered well."""
        moments = sorted(each.ended for each in self.asked if each.code == WELL and each.ended >= self.began)
        gaps = (later - earlier for earlier, later in pairwise([self.began, *moments]))
        return max(gaps, default=0.0)

    def _first_well(self, client: str) -> float:
        """Return when the client was answered well for the first time after its last trouble."""
        mine = sorted((each for each in self.asked if each.client == client), key=lambda each: each.ended)
        last_trouble = max((each.ended for each in mine if each.code != WELL), default=0.0)
        since = max(last_trouble, self.ended)
        return next((each.ended for each in mine if each.code == WELL and each.ended > since), since + PATIENCE)


def copy_state(source: Path, target: Path) -> None:
    """Copy a prepared state that nobody serves."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("run", "*.log"))
    os.chmod(target, 0o700)
