"""The one place that builds adapters and wires them: a gateway from its settings, and the parts that commands need."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from cryptography import x509
from sqlalchemy.exc import OperationalError

from authz.annex import Annex, Role, RoleAnnex
from authz.annex_document import read_any_annex
from authz.contract_shape import Contracts as Shapes
from gateway.admission import Admission
from gateway.annexes.activation import Activation
from gateway.annexes.approval import Approvals
from gateway.annexes.history import list_unsigned
from gateway.annexes.known import Entry, Known
from gateway.annexes.operators import OperatorKeys
from gateway.annexes.registry import AnnexRegistry
from gateway.annexes.store import AnnexStore, read_history
from gateway.app import GatewayApp, Meter
from gateway.audit.keeping import LogKeeper
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.log import Log
from gateway.audit.log_key import LogKey
from gateway.audit.reading_key import ReadingKeyUnusable, load_reading_key
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.time_stamp import TimeStampAuthority
from gateway.audit.trail import AuditTrail
from gateway.catalogue import load_catalogue
from gateway.clock import Clock, system_clock
from gateway.contracts import Contracts, load_contracts
from gateway.dispatch import ServiceEndpoint
from gateway.employer_access import OwnEmployerAccess
from gateway.facts import EmployerAccess, Facts, TechnicalUsers
from gateway.file_watch import FileWatch
from gateway.health.checks import check_database, check_part, check_source, make_audit_check
from gateway.health.measure import DEADLINE_SECONDS, Check, Finding, Measurer
from gateway.health.own_parts import OwnParts
from gateway.health.report import HealthReport
from gateway.inscriptions import Repertory
from gateway.key_file import KeyFileUnusable
from gateway.maintenance import MaintenanceWatch
from gateway.metrics import Guarded
from gateway.notifications import AnnexSubscribers, Notifier
from gateway.page_tokens import SealedPageTokens
from gateway.peer import PeerFinder
from gateway.pipeline import Pipeline
from gateway.rate_limit import RateLimit
from gateway.recorder import ExchangeRecorder
from gateway.remote_sources import Sources, SourceUnusable, as_part, open_sources
from gateway.replies import Replies
from gateway.revocation import reload_revocation_list
from gateway.settings import Settings
from gateway.signing import SigningKey
from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.sources.dmfa_sql import SqlDmfaRepository
from gateway.sources.employer_repertory_sql import SqlEmployerRegister
from gateway.sources.self_employed_sql import SqlSelfEmployedRepository
from gateway.sources.user_access import ManagedUserAccess
from gateway.storage.database import Database, WrongEncoding
from gateway.storage.group_commit import REQUEST_WAIT_SECONDS, GroupCommit
from gateway.users.access import ManagedEmployerAccess, ManagedTechnicalUsers, StoredAccounts
from gateway.users.store import UserStore
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits
from services.health import Kind

# The secured application whose mandates let somebody act for an employer here: what employers do is declare.
_DECLARATIONS = "dimona"
# Nobody's answer waits for what a command writes, and a gateway that is busy need not make it fail.
COMMAND_WAIT_SECONDS = 60.0
_PREPARE = "run ksz-gateway migrate, or ksz-gateway demo for a world to try things in"


class CannotStart(Exception):
    """A part that the gateway needs is missing or broken; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The database with what writes to it, and the operators who may have annexes written."""

    database: Database
    commit: GroupCommit
    trail: AuditTrail
    annex_operators: OperatorKeys

    def close(self) -> None:
        """Write what was accepted, then close the connections."""
        self.commit.close()
        self.database.close()


ListAnnexes = Callable[[datetime], list[Annex]]
"""Returns the annexes in force at a moment."""

# One repository for each service that has a source; whoever adds a service adds its line.
REPOSITORIES: Mapping[str, Callable[[Storage, ListAnnexes], object]] = {
    "DimonaService/v1": lambda storage, list_annexes: SqlDimonaRepository(
        storage.database.read, storage.commit, Notifier(AnnexSubscribers(list_annexes))
    ),
    "DmfaConsultationService/v1": lambda storage, _: SqlDmfaRepository(storage.database.read),
    "EmployerMandateConsultationService/v2": lambda storage, _: ManagedUserAccess(StoredAccounts(storage.database)),
    "EmployerRepertoryService/v1": lambda storage, _: SqlEmployerRegister(storage.database.read),
    "SelfEmployedService/v2": lambda storage, _: SqlSelfEmployedRepository(storage.database.ask),
}
# What other services ask of User Management is asked of the same source.
_USER_MANAGEMENT = "EmployerMandateConsultationService/v2"


@dataclass(frozen=True, slots=True)
class Registers:
    """What is known of persons, of who may act for whom and of technical users."""

    facts: Facts
    employer_access: EmployerAccess
    technical_users: TechnicalUsers


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway of one worker process."""

    app: GatewayApp
    pipeline: Pipeline
    storage: Storage
    annexes: AnnexRegistry
    signing_key: SigningKey
    sources: Sources
    watches: tuple[FileWatch | MaintenanceWatch, ...]

    @property
    def guards(self) -> tuple[Guarded, ...]:
        """What is counted of the remote sources."""
        return self.sources.guards

    def close(self) -> None:
        """Stop the threads; what was accepted is written first."""
        for watch in self.watches:
            watch.close()
        self.annexes.close()
        self.sources.close()
        self.storage.close()


def build_gateway(
    settings: Settings,
    clock: Clock = system_clock,
    repositories: Mapping[str, object] | None = None,
    meter: Meter | None = None,
) -> Gateway:
    """Build the gateway of this process; CannotStart with one line when something is missing.

    `repositories` replaces sources, by the name of their service; `meter` counts what is answered.
    """
    storage = open_storage(settings, clock)
    try:
        return _build(storage, settings, clock, repositories or {}, meter)
    except BaseException:
        storage.close()
        raise


def build_measurer(
    settings: Settings,
    clock: Clock = system_clock,
    repositories: Mapping[str, object] | None = None,
    look_at_workers: Callable[[], Mapping[str, Finding]] = dict,
) -> Measurer:
    """Build what measures the parts that can be away, with connections of its own, made anew for each measurement.

    `look_at_workers` tells what the workers' own calls say of remote sources.
    AuditKeysUnusable, KeyFileUnusable and ReadingKeyUnusable when there are no audit keys to measure with.
    """
    database = Database(settings.database_url, connections=4 + len(REPOSITORIES))
    commit = GroupCommit(database, wait_seconds=DEADLINE_SECONDS)
    keys = MonthKeys(settings.audit_keys)
    storage = Storage(
        database, commit, _open_trail(settings, commit, keys, clock), OperatorKeys(settings.annex_operators)
    )
    checks: dict[tuple[str, Kind], Check] = {
        ("database", Kind.GATEWAY): partial(check_database, database),
        ("audit", Kind.GATEWAY): make_audit_check(
            commit, storage.trail, keys, clock, time_stamps=bool(settings.audit_time_stamp_url)
        ),
    }
    # What is measured declares nothing, so it notifies nobody.
    signer = SigningKey(settings.signing_key, settings.signing_certificate)
    sources = _open_sources(storage, lambda now: [], settings, signer, clock)
    for name, repository in (dict(sources.repositories) | dict(repositories or {})).items():
        checks[name, Kind.SOURCE] = partial(check_source, repository)
    for name, fund in sources.funds.items():
        checks[name, Kind.SOURCE] = partial(check_part, fund)
    watches = _make_source_watches(sources)

    def rest() -> None:
        database.close()
        for watch in watches:
            watch.look()

    def known() -> Mapping[str, Finding]:
        told = look_at_workers() if sources.endpoints else {}
        return {name: as_part(finding) if name in sources.funds else finding for name, finding in told.items()}

    return Measurer(checks, clock, rest=rest, known=known)


def build_maintenance_watch(settings: Settings) -> MaintenanceWatch:
    """Build what looks for maintenance, with a connection of its own."""
    return MaintenanceWatch(Database(settings.database_url, connections=1))


@contextmanager
def opened_log_keeper(settings: Settings, clock: Clock = system_clock) -> Iterator[LogKeeper]:
    """Open what keeps the log of this gateway, with connections of its own; CannotStart."""
    authority = open_time_stamp_authority(settings)
    storage = open_storage(settings, clock)
    try:
        yield LogKeeper(storage.commit, storage.trail, authority, clock)
    finally:
        storage.close()


def open_time_stamp_authority(settings: Settings) -> TimeStampAuthority | None:
    """Return the authority that stamps checkpoints, None where none is set; CannotStart without its certificates."""
    if not settings.audit_time_stamp_url:
        return None
    if settings.audit_time_stamp_ca is None:
        raise CannotStart("audit_time_stamp_url is set and audit_time_stamp_ca is not: a stamp could not be believed.")
    try:
        roots = x509.load_pem_x509_certificates(_read(settings.audit_time_stamp_ca))
    except ValueError as error:
        raise CannotStart(f"{settings.audit_time_stamp_ca}: {error}: put PEM there.") from None
    return TimeStampAuthority(settings.audit_time_stamp_url, roots)


def open_repositories(storage: Storage, list_annexes: ListAnnexes) -> dict[str, object]:
    """Return the source of each service in our database."""
    return {name: make(storage, list_annexes) for name, make in REPOSITORIES.items()}


def _open_sources(
    storage: Storage,
    list_annexes: ListAnnexes,
    settings: Settings,
    signer: SigningKey,
    clock: Clock,
    contracts: Contracts | None = None,
) -> Sources:
    own = open_repositories(storage, list_annexes)
    try:
        return open_sources(own, settings.sources, signer, clock, settings.threads, contracts)
    except SourceUnusable as error:
        raise CannotStart(str(error)) from None


def _build(
    storage: Storage, settings: Settings, clock: Clock, repositories: Mapping[str, object], meter: Meter | None
) -> Gateway:
    _check_schema(storage)
    contracts = load_contracts()
    shapes = contracts.shapes()
    annexes = AnnexRegistry(_open_annex_store(storage, shapes))
    policy = SecurityPolicy(
        max_age=timedelta(seconds=settings.message_max_age), clock_skew=timedelta(seconds=settings.clock_skew)
    )
    trust = _open_trust(settings, policy)
    signing_key = SigningKey(settings.signing_key, settings.signing_certificate)
    opened = _open_sources(storage, annexes.list_active, settings, signing_key, clock, contracts)
    sources = dict(opened.repositories) | dict(repositories)
    own_parts = OwnParts(annexes, signing_key, trust, _tls_validity(settings), len(contracts.services), settings.state)
    maintenance = MaintenanceWatch(storage.database)
    health = HealthReport(
        services=frozenset(contract.descriptor.name for contract in contracts.services.values()),
        sources=frozenset((*sources, *opened.funds)),
        look=lambda now: chain(own_parts.look(now), maintenance.components(now)),
        snapshot=settings.health_snapshot,
        look_at_sources=opened.look,
    )
    ports = {
        "page_tokens": _open_page_tokens(settings),
        "health": health,
        "user_access": sources[_USER_MANAGEMENT],
    }
    endpoints = {
        path: ServiceEndpoint(contract, sources.get(contract.descriptor.name), settings.public_url, **ports)
        for path, contract in contracts.services.items()
    }
    catalogue = load_catalogue()
    registers = open_registers(storage)
    pipeline = Pipeline(
        max_bytes=settings.max_message_bytes,
        limits=XmlLimits(),
        trust=trust,
        policy=policy,
        annexes=annexes,
        technical_users=registers.technical_users,
        address_limit=RateLimit(settings.address_rate),
        client_limit=RateLimit(settings.client_rate),
        maintenance=maintenance,
        admission=Admission(storage.commit),
        facts=registers.facts,
        employer_access=registers.employer_access,
        environment=settings.environment,
        replies=Replies(catalogue, settings.public_url, clock),
        recorder=ExchangeRecorder(storage.trail),
        signer=signing_key,
        clock=clock,
    )
    peers = PeerFinder(frozenset(settings.trusted_proxies), settings.proxy_certificate_header)
    app = GatewayApp(endpoints, pipeline, catalogue, peers, settings.max_message_bytes, clock, meter)
    # Known before the first request: HealthCheck is answered from them while the database is away.
    annexes.open()
    maintenance.start()
    watches: tuple[FileWatch | MaintenanceWatch, ...] = (
        maintenance,
        *_watch_files(settings, trust, signing_key, opened),
    )
    # What was made so far lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return Gateway(app, pipeline, storage, annexes, signing_key, opened, watches)


def _watch_files(settings: Settings, trust: Trust, signing_key: SigningKey, sources: Sources) -> tuple[FileWatch, ...]:
    watches = [FileWatch(signing_key.paths, signing_key.reload), *_make_source_watches(sources)]
    if settings.client_crl is not None:
        reload = partial(reload_revocation_list, settings.client_crl, trust)
        watches.append(FileWatch((settings.client_crl,), reload))
    for watch in watches:
        watch.start()
    return tuple(watches)


def _make_source_watches(sources: Sources) -> list[FileWatch]:
    return [FileWatch(sources.files, sources.reload)] if sources.files else []


def open_storage(
    settings: Settings, clock: Clock = system_clock, wait_seconds: float = REQUEST_WAIT_SECONDS
) -> Storage:
    """Open the database and the audit; CannotStart without a state, or when the audit's keys cannot be used.

    What is written waits at most `wait_seconds` to be durable.
    """
    if not settings.state.is_dir():
        raise CannotStart(f"there is no state in {settings.state}: {_PREPARE}.")
    # A thread uses one at a time; so do the writer and those that look for annexes and for maintenance.
    database = Database(settings.database_url, connections=settings.threads + 3)
    commit = GroupCommit(database, wait_seconds=wait_seconds)
    try:
        trail = _open_trail(settings, commit, MonthKeys(settings.audit_keys), clock)
    except (AuditKeysUnusable, KeyFileUnusable) as error:
        raise CannotStart(f"the audit keys cannot be used: {error}") from None
    except ReadingKeyUnusable as error:
        raise CannotStart(
            f"the auditor's public key cannot be used: {error}, see audit_reading_key; or {_PREPARE}."
        ) from None
    return Storage(database, commit, trail, OperatorKeys(settings.annex_operators))


def _open_trail(settings: Settings, commit: GroupCommit, keys: MonthKeys, clock: Clock) -> AuditTrail:
    sealing = SealingKeys(keys, load_reading_key(settings.audit_reading_key))
    return AuditTrail(commit, sealing, _open_log_key(settings), clock)


def _open_log_key(settings: Settings) -> LogKey:
    return LogKey.from_file(settings.audit_log_key, settings.audit_log_origin)


@contextmanager
def opened_storage(settings: Settings) -> Iterator[Storage]:
    """Open the storage for a command, and close it with all that was accepted written."""
    storage = open_storage(settings, wait_seconds=COMMAND_WAIT_SECONDS)
    try:
        _check_schema(storage)
        yield storage
    finally:
        storage.close()


def migrate(settings: Settings) -> None:
    """Bring the database to the schema of this version; CannotStart when it does not answer or cannot be used."""
    database = Database(settings.database_url)
    try:
        log = Log(_open_log_key(settings), system_clock)
        with _database_answering():
            database.migrate(sign_head=log.sign)
    except WrongEncoding as error:
        raise CannotStart(f"{error}: create another one.") from None
    except KeyFileUnusable as error:
        raise CannotStart(f"the key of the audit's log cannot be used: {error}") from None
    finally:
        database.close()


def list_unsigned_annexes(settings: Settings) -> list[Activation]:
    """Return, without their documents, the annexes from before activations were signed: they give no rights."""
    database = Database(settings.database_url)
    try:
        with _database_answering(), database.read() as connection:
            return list_unsigned(read_history(connection), system_clock())
    finally:
        database.close()


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


def open_registers(storage: Storage) -> Registers:
    """Return what decisions are made on, as the database has it."""
    accounts = StoredAccounts(storage.database)
    return Registers(
        facts=Repertory(storage.database),
        employer_access=ManagedEmployerAccess(OwnEmployerAccess(storage.database), accounts, _DECLARATIONS),
        technical_users=ManagedTechnicalUsers(accounts),
    )


def open_annex_store(storage: Storage) -> AnnexStore:
    """Return the store of annexes, which reads them against this version's contracts."""
    return _open_annex_store(storage, load_contracts().shapes())


def open_approvals(storage: Storage) -> Approvals:
    """Return what has annexes proposed and approved."""
    return Approvals(open_annex_store(storage), storage.commit, storage.trail)


def _open_annex_store(storage: Storage, shapes: Shapes) -> AnnexStore:
    return AnnexStore(storage.database, lambda text: read_any_annex(text, shapes), storage.annex_operators)


def open_user_store(storage: Storage, settings: Settings) -> UserStore:
    """Return the store of User Management."""
    return UserStore(storage.database, storage.commit, storage.trail, settings.environment)


def open_client_trust(settings: Settings) -> Trust:
    """Return the authorities that client certificates come from, with their revocation lists."""
    return _open_trust(settings, SecurityPolicy())


def list_annexes(storage: Storage, now: datetime) -> list[Annex]:
    """Return the clients' annexes in force at `now`, by the name of their client."""
    return [annex for annex in list_all_annexes(storage, now) if isinstance(annex, Annex)]


def find_technical_user(storage: Storage, fingerprint: str, now: datetime) -> Annex | None:
    """Return the annex in force for the technical user who sends with this certificate; None if there is none."""
    holder = open_registers(storage).technical_users.find(fingerprint, now)
    if holder is None:
        return None
    for annex in list_all_annexes(storage, now):
        if isinstance(annex, RoleAnnex) and annex.role is Role.TECHNICAL_USER:
            return annex.make_out_to(holder)
    return None


def list_all_annexes(storage: Storage, now: datetime) -> list[Annex | RoleAnnex]:
    """Return the annexes in force at `now` as workers find them, those for a role too, by name."""
    store = open_annex_store(storage)
    entries = (Entry(activation, store.read_annex, store.operators) for activation in store.load_after())
    return Known({}, {}).extended(entries).list_active(now)


def _open_trust(settings: Settings, policy: SecurityPolicy) -> Trust:
    crl = _read(settings.client_crl) if settings.client_crl is not None else None
    try:
        return Trust(_read(settings.client_ca), crl, policy)
    except ValueError as error:
        raise CannotStart(f"{settings.client_ca}, {settings.client_crl}: {error}: put PEM there.") from None


def _open_page_tokens(settings: Settings) -> SealedPageTokens:
    try:
        return SealedPageTokens.from_file(settings.paging_key)
    except KeyFileUnusable as error:
        raise CannotStart(f"the key of page tokens cannot be used: {error}") from None


def _tls_validity(settings: Settings) -> tuple[datetime, datetime] | None:
    """Return from when until when our TLS certificate is valid: as it was at the start, for so long it is served."""
    if not settings.tls:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(_read(settings.tls_certificate))
    except ValueError as error:
        raise CannotStart(f"{settings.tls_certificate}: {error}: put PEM there.") from None
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}: put the file there, or name another in the settings.") from None
