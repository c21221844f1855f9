"""Builds the gateway of one worker process."""

import gc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain

from gateway.admission import Admission
from gateway.annexes.registry import AnnexRegistry
from gateway.app import GatewayApp, Meter
from gateway.bootstrap.annexes import make_annex_store
from gateway.bootstrap.keys import open_client_trust, open_page_tokens, read_tls_validity
from gateway.bootstrap.registers import open_registers
from gateway.bootstrap.remote_sources import Sources
from gateway.bootstrap.sources import USER_MANAGEMENT, make_recovery, make_source_watches, open_sources
from gateway.bootstrap.storage import Storage, check_stored, open_storage
from gateway.catalogue import load_catalogue
from gateway.clock import Clock, system_clock
from gateway.contracts import Contracts, load_contracts
from gateway.dispatch import ServiceEndpoint
from gateway.file_watch import FileWatch
from gateway.health.own_parts import OwnParts
from gateway.health.report import HealthReport
from gateway.maintenance import MaintenanceWatch
from gateway.metrics import Guarded
from gateway.peer import PeerFinder
from gateway.pipeline import Pipeline
from gateway.rate_limit import RateLimit
from gateway.recorder import ExchangeRecorder
from gateway.replies import Replies
from gateway.revocation import reload_revocation_list
from gateway.settings import Settings
from gateway.signing import SigningKey
from gateway.watch import Watch
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway of one worker process."""

    app: GatewayApp
    pipeline: Pipeline
    storage: Storage
    annexes: AnnexRegistry
    signing_key: SigningKey
    sources: Sources
    watches: tuple[Watch, ...]

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


def _build(
    storage: Storage, settings: Settings, clock: Clock, repositories: Mapping[str, object], meter: Meter | None
) -> Gateway:
    check_stored(storage, settings)
    contracts = load_contracts()
    annexes = AnnexRegistry(make_annex_store(storage, contracts.shapes()))
    policy = SecurityPolicy(
        max_age=timedelta(seconds=settings.message_max_age), clock_skew=timedelta(seconds=settings.clock_skew)
    )
    trust = open_client_trust(settings, policy)
    signing_key = SigningKey(settings.signing_key, settings.signing_certificate)
    opened = open_sources(storage, annexes.list_active, settings, signing_key, clock, contracts)
    sources = dict(opened.repositories) | dict(repositories)
    own_parts = OwnParts(
        annexes, signing_key, trust, read_tls_validity(settings), len(contracts.services), settings.state
    )
    maintenance = MaintenanceWatch(storage.database)
    health = HealthReport(
        services=frozenset(contract.descriptor.name for contract in contracts.services.values()),
        sources=frozenset((*sources, *opened.funds)),
        look=lambda now: chain(own_parts.look(now), maintenance.components(now)),
        snapshot=settings.health_snapshot,
        look_at_sources=opened.look,
    )
    endpoints = _make_endpoints(contracts, sources, health, settings)
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
    watches = (maintenance, *_start_watching(settings, trust, signing_key, opened))
    # What was made so far lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return Gateway(app, pipeline, storage, annexes, signing_key, opened, watches)


def _make_endpoints(
    contracts: Contracts, sources: Mapping[str, object], health: HealthReport, settings: Settings
) -> dict[str, ServiceEndpoint]:
    ports = {
        "page_tokens": open_page_tokens(settings),
        "health": health,
        "user_access": sources[USER_MANAGEMENT],
    }
    return {
        path: ServiceEndpoint(contract, sources.get(contract.descriptor.name), settings.public_url, **ports)
        for path, contract in contracts.services.items()
    }


def _start_watching(settings: Settings, trust: Trust, signing_key: SigningKey, sources: Sources) -> Iterable[Watch]:
    watches: list[Watch] = [
        FileWatch(signing_key.paths, signing_key.reload),
        *make_source_watches(sources),
        *make_recovery(sources),
    ]
    if settings.client_crl is not None:
        reload = partial(reload_revocation_list, settings.client_crl, trust)
        watches.append(FileWatch((settings.client_crl,), reload))
    for watch in watches:
        watch.start()
    return watches
