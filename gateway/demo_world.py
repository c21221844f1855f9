"""The demo world under a state directory: development PKI, database, demo annexes and synthetic persons.

Prepared once and then reused; what a newer version brings is added. Never for production.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from authz.annex import Annex, CertificateBinding
from authz.annex_document import read_any_annex
from authz.ssin import Environment
from fixtures import dmfa_personas, employers, personas
from fixtures.dimona_world import load_world
from fixtures.users import load_users
from gateway.annexes.activation import Activation
from gateway.annexes.approval import Approvals
from gateway.annexes.cases import is_cases
from gateway.annexes.operators import Operator, OperatorKeys, load_private_key
from gateway.bootstrap import (
    COMMAND_WAIT_SECONDS,
    CannotStart,
    Storage,
    migrate,
    open_annex_store,
    open_approvals,
    open_storage,
    open_user_store,
)
from gateway.contracts import load_contracts
from gateway.demo_pki import OPERATORS, DemoClient, DemoPerson, certify_persons, prepare_pki
from gateway.pki import KeyKind, load_identity
from gateway.settings import Settings
from gateway.sources.load import load_persons, load_register
from gateway.sources.load_dimona import load_declarations
from gateway.sources.load_dimona import load_workers as load_dimona_workers
from gateway.sources.load_dmfa import load_attestations, load_outages
from gateway.sources.load_employers import load_employers
from gateway.storage.arza_tables import arza_careers
from gateway.storage.dimona_tables import dimona_workers
from gateway.storage.dmfa_tables import dmfa_attestations
from gateway.storage.employer_tables import employers as employers_table
from gateway.storage.tables import persons as persons_table
from gateway.storage.user_tables import user_enterprises
from gateway.users.certificates import register
from gateway.users.demo import load_users as fill_users

ANNEXES = Path(str(files("fixtures"))) / "annexes"

# The client that shows that everything works with an elliptic key too.
_ELLIPTIC = frozenset({"inspection"})
# The demo clients' own serial numbers lie below.
_FIRST_SERIAL = 2001
# Technical users of the synthetic enterprises have theirs from here on, below those too.
_FIRST_MESSAGE_SERIAL = 1501
# A client's first annex may be in force from a day that lies behind us, so that the demo need not wait for it.
_ACTIVE_FROM = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DemoState:
    """What is there: how many clients and persons."""

    clients: int
    persons: int


def prepare_demo(settings: Settings) -> DemoState:
    """Prepare what is missing under the state directory; OSError when it cannot be written, CannotStart for
    production.
    """
    if settings.environment is Environment.PRODUCTION:
        raise CannotStart("a demo world has no place in production: set another environment.")
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(settings.state, os.W_OK):
        raise PermissionError(13, "no permission to write", str(settings.state))
    documents = demo_annexes()
    prepare_pki(settings.state, _clients(documents), datetime.now(UTC))
    migrate(settings)
    storage = open_storage(settings, wait_seconds=COMMAND_WAIT_SECONDS)
    try:
        _add_annexes(storage, documents)
        _load_users(storage, settings)
        return DemoState(len(documents), _load_persons(storage))
    finally:
        storage.close()


def certify_client(settings: Settings, name: str) -> CertificateBinding:
    """Have the development authority certify another client, and return how its annex binds that certificate.

    A client that has a certificate keeps its serial number; a new one gets the next after all that are there.
    """
    folder = settings.state / "pki" / "clients"
    serials = {
        path.stem: load_identity(path.with_suffix("")).certificate.serial_number for path in folder.glob("*.pem")
    }
    serial = serials.get(name, max([_FIRST_SERIAL - 1, *serials.values()]) + 1)
    prepare_pki(settings.state, [DemoClient(name, serial)], datetime.now(UTC))
    issuer = load_identity(folder / name).certificate.issuer.rfc4514_string()
    return CertificateBinding(issuer=issuer, serial=serial)


def annex_files() -> list[Path]:
    """Return the demo annexes' files, without the cases beside them, by the name of their client."""
    return [path for path in sorted(ANNEXES.glob("*.yaml")) if not is_cases(path)]


def demo_annexes() -> list[str]:
    """Return the demo annexes' documents, by the name of their client."""
    return [path.read_text("utf-8") for path in annex_files()]


def _clients(documents: list[str]) -> list[DemoClient]:
    """Each client's demo annex binds its certificate by the authority's name and a serial number."""
    shapes = load_contracts().shapes()
    annexes = [read_any_annex(document, shapes) for document in documents]
    return [
        DemoClient(annex.client, binding.serial, KeyKind.EC if annex.client in _ELLIPTIC else KeyKind.RSA)
        for annex in annexes
        if isinstance(annex, Annex)
        for binding in annex.certificates
        if binding.serial is not None
    ]


def _add_annexes(storage: Storage, documents: list[str]) -> None:
    store = open_annex_store(storage)
    known = {activation.revision: activation for activation in store.load_after() if activation.signatures}
    clients = {activation.client for activation in known.values()}
    for document in documents:
        annex = store.read_annex(document)
        if annex.revision not in known:
            active_from = None if annex.client in clients else _ACTIVE_FROM
            activate(open_approvals(storage), document, active_from=active_from)


def activate(
    approvals: Approvals, document: str, *, now: datetime | None = None, active_from: datetime | None = None
) -> Activation:
    """Have the two demo operators activate an annex: at a time, or two seconds from `now`."""
    at = approvals if now is None else replace(approvals, clock=lambda: now)
    first, second = demo_operators(approvals.store.operators)
    return at.approve(at.propose(document, by=first, active_from=active_from), by=second)


def demo_operators(operators: OperatorKeys) -> tuple[Operator, Operator]:
    """Return the two whose private keys lie beside their public ones, as `prepare_pki` makes them."""
    first, second = (
        operators.identify(load_private_key((operators.directory / f"{name}.key").read_bytes(), None))
        for name in OPERATORS
    )
    return first, second


def _load_users(storage: Storage, settings: Settings) -> None:
    """Put the synthetic accounts in, unless there is an account, with the keys of who logs in or sends messages."""
    world, now = load_users(), datetime.now(UTC)
    certify_persons(settings.state, [DemoPerson(each.name, each.ssin) for each in world.persons], now)
    clients = [each.client for each in world.technical_users]
    serials = enumerate(clients, start=_FIRST_MESSAGE_SERIAL)
    prepare_pki(settings.state, [DemoClient(name, serial, KeyKind.EC) for serial, name in serials], now)
    with storage.database.read() as connection:
        if connection.execute(select(user_enterprises).limit(1)).first() is not None:
            return
    folder = settings.state / "pki" / "clients"
    certificates = {name: register(load_identity(folder / name).certificate) for name in clients}
    fill_users(open_user_store(storage, settings), world, certificates, now)


def _load_self_employed(connection: Connection) -> None:
    world = personas.demo_rows()
    load_register(connection, world.pcsas, world.fund_outages)
    load_persons(connection, world.persons)


def _load_workers(connection: Connection) -> None:
    world = dmfa_personas.demo_rows()
    load_outages(connection, world.outages)
    load_persons(connection, world.persons)
    load_attestations(connection, world.attestations)


def _load_employers(connection: Connection) -> None:
    load_employers(connection, employers.load_employers())


def _load_dimona(connection: Connection) -> None:
    world = load_world()
    load_persons(connection, world.persons)
    load_dimona_workers(connection, world.workers.values())
    load_declarations(connection, world.declarations)


# What each service's source holds, by a table that is empty before; whoever adds a source adds its line.
_SOURCES: Mapping[Table, Callable[[Connection], None]] = {
    arza_careers: _load_self_employed,
    dmfa_attestations: _load_workers,
    employers_table: _load_employers,
    dimona_workers: _load_dimona,
}


def _load_persons(storage: Storage) -> int:
    with storage.database.write() as connection:
        for table, load in _SOURCES.items():
            if connection.execute(select(table).limit(1)).first() is None:
                load(connection)
        return connection.execute(select(func.count()).select_from(persons_table)).scalar_one()
