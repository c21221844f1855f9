"""The application of simulated sources: our services, each behind a pipeline of ours with one client and no memory.

What it does wrong on purpose and inside a signed answer is here; what happens to the octets is the server's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from authz.annex import Annex
from authz.ssin import Environment
from gateway.app import GatewayApp
from gateway.catalogue import load_catalogue
from gateway.contracts import Contracts
from gateway.dispatch import ServiceEndpoint
from gateway.established import Arrived, Disclosed, Established, Valid, get
from gateway.facts import Facts
from gateway.peer import PeerFinder
from gateway.pipeline import Answer, Pipeline, Signs
from gateway.rate_limit import RateLimit
from gateway.refusal import Refusal
from gateway.replies import Message, Replies
from gateway.simulator.client import OneClient
from gateway.simulator.fund import FundAccounts
from gateway.source_settings import REMOTE_SERVICES, WITH_FUNDS
from gateway.wss.policy import SecurityPolicy
from gateway.wss.sign import HeaderBlock
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits
from services.health import Component, Level
from services.registry import load_services
from services.self_employed.codes import SOCIAL_INSURANCE_FUND

MAX_BYTES = 256 * 1024
_USER = re.compile("(?<=<technicalUserId>)[^<]+")


def list_paths() -> dict[str, str]:
    """Return the path of each source by its name: a service, or a fund (`SelfEmployedService/v2 fund 003`)."""
    services = {each.name: each.path for each in load_services() if each.name in REMOTE_SERVICES}
    funds = {code: f"/funds/{code}{services[WITH_FUNDS]}" for code in map(str, SOCIAL_INSURANCE_FUND.elements)}
    return services | {f"{WITH_FUNDS} fund {code}": path for code, path in funds.items()}


class SimulatedSources:
    """The applications: one that answers well, one that answers about another person, one that another key signs."""

    def __init__(
        self,
        contracts: Contracts,
        repositories: Mapping[str, object],
        ports: Mapping[str, object],
        annexes: Mapping[str, Annex],
        client_certificate: bytes,
        facts: Facts,
        signer: Signs,
        forger: Signs,
        clock: Callable[[], datetime],
        public_url: str,
        environment: Environment = Environment.TEST,
    ) -> None:
        """`repositories`, and the `annexes` of their one client, are by the name of their service.

        `ports` is what else services need.
        """
        catalogue = load_catalogue()
        by_name = {contract.descriptor.name: contract for contract in contracts.services.values()}
        endpoints: dict[str, ServiceEndpoint] = {}
        for name, path in list_paths().items():
            service, _, fund = name.partition(" fund ")
            repository: Any = repositories.get(service)
            if repository is not None:
                played = FundAccounts(repository, fund) if fund else repository
                endpoints[path] = ServiceEndpoint(by_name[service], played, public_url, health=_AlwaysWell(), **ports)
        policy = SecurityPolicy()
        pipelines = {
            name: Pipeline(
                max_bytes=MAX_BYTES,
                limits=XmlLimits(),
                trust=Trust(client_certificate, None, policy),
                policy=policy,
                annexes=OneClient(annex),
                technical_users=_Nobody(),
                address_limit=RateLimit(0),
                client_limit=RateLimit(0),
                maintenance=_AlwaysOpen(),
                admission=_Everybody(),
                facts=facts,
                employer_access=_Nobody(),
                environment=environment,
                replies=Replies(catalogue, public_url, clock),
                recorder=_NoRecord(),
                signer=signer,
                clock=clock,
            )
            for name, annex in annexes.items()
        }

        def serve(**parts: Any) -> GatewayApp:
            processor = _EachItsOwn({name: replace(pipeline, **parts) for name, pipeline in pipelines.items()})
            return GatewayApp(endpoints, processor, catalogue, PeerFinder(frozenset(), ""), MAX_BYTES, clock)

        self.app = serve()
        self.wrong_person = serve(replies=_AboutSomebodyElse(catalogue, public_url, clock))
        self.forged = serve(signer=forger)


class _EachItsOwn:
    """Has each service answer by its own pipeline: the gateway is not the same to all of them."""

    def __init__(self, pipelines: Mapping[str, Pipeline]) -> None:
        self._pipelines = pipelines

    def process(self, arrived: Arrived) -> Answer:
        return self._pipelines[arrived.endpoint.contract.descriptor.name].process(arrived)


class _AlwaysWell:
    """Knows of no component: what is only played has none."""

    services: frozenset[str] = frozenset()

    def components(self, level: Level, services: frozenset[str], now: datetime) -> Iterable[Component]:
        return ()


class _AlwaysOpen:
    """Is never closed for maintenance."""

    current = None


class _AboutSomebodyElse(Replies):
    """Tells what was found as if it were another person's; the echo stays as it was asked.

    Of a user nothing but the echo says who it is: there it is another.
    """

    def answer(self, disclosed: Disclosed) -> Message:
        message = super().answer(disclosed)
        echo, status, data = message.body.partition("</status>")
        for ssin in _find_ssins(get(disclosed, Valid).values.get("criteria", {})):
            # Nothing but the number is other: the last two digits, which make it a number that nobody has.
            data = data.replace(ssin, f"{ssin[:9]}{(int(ssin[9:]) + 1) % 100:02}")
        return replace(message, body=_USER.sub("somebody-else", echo) + status + data)


def _find_ssins(values: Any) -> list[str]:
    """Return the SSINs of criteria, wherever they stand."""
    if isinstance(values, Mapping):
        own = values.get("ssin", [])
        inner = [ssin for name, each in values.items() if name != "ssin" for ssin in _find_ssins(each)]
        return [*(own if isinstance(own, list) else [own]), *inner]
    if isinstance(values, list):
        return [ssin for each in values for ssin in _find_ssins(each)]
    return []


class _Nobody:
    """There are no technical users, and nobody acts for an employer."""

    def find(self, fingerprint: str, now: datetime) -> None:
        return None

    def find_relation(self, acting: object, employer: object, day: object) -> None:
        return None


class _Everybody:
    """Lets every message in, as often as it comes."""

    def admit(self, annex: Annex, replay_key: bytes | None, forget_at: datetime | None, now: datetime) -> None:
        return None


class _NoRecord:
    """Keeps nothing: the gateway that asks has the record."""

    def record(self, established: Established, message: Message, refusal: Refusal | None) -> tuple[HeaderBlock, ...]:
        return ()

    def record_unsigned(self, established: Established, message: Message, refusal: Refusal) -> tuple[HeaderBlock, ...]:
        return ()
