"""Opens simulated sources on a demo state: its database is what they know, and they sign with a key of their own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gateway.bootstrap import USER_MANAGEMENT, CannotStart, Storage, open_repositories, open_storage
from gateway.clock import Clock, system_clock
from gateway.contracts import load_contracts
from gateway.demo_world import certify_client
from gateway.inscriptions import Repertory
from gateway.page_tokens import SealedPageTokens
from gateway.settings import Settings
from gateway.signing import SigningKey
from gateway.simulator.app import SimulatedSources, list_paths
from gateway.simulator.client import CBE_NUMBER, LEGAL_CONTEXT, make_annex
from gateway.simulator.faults import Faults, Rule
from gateway.simulator.server import SimulatorServer
from gateway.source_settings import REMOTE_SERVICES, WITH_FUNDS, WITHOUT_LEGAL_CONTEXT

SOURCE, FORGER = "simulated-source", "simulated-forger"
_FUND = f"{WITH_FUNDS} fund "


@contextmanager
def opened_simulator(
    settings: Settings, address: tuple[str, int], rules: Iterable[Rule] = (), clock: Clock = system_clock
) -> Iterator[SimulatorServer]:
    """Give the server, bound and not yet serving, until the block ends; CannotStart without a demo state.

    OSError when the address cannot be had.
    """
    _check_demo(settings)
    storage = open_storage(settings, clock)
    try:
        faults = Faults(rules)
        server = SimulatorServer(address, faults)
        try:
            server.sources = _make_sources(settings, storage, clock, server.url)
            yield server
        finally:
            server.close()
    finally:
        storage.close()


def _make_sources(settings: Settings, storage: Storage, clock: Clock, url: str) -> SimulatedSources:
    contracts = load_contracts()
    client = settings.signing_certificate.read_bytes()
    repositories = open_repositories(storage, lambda now: [])
    return SimulatedSources(
        contracts=contracts,
        repositories={name: repositories[name] for name in REMOTE_SERVICES},
        ports={
            "page_tokens": SealedPageTokens.from_file(settings.paging_key),
            "user_access": repositories[USER_MANAGEMENT],
        },
        annexes={name: make_annex(client, contracts.shapes(), name) for name in REMOTE_SERVICES},
        client_certificate=client,
        facts=Repertory(storage.database),
        signer=_make_key(settings, SOURCE),
        forger=_make_key(settings, FORGER),
        clock=clock,
        public_url=url,
        environment=settings.environment,
    )


def _make_key(settings: Settings, name: str) -> SigningKey:
    certify_client(settings, name)
    path = settings.state / "pki" / "clients" / name
    return SigningKey(path.with_suffix(".key"), path.with_suffix(".pem"))


def make_settings(settings: Settings, url: str) -> str:
    """Return what a gateway's gateway.toml says to ask these sources: the RSVZ as a broker, the others whole.

    Makes the certificate that it names, where that is missing; CannotStart without a demo state.
    """
    _check_demo(settings)
    certify_client(settings, SOURCE)
    paths, lines = list_paths(), list[str]()
    for name in REMOTE_SERVICES:
        context = [] if name == WITHOUT_LEGAL_CONTEXT else [f'legal_context = "{LEGAL_CONTEXT}"']
        lines += [f'[sources."{name}"]', f'cbe_number = "{CBE_NUMBER}"', *context, ""]
        if name != WITH_FUNDS:
            lines += _endpoint(f'sources."{name}".remote', url + paths[name])
        for part, path in paths.items():
            if name == WITH_FUNDS and part.startswith(_FUND):
                lines += _endpoint(f'sources."{name}".funds."{part.removeprefix(_FUND)}"', url + path)
    return "\n".join(lines)


def _check_demo(settings: Settings) -> None:
    if not (settings.state / "pki" / "ca.key").is_file():
        raise CannotStart(f"{settings.state} holds no demo world: run ksz-gateway demo.")


def _endpoint(table: str, address: str) -> list[str]:
    return [f"[{table}]", f'address = "{address}"', f'certificate = "pki/clients/{SOURCE}.pem"', ""]
