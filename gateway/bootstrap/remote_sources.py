"""Puts another institution's service in the place of our own source, where the settings say so."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from gateway.bootstrap.cannot_start import CannotStart
from gateway.clock import Clock
from gateway.contracts import Contracts, load_contracts
from gateway.health.measure import Finding
from gateway.source_settings import EndpointSettings, SourceSettings, fund_name, list_endpoints
from gateway.sources.broker import FundsBroker
from gateway.sources.exchange import Endpoint, open_endpoint
from gateway.sources.guard import Guard, GuardPolicy
from gateway.sources.remote import Asker, RemoteSource, Signs
from gateway.sources.remote_contract import RemoteContract
from gateway.sources.remote_dimona import RemoteDimonaRepository
from gateway.sources.remote_dmfa import RemoteDmfaRepository
from gateway.sources.remote_employers import RemoteEmployerRegister
from gateway.sources.remote_self_employed import RemoteSelfEmployedRepository
from gateway.sources.remote_user_access import RemoteUserAccess
from services.health import State

log = structlog.get_logger(__name__)

# How a service's source is asked where it is remote. What its contract has no question for, our own database answers.
REMOTE_REPOSITORIES: Mapping[str, Callable[[RemoteSource, Any], Any]] = {
    "DimonaService/v1": lambda source, own: RemoteDimonaRepository(source, own.find_employer),
    "DmfaConsultationService/v1": lambda source, _: RemoteDmfaRepository(source),
    "EmployerMandateConsultationService/v2": lambda source, _: RemoteUserAccess(source),
    "EmployerRepertoryService/v1": lambda source, _: RemoteEmployerRegister(source),
    "SelfEmployedService/v2": lambda source, own: RemoteSelfEmployedRepository(source, own.is_pcsa),
}


@dataclass(frozen=True, slots=True)
class Sources:
    """The repositories by the name of their service, and the remote addresses: of a service, or of a fund of it.

    `endpoints` are the settings of the latter, by the same names.
    """

    repositories: Mapping[str, object]
    remote: Mapping[str, RemoteSource]
    funds: Mapping[str, RemoteSource]
    endpoints: Mapping[str, EndpointSettings]

    @property
    def files(self) -> tuple[Path, ...]:
        """The certificates and authorities of the remote addresses."""
        return tuple(path for endpoint in self.endpoints.values() for path in _files(endpoint))

    @property
    def guards(self) -> tuple[Guard, ...]:
        """What guards each remote address."""
        return tuple(source.guard for source in (*self.remote.values(), *self.funds.values()))

    def look(self) -> Mapping[str, Finding]:
        """Tell how each remote address is, as far as the calls of this process know; a fund is but a part."""
        whole = {name: source.guard.look() for name, source in self.remote.items()}
        return whole | {name: as_part(source.guard.look()) for name, source in self.funds.items()}

    def reload(self) -> None:
        """Read the files again; an address whose files cannot be used keeps what it had."""
        for name, source in (*self.remote.items(), *self.funds.items()):
            try:
                source.renew(*_read(self.endpoints[name]))
            except (OSError, ValueError) as error:
                log.error("source_certificate_unusable", source=name, error=type(error).__name__)
            else:
                log.info("source_certificate_read", source=name)

    def close(self) -> None:
        """Take no more questions."""
        for repository in self.repositories.values():
            close = getattr(repository, "close", None)
            if close is not None:
                close()


def as_part(finding: Finding) -> Finding:
    """Return the finding as that of a part without which the rest still answers."""
    return replace(finding, state=State.DEGRADED) if finding.state is State.NOK else finding


def replace_sources(
    own: Mapping[str, object],
    settings: Mapping[str, SourceSettings],
    signer: Signs,
    clock: Clock,
    threads: int,
    contracts: Contracts | None = None,
) -> Sources:
    """Put remote sources in the place of our `own` where the settings say so; CannotStart.

    `threads` is how many questions this process may have in hand at a time.
    """
    if not settings:
        return Sources(own, {}, {}, {})
    by_name = {each.descriptor.name: each for each in (contracts or load_contracts()).services.values()}
    repositories, remote, funds = dict(own), dict[str, RemoteSource](), dict[str, RemoteSource]()
    for name, chosen in settings.items():
        contract = RemoteContract(by_name[name])
        repository: Any = own[name]
        if chosen.remote is not None:
            remote[name] = _open(name, contract, chosen.remote, chosen, signer, clock)
            repository = REMOTE_REPOSITORIES[name](remote[name], own[name])
        if chosen.funds:
            opened = dict(_open_funds(name, contract, chosen, signer, clock))
            funds |= {fund_name(name, code): source for code, source in opened.items()}
            register: Any = own[name]
            accounts = {code: RemoteSelfEmployedRepository(each, register.is_pcsa) for code, each in opened.items()}
            repository = FundsBroker(repository, register.find_funds, accounts, chosen.deadline_seconds, threads)
        repositories[name] = repository
    return Sources(repositories, remote, funds, dict(list_endpoints(settings)))


def _open_funds(
    name: str, contract: RemoteContract, chosen: SourceSettings, signer: Signs, clock: Clock
) -> Iterable[tuple[str, RemoteSource]]:
    for code, endpoint in chosen.funds.items():
        yield code, _open(fund_name(name, code), contract, endpoint, chosen, signer, clock)


def _open(
    name: str,
    contract: RemoteContract,
    endpoint: EndpointSettings,
    chosen: SourceSettings,
    signer: Signs,
    clock: Clock,
) -> RemoteSource:
    policy = GuardPolicy(chosen.deadline_seconds, chosen.calls, chosen.failures, chosen.pause_seconds)
    try:
        reached, certificate_pem = _read(endpoint)
        return RemoteSource(
            contract=contract,
            endpoint=reached,
            certificate_pem=certificate_pem,
            asker=Asker(chosen.cbe_number, chosen.legal_context),
            guard=Guard(name, policy),
            signer=signer,
            clock=clock,
            most_bytes=chosen.max_reply_bytes,
        )
    except (OSError, ValueError) as error:
        files = ", ".join(map(str, _files(endpoint)))
        raise CannotStart(f"{name}: {files}: {error}: put PEM certificates there.") from None


def _read(endpoint: EndpointSettings) -> tuple[Endpoint, bytes]:
    """Return what its files make of an address, and the certificates that it signs with; OSError."""
    return open_endpoint(endpoint.address, endpoint.authority), endpoint.certificate.read_bytes()


def _files(endpoint: EndpointSettings) -> tuple[Path, ...]:
    return tuple(path for path in (endpoint.certificate, endpoint.authority) if path)
