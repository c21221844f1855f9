"""Annexes written as JSON, a store with its operators, and a registry: what the tests of activation rest on."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from databases import Databases
from storage_world import NOON, World, open_world

from authz.annex import Annex, CertificateBinding, ClientKind
from authz.annex_document import revision_of
from authz.organisation import Organisation
from gateway.annexes.approval import Approvals
from gateway.annexes.operators import Operator, OperatorKeys
from gateway.annexes.registry import AnnexRegistry
from gateway.annexes.store import AnnexStore
from gateway.demo_pki import prepare_pki
from gateway.demo_world import demo_operators

EARLY = NOON - timedelta(days=30)
CA = "CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE"


@dataclass(frozen=True)
class Presented:
    """A certificate as a caller presents it."""

    issuer: str = CA
    serial: int = 1001
    fingerprint: str = ""

    @property
    def sha256(self) -> str:
        return self.fingerprint or sha256(f"{self.serial} of {self.issuer}".encode()).hexdigest()


class Reader:
    """Reads annexes written as JSON, and counts; what is in `too_new` it cannot read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.too_new: set[str] = set()

    def __call__(self, document: str) -> Annex:
        self.read.append(document)
        values = json.loads(document)
        if document in self.too_new:
            raise ValueError("unknown operation")
        return Annex(
            revision=revision_of(document),
            client=values["client"],
            kind=ClientKind.INSTITUTION,
            identity=Organisation(cbe_number="0999900120"),
            certificates=tuple(CertificateBinding(**each) for each in values["certificates"]),
            methods=frozenset(),
            sign_token=False,
            represents={},
            valid_from=date.fromisoformat(values.get("from", "2026-01-01")),
        )


def document(client: str = "pcsa", serial: int = 1001, **more: Any) -> str:
    return json.dumps({"client": client, "certificates": [{"issuer": CA, "serial": serial}]} | more)


def by_fingerprint(client: str, sha256: str, **more: Any) -> str:
    return json.dumps({"client": client, "certificates": [{"sha256": sha256}]} | more)


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def found(registry: AnnexRegistry, now: Any = NOON, **presented: Any) -> str | None:
    annex = registry.find(Presented(**presented), now)
    return annex.client if annex else None


@dataclass
class AnnexWorld:
    """A database with two operators, an and bram, and a worker that looks for annexes a hundred times a second."""

    world: World
    store: AnnexStore
    approvals: Approvals
    registry: AnnexRegistry
    an: Operator
    bram: Operator

    @property
    def operators(self) -> OperatorKeys:
        return self.store.operators

    def restarted(self) -> AnnexRegistry:
        """Return the registry of another worker, which reads all anew."""
        self.registry.close()
        self.registry = AnnexRegistry(
            AnnexStore(self.world.database, Reader(), OperatorKeys(self.operators.directory)), poll_seconds=0.01
        )
        return self.registry


@contextmanager
def open_annex_world(databases: Databases, directory: Path) -> Iterator[AnnexWorld]:
    """Give a fresh world whose clock stands at NOON."""
    prepare_pki(directory, [], NOON)
    operators = OperatorKeys(directory / "pki" / "operators")
    with open_world(databases, directory) as world:
        store = AnnexStore(world.database, Reader(), operators)
        approvals = Approvals(store, world.commit, world.trail, world.clock)
        registry = AnnexRegistry(store, poll_seconds=0.01)
        opened = AnnexWorld(world, store, approvals, registry, *demo_operators(operators))
        try:
            yield opened
        finally:
            opened.registry.close()
