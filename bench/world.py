"""The world that is asked: a certified client with an annex, and synthetic persons in its files.

Prepared once under `build/bench` and then reused; a run works on a copy, so that all begin alike.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from fixtures.persons import SyntheticInscription, SyntheticPerson, generate
from gateway.bootstrap import open_annex_store, open_storage
from gateway.pki import DemoClient, Identity, KeyKind, load_identity, prepare_pki
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
_FILES = (
    SyntheticInscription(f"cbe:{CUSTOMER}", "BENCH:FILE", _SINCE),
    SyntheticInscription(f"cbe:{RSVZ_CBE_NUMBER}", "RSVZ:INSURED", _SINCE),
)
_ANNEX = """\
client: {client}
kind: institution
identity: {{cbeNumber: "{cbe_number}", name: Client number {number} of the benchmark}}
validFrom: 2024-01-01
authentication: {{methods: [x509Token, mutualTLS]}}
certificates: [{{issuer: "CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE", serial: {serial}}}]
quota: {{perMinute: 1000000, perDay: 100000000}}
operations:
  - service: SelfEmployedService/v2
    operation: consultContributions
    legalContexts: [{legal_context}]
    deliberation: Deliberation of the benchmark
    parameters: {{criteria/period: {{required: false}}}}
    integration: {{contexts: ["BENCH:FILE"], daysBefore: 30, daysAfter: 30}}
"""


@dataclass(frozen=True, slots=True)
class World:
    """A prepared state; what it holds is read once per process, so that it can be handed to others."""

    state: Path

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


def prepare(run: Path, persons: int, annexes: int = 10) -> World:
    """Return a fresh copy, under `run`, of the state with so many persons and annexes; made when it is missing."""
    name = f"{persons}-{annexes}-{_version()}"
    kept = ROOT / name
    if not kept.exists():
        draft = ROOT / f"{name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        _make(draft, persons, annexes)
        draft.rename(kept)
    state = run / name
    shutil.copytree(kept, state)
    return World(state.absolute())


def _version() -> str:
    """Name what the prepared state depends on: what is made here, the generator and the migrations."""
    migrations = Path("gateway/storage/migrations/versions").glob("*.py")
    octets = b"".join(path.read_bytes() for path in (Path("fixtures/persons.py"), *sorted(migrations)))
    return sha256(octets + repr((_ANNEX, _FILES, _SEED, BEGIN, END)).encode()).hexdigest()[:12]


def _make(state: Path, persons: int, annexes: int) -> None:
    now = datetime.now(UTC)
    prepare_pki(state, [DemoClient(CLIENT, _SERIAL)], now)
    # A second key for replies, from an authority of its own.
    prepare_pki(state / "ec", [], now, KeyKind.EC)
    full: list[str] = []
    storage = open_storage(load_settings(state=state))
    try:
        storage.database.migrate()
        store = open_annex_store(storage)
        for number in range(annexes):
            document = _ANNEX.format(
                client=CLIENT if number == 0 else f"{CLIENT}-{number}",
                cbe_number=CUSTOMER,
                number=number,
                serial=_SERIAL + number,
                legal_context=LEGAL_CONTEXT,
            )
            store.add(document, actor="bench", now=now, active_from=datetime(2024, 1, 1, tzinfo=UTC))
        with storage.database.write() as connection:
            load_register(connection, (), ())
            load_persons(connection, _noting(generate(_SEED, persons, _FILES), full))
    finally:
        storage.close()
    (state / "ssins").write_text("\n".join(full))


def _noting(people: Iterable[SyntheticPerson], full: list[str]) -> Iterable[SyntheticPerson]:
    """Pass the persons on, and note those with a contribution in each quarter that will be asked."""
    for person in people:
        if sum(BEGIN <= told.quarter <= END for told in person.contributions) == _QUARTERS:
            full.append(person.ssin)
        yield person
