"""A client as an institution would write it: stock zeep and its own signature, no code of the gateway."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import xmlsec
import zeep
from lxml import etree
from zeep.wsse.signature import BinarySignature, MemorySignature
from zeep.wsse.utils import WSU, get_security_header

from tests.e2e.conftest import PATIENCE, RunningGateway


class StockSignature(BinarySignature):
    """zeep's BinarySignature with SHA-256 and a Timestamp, that verifies replies with the gateway's certificate."""

    def __init__(self, pki: Path, client: str) -> None:
        super().__init__(
            pki / "clients" / f"{client}.key",
            pki / "clients" / f"{client}.pem",
            signature_method=xmlsec.constants.TransformRsaSha256,
            digest_method=xmlsec.constants.TransformSha256,
        )
        self._gateway = MemorySignature(b"", (pki / "gateway.pem").read_bytes())

    def apply(self, envelope: etree._Element, headers: Any) -> Any:
        now = datetime.now(UTC)
        times = (WSU.Created(now.isoformat()), WSU.Expires((now + timedelta(minutes=5)).isoformat()))
        get_security_header(envelope).append(WSU.Timestamp(*times))
        return super().apply(envelope, headers)

    def verify(self, envelope: etree._Element) -> etree._Element:
        return self._gateway.verify(envelope)


def stock_client(gateway: RunningGateway, path: str, client: str, *, signing: bool = True) -> zeep.Client:
    """Build zeep's client from the served WSDL; without signing it proves itself with its TLS certificate."""
    pki = gateway.state / "pki"
    session = requests.Session()
    session.trust_env = False
    session.verify = gateway.authority
    if not signing:
        session.cert = (str(pki / "clients" / f"{client}.pem"), str(pki / "clients" / f"{client}.key"))
    return zeep.Client(
        f"{gateway.url}{path}?wsdl",
        transport=zeep.Transport(session=session, timeout=PATIENCE, operation_timeout=PATIENCE),
        wsse=StockSignature(pki, client) if signing else None,
    )
