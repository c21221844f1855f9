"""The world that is asked: a certified client with an annex, and synthetic persons in its files.

Prepared once under `build/bench` and then reused; a run works on a copy, so that all begin alike.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from authz.annex_document import revision_of
from fixtures.persons import SyntheticInscription, SyntheticPerson, generate
from gateway.annexes.activation import newest_digest
from gateway.annexes.approval import sign_activation
from gateway.annexes.names import serial_name
from gateway.annexes.statement import NOTHING, Order
from gateway.annexes.store import Proposal
from gateway.bootstrap import Storage, migrate, open_approvals, open_storage
from gateway.demo_pki import DemoClient, prepare_pki
from gateway.demo_world import activate, demo_operators
from gateway.pki import Identity, KeyKind, load_identity
from gateway.settings import load_settings
from gateway.sources.load import load_persons, load_register
from services.self_employed import RSVZ_CBE_NUMBER

ROOT = Path("build/bench")
CLIENT = "bench"
CUSTOMER = "0999900150"
LEGAL_CONTEXT = "BENCH:CONTRIBUTIONS"
# Ten quarters of the account: 150 elements in a reply of 10 KB.
BEGIN, END = "2023Q1", "2025Q2"
_QUARTERS = 10
_SEED = 7
_SERIAL = 2001
_SINCE = date(2000, 1, 1)
_IN_FORCE = datetime(2024, 1, 1, tzinfo=UTC)
_FILES = (
    SyntheticInscription(f"cbe:{CUSTOMER}", "BENCH:FILE", _SINCE),
    SyntheticInscription(f"cbe:{RSVZ_CBE_NUMBER}", "RSVZ:INSURED", _SINCE),
)
ISSUER = "CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE"
_ANNEX = """\
client: {client}
kind: institution
identity: {{cbeNumber: "{cbe_number}", name: Client number {number} of the benchmark}}
validFrom: 2024-01-01
authentication: {{methods: [x509Token, mutualTLS], unsignedReplies: true}}
certificates: [{{issuer: "{issuer}", serial: {serial}}}]
quota: {{perMinute: 1000000, perDay: 100000000}}
operations:
  - service: SelfEmployedService/v2
    operation: consultContributions
    legalContexts: [{legal_contexts}]
    deliberation: Deliberation of the benchmark
    parameters: {{criteria/period: {{required: false}}}}
    integration: {{contexts: ["BENCH:FILE"], daysBefore: 30, daysAfter: 30}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """A prepared state; what it holds is read once per process, so that it can be handed to others.

    `database_url` and `database_pid` are of the PostgreSQL server that holds it, None for the SQLite of the state.
    """

    state: Path
    database_url: str | None = None
    database_pid: int | None = None

    @property
    def identity(self) -> Identity:
        """The client that may ask."""
        return _load_identity(self.state)

    @property
    def ssins(self) -> tuple[str, ...]:
        """The persons whose replies are of the full size."""
        return _load_ssins(self.state)


@cache
def _load_identity(state: Path) -> Identity:
    return load_identity(state / "pki" / "clients" / CLIENT)


@cache
def _load_ssins(state: Path) -> tuple[str, ...]:
    return tuple((state / "ssins").read_text().split())


def prepare(persons: int, annexes: int) -> Path:
    """Return the kept state with so many persons and annexes; made when it is missing."""
    kept = ROOT / f"{persons}-{annexes}-{_version()}"
    if not kept.exists():
        draft = kept.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        _make(draft, persons, annexes)
        draft.rename(kept)
    return kept


def copy(kept: Path, run: Path) -> World:
    """Return a fresh copy, under `run`, of a kept state: all runs begin alike."""
    return World(Path(shutil.copytree(kept, run / kept.name)).absolute())


def _version() -> str:
    """Name what the prepared state depends on: what is made here, the generator and the migrations."""
    migrations = Path("gateway/storage/migrations/versions").glob("*.py")
    octets = b"".join(path.read_bytes() for path in (Path("fixtures/persons.py"), *sorted(migrations)))
    return sha256(octets + repr((_ANNEX, _FILES, _SEED, BEGIN, END)).encode()).hexdigest()[:12]


def _fill(state: Path, persons: int, annexes: int) -> list[str]:
    """Put so many persons and annexes into the state's database; return who has a reply of the full size."""
    now = datetime.now(UTC)
    full: list[str] = []
    settings = load_settings(state=state)
    migrate(settings)
    storage = open_storage(settings)
    try:
        _activate_annexes(storage, annexes, now)
        with storage.database.write() as connection:
            load_register(connection, (), ())
            load_persons(connection, _noting(generate(_SEED, persons, _FILES), full))
    finally:
        storage.close()
    return full


def annex_document(number: int, legal_contexts: Sequence[str] = (LEGAL_CONTEXT,)) -> str:
    """Return the annex of client `number`, with a grant under each legal context; the first is the one that asks."""
    return _ANNEX.format(
        client=CLIENT if number == 0 else f"{CLIENT}-{number}",
        cbe_number=CUSTOMER,
        number=number,
        issuer=ISSUER,
        serial=_SERIAL + number,
        legal_contexts=", ".join(legal_contexts),
    )


def _make(state: Path, persons: int, annexes: int) -> None:
    now = datetime.now(UTC)
    prepare_pki(state, [DemoClient(CLIENT, _SERIAL)], now)
    # A second key for replies, from an authority of its own.
    prepare_pki(state / "ec", [], now, KeyKind.EC)
    (state / "ssins").write_text("\n".join(_fill(state, persons, annexes)))


def _activate_annexes(storage: Storage, annexes: int, now: datetime) -> None:
    """Put so many annexes in force, the further ones all at once: each activation reads all that were before it.

    They are signed by two operators like the first, and only the records of it are not written.
    """
    approvals = open_approvals(storage)
    activation = activate(approvals, annex_document(0), now=now, active_from=_IN_FORCE)
    proposer, approver = demo_operators(approvals.store.operators)
    with storage.database.write() as connection:
        for number in range(1, annexes):
            document = annex_document(number)
            names = frozenset({serial_name(ISSUER, _SERIAL + number)})
            client = f"{CLIENT}-{number}"
            order = Order(client, revision_of(document), names, _IN_FORCE, NOTHING, proposer.name, now)
            proposal = Proposal(order, proposer.sign(order.octets()), document)
            activation = sign_activation(connection, proposal, newest_digest([activation]), _IN_FORCE, approver, now)


def _noting(people: Iterable[SyntheticPerson], full: list[str]) -> Iterable[SyntheticPerson]:
    """Pass the persons on, and note those with a contribution in each quarter that will be asked."""
    for person in people:
        if sum(BEGIN <= told.quarter <= END for told in person.contributions) == _QUARTERS:
            full.append(person.ssin)
        yield person
