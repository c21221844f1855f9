"""The application of simulated sources: our services behind our own pipeline, with one client and no memory.

What it does wrong on purpose and inside a signed answer is here; what happens to the octets is the server's.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from authz.annex import Annex
from authz.ssin import Environment
from gateway.app import GatewayApp
from gateway.catalogue import load_catalogue
from gateway.contracts import Contracts
from gateway.dispatch import ServiceEndpoint
from gateway.established import Disclosed, Established, Valid, get
from gateway.facts import Facts
from gateway.peer import PeerFinder
from gateway.pipeline import Pipeline, Signs
from gateway.refusal import Refusal
from gateway.replies import Message, Replies
from gateway.simulator.client import OneClient
from gateway.simulator.fund import FundAccounts
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits
from services.self_employed.codes import SOCIAL_INSURANCE_FUND
from services.self_employed.repository import SelfEmployedRepository

SELF_EMPLOYED = "SelfEmployedService/v2"
MAX_BYTES = 256 * 1024


def fund_path(code: str) -> str:
    """Return the path of a fund's own service."""
    return f"/funds/{code}/SelfEmployedService/v2/consult"


class SimulatedSources:
    """The applications: one that answers well, one that answers about another person, one that another key signs."""

    def __init__(
        self,
        contracts: Contracts,
        repositories: Mapping[str, object],
        ports: Mapping[str, object],
        annex: Annex,
        client_certificate: bytes,
        facts: Facts,
        signer: Signs,
        forger: Signs,
        clock: Callable[[], datetime],
        public_url: str,
        environment: Environment = Environment.TEST,
    ) -> None:
        """`repositories` are by the name of their service, `ports` what else services need."""
        catalogue = load_catalogue()
        self.paths: dict[str, str] = {}
        endpoints: dict[str, ServiceEndpoint] = {}
        for path, contract in contracts.services.items():
            name = contract.descriptor.name
            if name not in repositories:
                continue
            self.paths[name] = path
            endpoints[path] = ServiceEndpoint(contract, repositories[name], public_url, **ports)
            if name == SELF_EMPLOYED:
                register: Any = repositories[name]
                self._add_funds(endpoints, contract, register, public_url)
        policy = SecurityPolicy()
        pipeline = Pipeline(
            max_bytes=MAX_BYTES,
            limits=XmlLimits(),
            trust=Trust(client_certificate, None, policy),
            policy=policy,
            annexes=OneClient(annex),
            technical_users=_Nobody(),
            admission=_Everybody(),
            facts=facts,
            employer_access=_Nobody(),
            environment=environment,
            replies=Replies(catalogue, public_url, clock),
            recorder=_NoRecord(),
            signer=signer,
            clock=clock,
        )

        def serve(**parts: Any) -> GatewayApp:
            processor = replace(pipeline, **parts)
            return GatewayApp(endpoints, processor, catalogue, PeerFinder(frozenset(), ""), MAX_BYTES, clock)

        self.app = serve()
        self.wrong_person = serve(replies=_AboutSomebodyElse(catalogue, public_url, clock))
        self.forged = serve(signer=forger)

    def _add_funds(
        self, endpoints: dict[str, ServiceEndpoint], contract: Any, register: SelfEmployedRepository, public_url: str
    ) -> None:
        for code in map(str, SOCIAL_INSURANCE_FUND.elements):
            self.paths[f"{SELF_EMPLOYED} fund {code}"] = path = fund_path(code)
            endpoints[path] = ServiceEndpoint(contract, FundAccounts(register, code), public_url)


class _AboutSomebodyElse(Replies):
    """Tells what was found as if it were another person's; the echo stays as it was asked."""

    def answer(self, disclosed: Disclosed) -> Message:
        message = super().answer(disclosed)
        echo, status, data = message.body.partition("</status>")
        for ssin in _find_ssins(get(disclosed, Valid).values.get("criteria", {})):
            # Nothing but the number is other: the last two digits, which make it a number that nobody has.
            data = data.replace(ssin, f"{ssin[:9]}{(int(ssin[9:]) + 1) % 100:02}")
        return replace(message, body=echo + status + data)


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

    def record(self, established: Established, message: Message, refusal: Refusal | None) -> None:
        return None

    def record_unsigned(self, established: Established, message: Message, refusal: Refusal) -> None:
        return None
