"""Signs zeep's messages as the gateway asks, and verifies its replies. Needs zeep[xmlsec] and nothing else."""

import threading
from datetime import UTC, datetime, timedelta

import xmlsec
from lxml import etree
from zeep import ns
from zeep.exceptions import SignatureVerificationFailed
from zeep.wsse.signature import BinarySignature, Signature
from zeep.wsse.utils import WSU, get_security_header, get_timestamp

WSU_ID = etree.QName(ns.WSU, "Id")


class KszSignature(BinarySignature):
    """For `zeep.Client(wsse=…)`: our key and certificate, and the one that the gateway signs with; PEM files."""

    def __init__(self, key, certificate, gateway_certificate):
        # zeep would sign with SHA-1, which the gateway refuses, and verify replies with our own certificate.
        super().__init__(key, certificate, None, xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256)
        self._gateway = Signature(key, gateway_certificate)
        self._sent = threading.local()

    def apply(self, envelope, headers):
        created, expires = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (0, 5))
        times = WSU.Created(get_timestamp(created)), WSU.Expires(get_timestamp(expires))
        get_security_header(envelope).append(WSU.Timestamp(*times))
        signed, headers = super().apply(envelope, headers)
        self._sent.signature = signed.findtext(".//{*}SignatureValue")
        return signed, headers

    def verify(self, envelope):
        if envelope.find("{*}Header") is None and envelope.find("{*}Body/{*}Fault") is not None:
            # A fault to somebody whom the gateway does not know is unsigned: let zeep raise it as it stands.
            return envelope
        self._gateway.verify(envelope)
        # zeep is content with any signed element: the Body must be one, and the confirmation of our own signature.
        (confirmation,) = envelope.iterfind("{*}Header/{*}Security/{*}SignatureConfirmation")
        ids = etree.XPath("//@wsu:Id", namespaces={"wsu": ns.WSU})(envelope)
        signed = {reference.get("URI") for reference in envelope.iterfind(".//{*}SignedInfo/{*}Reference")}
        needed = {f"#{element.get(WSU_ID)}" for element in (envelope.find("{*}Body"), confirmation)}
        ours = "".join(self._sent.signature.split())
        if not needed <= signed or len(set(ids)) < len(ids) or confirmation.get("Value") != ours:
            raise SignatureVerificationFailed("The signature does not cover this Body, or confirms another message.")
        return envelope
