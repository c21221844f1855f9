"""The one place that builds adapters and wires them: a gateway from its settings, and the parts that commands need."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from authz.annex import Annex
from authz.annex_document import read_annex
from gateway.admission import Admission
from gateway.annex_registry import AnnexRegistry
from gateway.annex_store import AnnexStore
from gateway.app import GatewayApp
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.trail import AuditTrail
from gateway.catalogue import load_catalogue
from gateway.clock import Clock, system_clock
from gateway.contracts import load_contracts
from gateway.dispatch import ServiceEndpoint
from gateway.employer_access import OwnEmployerAccess
from gateway.inscriptions import Repertory
from gateway.page_tokens import PageTokenKeyUnusable, SealedPageTokens
from gateway.peer import PeerFinder
from gateway.pipeline import Pipeline
from gateway.recorder import ExchangeRecorder
from gateway.replies import Replies
from gateway.revocation import RevocationWatch
from gateway.settings import Settings
from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.sources.dmfa_sql import SqlDmfaRepository
from gateway.sources.self_employed_sql import SqlSelfEmployedRepository
from gateway.storage.database import Database, WrongEncoding
from gateway.storage.group_commit import GroupCommit
from gateway.users.access import ManagedEmployerAccess, StoredAccounts
from gateway.users.store import UserStore
from gateway.wss.policy import SecurityPolicy
from gateway.wss.sign import Signer
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits

# The secured application whose mandates let somebody act for an employer here: what employers do is declare.
_DECLARATIONS = "dimona"
_PREPARE = "run ksz-gateway migrate, or ksz-gateway demo for a world to try things in"


class CannotStart(Exception):
    """A part that the gateway needs is missing or broken; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The database with what writes to it."""

    database: Database
    commit: GroupCommit
    trail: AuditTrail

    def close(self) -> None:
        """Write what was accepted, then close the connections."""
        self.commit.close()
        self.database.close()


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway of one worker process."""

    app: GatewayApp
    pipeline: Pipeline
    storage: Storage
    annexes: AnnexRegistry
    watch: RevocationWatch | None = field(default=None)

    def close(self) -> None:
        """Stop the threads; what was accepted is written first."""
        if self.watch is not None:
            self.watch.close()
        self.annexes.close()
        self.storage.close()


# One repository for each service that has a source; whoever adds a service adds its line.
REPOSITORIES: Mapping[str, Callable[[Storage], object]] = {
    "DimonaService/v1": lambda storage: SqlDimonaRepository(
        storage.database.read, storage.commit, lambda connection, changes: None
    ),
    "DmfaConsultationService/v1": lambda storage: SqlDmfaRepository(storage.database.read),
    "SelfEmployedService/v2": lambda storage: SqlSelfEmployedRepository(storage.database.read),
}


def build_gateway(
    settings: Settings, clock: Clock = system_clock, repositories: Mapping[str, object] | None = None
) -> Gateway:
    """Build the gateway of this process; CannotStart with one line when something is missing.

    `repositories` replaces sources, by the name of their service.
    """
    storage = open_storage(settings, clock)
    try:
        return _build(storage, settings, clock, repositories or {})
    except BaseException:
        storage.close()
        raise


def _build(storage: Storage, settings: Settings, clock: Clock, repositories: Mapping[str, object]) -> Gateway:
    _check_schema(storage)
    contracts = load_contracts()
    shapes = contracts.shapes()
    annexes = AnnexRegistry(
        AnnexStore(storage.database, storage.commit, storage.trail, lambda text: read_annex(text, shapes))
    )
    sources = {name: make(storage) for name, make in REPOSITORIES.items()} | dict(repositories)
    page_tokens = _open_page_tokens(settings)
    endpoints = {
        path: ServiceEndpoint(
            contract, sources.get(contract.descriptor.name), settings.public_url, page_tokens=page_tokens
        )
        for path, contract in contracts.services.items()
    }
    catalogue = load_catalogue()
    policy = SecurityPolicy(
        max_age=timedelta(seconds=settings.message_max_age), clock_skew=timedelta(seconds=settings.clock_skew)
    )
    trust = _open_trust(settings, policy)
    pipeline = Pipeline(
        max_bytes=settings.max_message_bytes,
        limits=XmlLimits(),
        trust=trust,
        policy=policy,
        annexes=annexes,
        admission=Admission(storage.commit),
        facts=Repertory(storage.database),
        employer_access=ManagedEmployerAccess(
            OwnEmployerAccess(storage.database), StoredAccounts(storage.database), _DECLARATIONS
        ),
        environment=settings.environment,
        replies=Replies(catalogue, settings.public_url, clock),
        recorder=ExchangeRecorder(storage.trail),
        signer=_open_signer(settings),
        clock=clock,
    )
    peers = PeerFinder(frozenset(settings.trusted_proxies), settings.proxy_certificate_header)
    app = GatewayApp(endpoints, pipeline, catalogue, peers, settings.max_message_bytes, clock)
    watch = RevocationWatch(settings.client_crl, trust) if settings.client_crl is not None else None
    if watch is not None:
        watch.start()
    # What was made so far lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return Gateway(app, pipeline, storage, annexes, watch)


def open_storage(settings: Settings, clock: Clock = system_clock) -> Storage:
    """Open the database and the audit; CannotStart without a state, or when the audit's keys cannot be used."""
    if not settings.state.is_dir():
        raise CannotStart(f"there is no state in {settings.state}: {_PREPARE}.")
    # A thread uses one at a time; so do the writer and the one that looks for annexes.
    database = Database(settings.database_url, connections=settings.threads + 2)
    commit = GroupCommit(database)
    try:
        keys = MonthKeys(settings.audit_keys)
    except AuditKeysUnusable as error:
        raise CannotStart(f"the audit keys cannot be used: {error}") from None
    return Storage(database, commit, AuditTrail(commit, keys, clock))


@contextmanager
def opened_storage(settings: Settings) -> Iterator[Storage]:
    """Open the storage for a command, and close it with all that was accepted written."""
    storage = open_storage(settings)
    try:
        _check_schema(storage)
        yield storage
    finally:
        storage.close()


def migrate(storage: Storage) -> None:
    """Bring the database to the schema of this version; CannotStart when it does not answer or cannot be used."""
    with _database_answering():
        try:
            storage.database.migrate()
        except WrongEncoding as error:
            raise CannotStart(f"{error}: create another one.") from None


def _check_schema(storage: Storage) -> None:
    with _database_answering():
        current = storage.database.is_current()
    if not current:
        raise CannotStart(f"the database is not at the schema of this version: {_PREPARE}.")


@contextmanager
def _database_answering() -> Iterator[None]:
    """Say in one line that the database does not answer. No data was asked for or sent: none can be in the line."""
    try:
        yield
    except OperationalError as error:
        reason = str(error.orig).partition("\n")[0]
        raise CannotStart(f"the database does not answer ({reason}): check database_url, and the server.") from None


def open_annex_store(storage: Storage) -> AnnexStore:
    """Return the store of annexes, which reads them against this version's contracts."""
    shapes = load_contracts().shapes()
    return AnnexStore(storage.database, storage.commit, storage.trail, lambda text: read_annex(text, shapes))


def open_user_store(storage: Storage, settings: Settings) -> UserStore:
    """Return the store of User Management."""
    return UserStore(storage.database, storage.commit, storage.trail, settings.environment)


def open_client_trust(settings: Settings) -> Trust:
    """Return the authorities that client certificates come from, with their revocation lists."""
    return _open_trust(settings, SecurityPolicy())


def list_annexes(storage: Storage, now: datetime) -> list[Annex]:
    """Return the annexes in force at `now`, by the name of their client."""
    store = open_annex_store(storage)
    in_force = {
        activation.client: activation
        for activation in sorted(store.load_after(), key=lambda each: (each.active_from, each.sequence))
        if activation.active_from <= now
    }
    annexes = (store.read_annex(in_force[client].document) for client in sorted(in_force))
    return [annex for annex in annexes if annex.is_active(now)]


def _open_trust(settings: Settings, policy: SecurityPolicy) -> Trust:
    crl = _read(settings.client_crl) if settings.client_crl is not None else None
    try:
        return Trust(_read(settings.client_ca), crl, policy)
    except ValueError as error:
        raise CannotStart(f"{settings.client_ca}, {settings.client_crl}: {error}: put PEM there.") from None


def _open_page_tokens(settings: Settings) -> SealedPageTokens:
    try:
        return SealedPageTokens.from_file(settings.paging_key)
    except PageTokenKeyUnusable as error:
        raise CannotStart(f"the key of page tokens cannot be used: {error}") from None


def _open_signer(settings: Settings) -> Signer:
    try:
        return Signer(_read(settings.signing_key), _read(settings.signing_certificate))
    except ValueError as error:
        raise CannotStart(f"{settings.signing_key}, {settings.signing_certificate}: {error}.") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}: put the file there, or name another in the settings.") from None
