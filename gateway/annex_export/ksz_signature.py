"""Signs zeep's messages as the gateway asks, and verifies its replies. Needs zeep[xmlsec] and nothing else."""

import threading
from datetime import UTC, datetime, timedelta

import xmlsec
from lxml import etree
from zeep import ns
from zeep.exceptions import SignatureVerificationFailed
from zeep.wsse.signature import BinarySignature, Signature
from zeep.wsse.utils import WSU, ensure_id, get_security_header, get_timestamp

WSU_ID = etree.QName(ns.WSU, "Id")


class KszSignature(BinarySignature):
    """For `zeep.Client(wsse=…)`: our key and certificate, and the one that the gateway signs with; PEM files.

    `sign_token`: sign the token too, as some annexes demand. `elliptic`: our key is one on the curve P-256, not RSA.
    """

    def __init__(self, key, certificate, gateway_certificate, *, sign_token=False, elliptic=False):
        # zeep would sign with SHA-1, which the gateway refuses, and verify replies with our own certificate.
        method = xmlsec.Transform.ECDSA_SHA256 if elliptic else xmlsec.Transform.RSA_SHA256
        super().__init__(key, certificate, None, method, xmlsec.Transform.SHA256)
        self._gateway = Signature(key, gateway_certificate)
        self._key = xmlsec.Key.from_file(str(key), xmlsec.KeyFormat.PEM)
        self._sign_token = sign_token
        self._sent = threading.local()

    def apply(self, envelope, headers):
        """Add a Timestamp, and sign it with the Body."""
        created, expires = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (0, 5))
        times = WSU.Created(get_timestamp(created)), WSU.Expires(get_timestamp(expires))
        get_security_header(envelope).append(WSU.Timestamp(*times))
        signed, headers = super().apply(envelope, headers)
        if self._sign_token:
            self._sign_again(signed)
        self._sent.signature = signed.findtext(".//{*}SignatureValue")
        return signed, headers

    def _sign_again(self, envelope):
        """Sign once more with the token, which zeep adds only after it has signed."""
        security = get_security_header(envelope)
        signature, token = (security.find(f"{{*}}{name}") for name in ("Signature", "BinarySecurityToken"))
        reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri=f"#{ensure_id(token)}")
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        context = xmlsec.SignatureContext()
        context.key = self._key
        for element in (envelope.find("{*}Body"), security.find("{*}Timestamp"), token):
            context.register_id(element, "Id", ns.WSU)
        context.sign(signature)

    def verify(self, envelope):
        """Return the reply if the gateway signed it as the answer to what we sent."""
        if envelope.find("{*}Header") is None and envelope.find("{*}Body/{*}Fault") is not None:
            # A fault to somebody whom the gateway does not know is unsigned: let zeep raise it as it stands.
            return envelope
        self._gateway.verify(envelope)
        # zeep is content with any signed element: the Body must be one, and the confirmation of our own signature.
        (confirmation,) = envelope.iterfind("{*}Header/{*}Security/{*}SignatureConfirmation")
        ids = envelope.xpath("//@wsu:Id", namespaces={"wsu": ns.WSU})
        signed = {reference.get("URI") for reference in envelope.iterfind(".//{*}SignedInfo/{*}Reference")}
        needed = {f"#{element.get(WSU_ID)}" for element in (envelope.find("{*}Body"), confirmation)}
        ours = "".join(self._sent.signature.split())
        if not needed <= signed or len(set(ids)) < len(ids) or confirmation.get("Value") != ours:
            raise SignatureVerificationFailed("The signature does not cover this Body, or confirms another message.")
        return envelope
