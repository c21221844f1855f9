"""A source that is another institution's SOAP service of the same contract: asked, verified, read, or refused.

A question is signed with the gateway's key. An answer counts only when it is signed with the source's own certificate,
confirms the signature of this very question, is fresh, and is valid against the contract. What goes wrong is told as
the faults of `services.consultation`; what an answer means is the business of the adapter of each port.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

import structlog
from lxml import etree
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from gateway.sources.exchange import Endpoint, Exchange
from gateway.sources.guard import Guard
from gateway.sources.remote_contract import RemoteContract
from gateway.sources.trouble import BadAnswer, BrokenOff, NotReached, NotSent, NotServed, Trouble, WrongPerson
from gateway.wss.faults import SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.sign import SigningFailed
from gateway.wss.trust import Trust
from gateway.wss.verify import find_security_header, verify_envelope
from gateway.xml.namespaces import SOAP
from gateway.xml.parse import Unparsable, XmlLimits, parse_message
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable, Values, present

log = structlog.get_logger(__name__)

_SIGNATURE_VALUE = re.compile(rb"<ds:SignatureValue>([^<]+)<")
# A page of attestations has more of everything than a request; its size is bounded by itself.
_LIMITS = XmlLimits(elements=200_000, attributes=50_000, namespaces=1_000, lookups=20_000_000)

About = Callable[[Values], bool]
"""Tells whether the values of a reply are about whom was asked."""


class Signs(Protocol):
    """Signs what leaves."""

    def sign(self, body_inner_xml: str, confirm: bytes | None, now: datetime) -> bytes:
        """Return a whole envelope around the Body's element; SigningFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """As whom the gateway asks; under no legal context where the contract has none."""

    cbe_number: str
    legal_context: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified reply: its status, and its values as the binding reads them.

    Of a fault, `value` is `fault` and there are no values.
    """

    value: str
    code: str
    information: tuple[tuple[str, str], ...] = ()
    values: Values = field(default_factory=dict, repr=False)


class RemoteSource:
    """One service at one address. Threads share it."""

    def __init__(
        self,
        contract: RemoteContract,
        endpoint: Endpoint,
        certificate_pem: bytes,
        asker: Asker,
        guard: Guard,
        signer: Signs,
        clock: Callable[[], datetime],
        most_bytes: int,
        policy: SecurityPolicy | None = None,
    ) -> None:
        """`certificate_pem` holds the certificates that the source may sign with; ValueError when it holds none."""
        self.guard = guard
        self._contract = contract
        self._asker = asker
        self._signer = signer
        self._clock = clock
        self._most_bytes = most_bytes
        self._policy = replace(policy or SecurityPolicy(), confirmations=True)
        self.renew(endpoint, certificate_pem)

    def renew(self, endpoint: Endpoint, certificate_pem: bytes) -> None:
        """Ask there and believe these certificates from now on; ValueError when there are none: nothing changes."""
        # Each certificate is an authority for itself and, not being one, for no other.
        self._trust = Trust(certificate_pem, None, self._policy)
        self._endpoint = endpoint

    def begin(self) -> float:
        """Return by when a question that begins now must be answered, with all its calls."""
        return self.guard.begin()

    def ask(self, operation: str, criteria: Values, about: About, until: float | None = None) -> Answer:
        """Ask something that changes nothing; once more where the connection could not be had, or broke off.

        SourceUnavailable, SourceAnswerInvalid, or SourceCommunicationFailed when it broke off again.
        """
        until = self.begin() if until is None else until
        again = Retrying(
            stop=stop_after_attempt(2), retry=retry_if_exception_type((NotReached, BrokenOff)), reraise=True
        )
        try:
            return again(self._ask, operation, criteria, about, until, str(uuid4()))
        except BadAnswer as trouble:
            raise SourceAnswerInvalid.giving(str(trouble)) from trouble
        except BrokenOff as trouble:
            raise SourceCommunicationFailed("the exchange with the source broke off") from trouble
        except Trouble as trouble:
            raise SourceUnavailable("the source cannot be asked now") from trouble

    def tell(self, operation: str, criteria: Values, ticket: str) -> Answer:
        """Tell the source to do something, once: whether it did, is unknown unless it says so.

        SourceUnavailable when nothing was sent, SourceCommunicationFailed when no answer can be believed.
        """
        try:
            return self._ask(operation, criteria, lambda values: True, self.begin(), ticket)
        except NotSent as trouble:
            raise SourceUnavailable("the source cannot be told now") from trouble
        except Trouble as trouble:
            raise SourceCommunicationFailed("the source did not say whether it did what it was told") from trouble

    def probe(self) -> None:
        """Return if the source's address answers; raise otherwise. It is asked about nobody, and past the guard."""
        until = self.begin()
        try:
            Exchange(self._endpoint, self._most_bytes, lambda: self.guard.left(until)).look()
        except Trouble as trouble:
            raise SourceUnavailable("the source does not answer") from trouble

    def close(self) -> None:
        """Take no more questions."""
        self.guard.close()

    def _ask(self, operation: str, criteria: Values, about: About, until: float, ticket: str) -> Answer:
        exchange = Exchange(self._endpoint, self._most_bytes, lambda: self.guard.left(until))

        def work() -> Answer:
            message, signature = self._write(operation, criteria, ticket)
            content = exchange.post(message, self._contract.soap_action(operation))
            answer = self._read(operation, content, signature)
            if answer.values and not about(answer.values):
                raise WrongPerson("an answer about another person")
            return answer

        return self.guard.call(work, until, exchange.abort)

    def _write(self, operation: str, criteria: Values, ticket: str) -> tuple[bytes, bytes]:
        """Return the signed message, and its SignatureValue."""
        now = self._clock()
        customer = {"customerIdentification": {"cbeNumber": self._asker.cbe_number}}
        body = self._contract.write(
            operation,
            present(
                informationCustomer={"ticket": ticket, "timestampSent": now, **customer},
                legalContext=self._asker.legal_context,
                criteria=criteria,
            ),
        )
        try:
            message = self._signer.sign(body, None, now)
        except SigningFailed as failure:
            raise NotSent("the gateway cannot sign") from failure
        found = _SIGNATURE_VALUE.search(message)
        return message, b64decode(found[1]) if found else b""

    def _read(self, operation: str, content: bytes, signature: bytes) -> Answer:
        payload = self._verify(content, signature)
        if payload.tag == f"{{{SOAP}}}Fault":
            return Answer("fault", _fault_code(payload))
        values = self._contract.read(operation, payload)
        status: Mapping[str, Any] = values["status"]
        information = tuple((each["fieldName"], each.get("fieldValue", "")) for each in status.get("information", ()))
        return Answer(status["value"], status["code"], information, values)

    def _verify(self, content: bytes, signature: bytes) -> etree._Element:
        """Return the Body's element, if the source signed it, for this question."""
        try:
            message = parse_message(content, _LIMITS)
        except Unparsable as unparsable:
            raise BadAnswer("the answer is no SOAP message") from unparsable
        try:
            if find_security_header(message.envelope) is None and message.payload.tag == f"{{{SOAP}}}Fault":
                # For somebody whom the source does not know: that is what it takes us for.
                raise NotServed("an unsigned fault")
            verified = verify_envelope(message.envelope, self._trust, self._policy, self._clock())
        except SecurityFault as fault:
            raise BadAnswer("the answer is not signed by the source") from fault
        if verified.confirmed != signature:
            raise BadAnswer("the answer is to another question")
        return verified.body_child


def _fault_code(fault: etree._Element) -> str:
    """Return the reason code of a fault's detail; its faultcode where there is none."""
    detail = fault.find("detail")
    found = None if detail is None else detail.findtext(".//reasonCode")
    return str(found or fault.findtext("faultcode") or "")
