"""Asks whether a request would pass, consulting nobody; prints the status and the explanation as JSON.

Arguments: ADDRESS OPERATION REQUEST.json PKI CLIENT
"""

import json
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
import xmlsec
import zeep
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from ksz_signature import KszSignature
from lxml import etree
from zeep import ns
from zeep.exceptions import SignatureVerificationFailed
from zeep.plugins import HistoryPlugin
from zeep.wsse.signature import _sign_node
from zeep.wsse.utils import WSSE, WSU, get_security_header, get_timestamp

DRY_RUN = "urn:ksz-gateway:dry-run:v1"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
X509_V3, BASE64 = f"{PROFILE}x509-token-profile-1.0#X509v3", f"{PROFILE}soap-message-security-1.0#Base64Binary"


class DryRunSignature(KszSignature):
    """Signs the header blocks of the call too, which zeep's BinarySignature does not."""

    def __init__(self, key, certificate, gateway_certificate):
        super().__init__(key, certificate, gateway_certificate)
        self._certificate = x509.load_pem_x509_certificate(Path(certificate).read_bytes())

    def apply(self, envelope, headers):
        blocks = list(envelope.find("{*}Header"))
        security = get_security_header(envelope)
        created, expires = (get_timestamp(datetime.now(UTC) + timedelta(minutes=minutes)) for minutes in (0, 5))
        timestamp = WSU.Timestamp(WSU.Created(created), WSU.Expires(expires))
        token = WSSE.BinarySecurityToken(
            b64encode(self._certificate.public_bytes(Encoding.DER)).decode(), ValueType=X509_V3, EncodingType=BASE64
        )
        token.set(etree.QName(ns.WSU, "Id"), "token")
        signature = xmlsec.template.create(envelope, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256)
        security.extend([token, timestamp, signature])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self.key_data, xmlsec.KeyFormat.PEM)
        for node in (envelope.find("{*}Body"), timestamp, *blocks):
            _sign_node(context, signature, node, xmlsec.Transform.SHA256)
        context.sign(signature)
        pointer = WSSE.SecurityTokenReference(WSSE.Reference(URI="#token", ValueType=X509_V3))
        etree.SubElement(signature, etree.QName(ns.DS, "KeyInfo")).append(pointer)
        self._sent.signature = signature.findtext("{*}SignatureValue")
        return envelope, headers

    def verify(self, envelope):
        super().verify(envelope)
        signed = {reference.get("URI") for reference in envelope.iterfind(".//{*}SignedInfo/{*}Reference")}
        for block in envelope.iterfind(f"{{*}}Header/{{{DRY_RUN}}}explanation"):
            if f"#{block.get(etree.QName(ns.WSU, 'Id'))}" not in signed:
                raise SignatureVerificationFailed("The signature does not cover the explanation.")
        return envelope


address, operation, request, pki, name = sys.argv[1:]
clients = Path(pki, "clients")
session = requests.Session()
session.trust_env = False
session.verify = f"{pki}/ca.pem"
history = HistoryPlugin(maxlen=1)
client = zeep.Client(
    f"{address}?wsdl",
    wsse=DryRunSignature(clients / f"{name}.key", clients / f"{name}.pem", Path(pki, "gateway.pem")),
    transport=zeep.Transport(session=session, timeout=30, operation_timeout=30),
    settings=zeep.Settings(strict=False),
    plugins=[history],
)
block = etree.Element(f"{{{DRY_RUN}}}dryRun")
block.set(f"{{{ns.SOAP_ENV_11}}}mustUnderstand", "1")  # A gateway that does not know the block must not consult.
block.text = "true"
reply = client.service[operation](**json.loads(Path(request).read_text("utf-8")), _soapheaders=[block])
explanation = history.last_received["envelope"].find(f"{{*}}Header/{{{DRY_RUN}}}explanation")
checks = [{part.tag: part.text for part in check} for check in explanation.iterfind("check")]
answer = {"status": reply.status.code, "decision": explanation.findtext("decision"), "checks": checks}
print(json.dumps(answer | {"withheld": [each.text for each in explanation.iterfind("withheld")]}))
