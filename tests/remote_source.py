"""A repository behind a simulated source, and the remote adapter that asks it over loopback: for suites of ports."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from authz.integration import PersonFacts
from authz.organisation import Organisation
from gateway.bootstrap import REMOTE_REPOSITORIES
from gateway.contracts import Contracts, load_contracts
from gateway.pipeline import Signs
from gateway.pki import Identity, KeyKind, create_authority, create_key, issue
from gateway.simulator.app import SimulatedSources, list_paths
from gateway.simulator.client import CBE_NUMBER, LEGAL_CONTEXT, make_annex
from gateway.simulator.faults import Faults
from gateway.simulator.server import SimulatorServer
from gateway.source_settings import WITHOUT_LEGAL_CONTEXT
from gateway.sources.exchange import open_endpoint
from gateway.sources.guard import Guard, GuardPolicy
from gateway.sources.remote import Asker, RemoteSource
from gateway.sources.remote_contract import RemoteContract
from gateway.wss.sign import Signer
from tests.unit.fakes_dmfa import FakePageTokens
from tests.unit.fakes_user_access import FakeUserAccess

PATIENT = GuardPolicy(deadline_seconds=10.0)


class SetClock:
    """The clock of both sides, which a test may set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class EverybodyKnown:
    """A register in which every number is a person's, whom the source has in its file."""

    def find(self, ssin: str, customer: Organisation, supplier: Organisation | None) -> PersonFacts:
        return PersonFacts(known=True)

    def find_all(
        self, ssins: Iterable[str], customer: Organisation, supplier: Organisation | None
    ) -> Mapping[str, PersonFacts]:
        return {ssin: PersonFacts(known=True) for ssin in ssins}


@cache
def contracts() -> Contracts:
    return load_contracts()


@cache
def identity(name: str) -> Identity:
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    authority = create_authority(begin)
    key = create_key(KeyKind.EC)
    return issue(authority, name, len(name), begin, key=key, not_before=begin, not_after=end)


def sign_as(name: str) -> Signer:
    return Signer(identity(name).key_pem, identity(name).certificate_pem)


@contextmanager
def played(
    service: str, repository: object, clock: Callable[[], datetime], signer: Signs | None = None
) -> Iterator[SimulatorServer]:
    """Serve the repository as another institution's service on loopback, until the block ends."""
    client = identity("gateway").certificate_pem
    server = SimulatorServer(("127.0.0.1", 0), Faults())
    try:
        server.sources = SimulatedSources(
            contracts=contracts(),
            repositories={service: repository},
            ports={"page_tokens": FakePageTokens(), "user_access": FakeUserAccess()},
            annexes={service: make_annex(client, contracts().shapes(), service)},
            client_certificate=client,
            facts=EverybodyKnown(),
            signer=signer or sign_as("source"),
            forger=sign_as("forger"),
            clock=clock,
            public_url=server.url,
        )
        server.start()
        yield server
    finally:
        server.close()


def ask(
    service: str, server: SimulatorServer, clock: Callable[[], datetime], policy: GuardPolicy = PATIENT, **changes: Any
) -> RemoteSource:
    """Return the remote source that is served."""
    contract = next(each for each in contracts().services.values() if each.descriptor.name == service)
    usual = {
        "contract": RemoteContract(contract),
        "endpoint": open_endpoint(server.url + list_paths()[service], None),
        "certificate_pem": identity("source").certificate_pem,
        "asker": Asker(CBE_NUMBER, None if service == WITHOUT_LEGAL_CONTEXT else LEGAL_CONTEXT),
        "guard": Guard(service, policy),
        "signer": sign_as("gateway"),
        "clock": clock,
        "most_bytes": 4 * 1024 * 1024,
    }
    return RemoteSource(**usual | changes)


@contextmanager
def remotely(service: str, repository: Any, clock: Callable[[], datetime] | None = None) -> Iterator[Any]:
    """Give the remote adapter that asks the repository over loopback, until the block ends."""
    clock = clock or SetClock()
    with played(service, repository, clock) as server:
        remote = REMOTE_REPOSITORIES[service](ask(service, server, clock), repository)
        try:
            yield remote
        finally:
            remote.close()
