"""A client of the gateway on zeep, for the command line and tests: proves itself as its annex says, verifies replies.

Uses the served WSDL, so that every call is also a proof that the published contract works.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import zeep
import zeep.plugins
from lxml import etree
from zeep.wsse.signature import MemorySignature

from authz.annex import AuthenticationMethod
from gateway.dry_run import make_dry_run, read_explanation
from gateway.wss.names import DS, WSSE, WSSE11, WSU_ID
from gateway.wss.sign import HeaderBlock, Signer
from gateway.xml.namespaces import SOAP

_TIMEOUT = 30


class ReplyNotTrusted(Exception):
    """A reply is not signed by the gateway, or answers another request than ours."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Where a client's key, its certificate and what it trusts lie: PEM files. `method` is as its annex demands."""

    certificate: Path
    key: Path
    authority: Path
    gateway_certificate: Path
    method: AuthenticationMethod


class MessageSecurity:
    """zeep's `wsse` plugin: signs requests as the gateway signs replies, and verifies that a reply answers the request.

    A fault may be unsigned: the gateway signs for those it knows, and tells strangers why it does not know them.
    """

    def __init__(self, identity: ClientIdentity, clock: Callable[[], datetime]) -> None:
        self._signer = Signer(identity.key.read_bytes(), identity.certificate.read_bytes())
        # zeep verifies with the certificate it is given here, which must be the gateway's and not our own.
        self._gateway = MemorySignature(b"", identity.gateway_certificate.read_bytes())
        self._clock = clock
        self.sent: etree._Element | None = None

    def apply(self, envelope: etree._Element, headers: Any) -> tuple[etree._Element, Any]:
        """Replace the envelope by a signed one with the same Body and the same header blocks."""
        (payload,) = envelope.iterfind(f"{{{SOAP}}}Body/*")
        blocks = []
        for number, block in enumerate(envelope.iterfind(f"{{{SOAP}}}Header/*")):
            block.set(WSU_ID, f"header-{number}")
            blocks.append(HeaderBlock(f"header-{number}", _canonical(block)))
        self.sent = etree.fromstring(self._signer.sign(_canonical(payload), None, self._clock(), blocks))
        return self.sent, headers

    def verify(self, envelope: etree._Element) -> etree._Element:
        """Verify the gateway's signature and that it confirms ours; raises zeep's error, or ReplyNotTrusted."""
        security = envelope.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security")
        if security is None and envelope.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault") is not None:
            return envelope
        self._gateway.verify(envelope)
        # zeep is content with any signed element: the Body must be one, and every header block, and the confirmation of
        # our own signature.
        ids = [element.get(WSU_ID) for element in envelope.iter("*") if WSU_ID in element.attrib]
        signed = {reference.get("URI") for reference in envelope.iterfind(f".//{{{DS}}}SignedInfo/{{{DS}}}Reference")}
        body = envelope.find(f"{{{SOAP}}}Body")
        confirmation = envelope.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security/{{{WSSE11}}}SignatureConfirmation")
        if len(set(ids)) < len(ids) or body is None or confirmation is None:
            raise ReplyNotTrusted("The reply does not have the parts that it must have, once each.")
        blocks = [block for block in envelope.iterfind(f"{{{SOAP}}}Header/*") if block is not security]
        if not {f"#{element.get(WSU_ID)}" for element in (body, confirmation, *blocks)} <= signed:
            raise ReplyNotTrusted("The gateway's signature does not cover this Body, or a header block.")
        if self.sent is None or confirmation.get("Value") != self.sent.findtext(f".//{{{DS}}}SignatureValue"):
            raise ReplyNotTrusted("The reply confirms the signature of another request than ours.")
        return envelope


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what came back, or the fault; and both messages as they went over the wire."""

    reply: Any
    fault: zeep.exceptions.Fault | None
    sent: etree._Element | None
    received: etree._Element | None

    @property
    def explanation(self) -> Mapping[str, Any] | None:
        """Return why the request would pass or not; None unless a dry run was answered."""
        return None if self.received is None else read_explanation(self.received)


class GatewayClient:
    """A client of one service."""

    def __init__(
        self,
        wsdl_url: str,
        identity: ClientIdentity,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read the served WSDL; requests' and zeep's errors pass through."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(identity.authority)
        if identity.method is AuthenticationMethod.MUTUAL_TLS:
            session.cert = (str(identity.certificate), str(identity.key))
        signing = identity.method is AuthenticationMethod.X509_TOKEN
        self._security = MessageSecurity(identity, clock) if signing else None
        self._history = zeep.plugins.HistoryPlugin()
        self._session = session
        self.zeep = zeep.Client(
            wsdl_url,
            transport=zeep.Transport(session=session, timeout=_TIMEOUT, operation_timeout=_TIMEOUT),
            wsse=self._security,
            plugins=[self._history],
            # A strict zeep stumbles over a choice of groups in the middle of a type, such as BySsinCriteriaType's.
            settings=zeep.Settings(strict=False),
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, operation: str, request: dict[str, Any], *, dry_run: bool = False) -> Call:
        """Call an operation with values as zeep takes them; a dry run asks only whether the request would pass."""
        fault = reply = None
        headers = [make_dry_run()] if dry_run else None
        try:
            reply = getattr(self.zeep.service, operation)(**request, _soapheaders=headers)
        except zeep.exceptions.Fault as raised:
            fault = raised
        # zeep's history holds a request as it was before it was signed.
        sent = self._security.sent if self._security else _last(self._history, "last_sent")
        return Call(reply, fault, sent, _last(self._history, "last_received"))


def _canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False).decode()


def _last(history: zeep.plugins.HistoryPlugin, name: str) -> etree._Element | None:
    try:
        envelope: etree._Element = getattr(history, name)["envelope"]
    except IndexError:
        return None
    return envelope
