"""Stock Spyne doing the same contract: its own parsing, validation (`lxml`), routing and serialisation.

Signed, it takes and gives WS-Security through xmlsec's templates, as its users do. It knows no annex, asks no database
and keeps no audit: the contributions of a person are made from the number itself.
"""

import logging
import os
from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import xmlsec
from lxml import etree
from spyne import Application, ComplexModel, DateTime, Fault, Service, Unicode, XmlAttribute, XmlData, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from bench.messages import SELF_EMPLOYED
from fixtures.messages import DS, NAMESPACES, SOAP, WSSE, WSU, X509_V3
from gateway.pki import load_identity
from services.self_employed import codes

logging.getLogger("spyne").setLevel(logging.CRITICAL)

_QUARTERS = [f"{year}Q{number}" for year in (2023, 2024, 2025) for number in (1, 2, 3, 4)][:10]


class _Model(ComplexModel):
    __namespace__ = SELF_EMPLOYED
    __abstract__ = True


class CustomerIdentification(_Model):
    cbeNumber = Unicode(pattern="[0-9]{10}", min_occurs=1)  # noqa: N815 - the contract's names, here and below


class InformationCustomer(_Model):
    ticket = Unicode(max_len=36)
    timestampSent = DateTime  # noqa: N815
    customerIdentification = CustomerIdentification.customize(min_occurs=1)  # noqa: N815


class InformationCbss(_Model):
    ticketCBSS = Unicode  # noqa: N815
    timestampReceive = DateTime  # noqa: N815
    timestampReply = DateTime  # noqa: N815


class Period(_Model):
    beginQuarter = Unicode(pattern="[12][0-9]{3}Q[1-4]", min_occurs=1)  # noqa: N815
    endQuarter = Unicode(pattern="[12][0-9]{3}Q[1-4]")  # noqa: N815


class Criteria(_Model):
    ssin = Unicode(pattern="[0-9]{11}", min_occurs=1)
    period = Period.customize(min_occurs=1)


class Status(_Model):
    value = Unicode
    code = Unicode
    description = Unicode


class Description(_Model):
    language = XmlAttribute(Unicode)
    text = XmlData(Unicode)


class Coded(_Model):
    code = Unicode
    description = Description.customize(max_occurs=3)


class Fund(_Model):
    enterpriseNumber = Unicode  # noqa: N815
    code = Unicode


class Contribution(_Model):
    quarter = Unicode
    socialInsuranceFund = Fund  # noqa: N815
    contributionSituation = Coded  # noqa: N815
    ziv = Coded


class Contributions(_Model):
    contribution = Contribution.customize(max_occurs=40)


class Ssin(_Model):
    canceled = XmlAttribute(Unicode)
    text = XmlData(Unicode)


class ContributionsRequest(_Model):
    __type_name__ = "consultContributionsRequest"
    informationCustomer = InformationCustomer.customize(min_occurs=1)  # noqa: N815
    legalContext = Unicode(max_len=64, min_occurs=1)  # noqa: N815
    criteria = Criteria.customize(min_occurs=1)


class ContributionsResponse(_Model):
    __type_name__ = "consultContributionsResponse"
    informationCustomer = InformationCustomer  # noqa: N815
    informationCBSS = InformationCbss  # noqa: N815
    legalContext = Unicode  # noqa: N815
    criteria = Criteria
    status = Status
    ssin = Ssin
    contributions = Contributions


class SelfEmployed(Service):
    """The operation, as its users declare one."""

    @rpc(ContributionsRequest, _returns=ContributionsResponse, _body_style="bare")  # type: ignore[untyped-decorator]
    def consultContributionsRequest(ctx: Any, request: Any) -> Any:  # noqa: N802, N805
        """Answer with ten quarters."""
        now = datetime.now(UTC)
        return ContributionsResponse(
            informationCustomer=request.informationCustomer,
            informationCBSS=InformationCbss(ticketCBSS=str(uuid4()), timestampReceive=now, timestampReply=now),
            legalContext=request.legalContext,
            criteria=request.criteria,
            status=Status(value="DATA_FOUND", code="MSG00000", description="Data were found."),
            ssin=Ssin(canceled="false", text=request.criteria.ssin),
            contributions=Contributions(contribution=[_contribution(quarter) for quarter in _QUARTERS]),
        )


def _contribution(quarter: str) -> Contribution:
    return Contribution(
        quarter=quarter,
        socialInsuranceFund=Fund(**codes.SOCIAL_INSURANCE_FUND.get_element("001")),
        contributionSituation=_coded(codes.CONTRIBUTION_SITUATION.get_element("01")),
        ziv=_coded(codes.ZIV.get_element(1)),
    )


def _coded(element: Any) -> Coded:
    return Coded(
        code=str(element["code"]),
        description=[
            Description(language=each["@language"], text=_ascii(each["#text"])) for each in element["description"]
        ],
    )


def _ascii(text: str) -> str:
    """Stock Spyne cannot write other letters into an element that has attributes."""
    return text.encode("ascii", "replace").decode()


class _Signed:
    """WS-Security around an application, by xmlsec's templates."""

    def __init__(self, application: Any, state: Path) -> None:
        self._application = application
        identity = load_identity(state / "pki" / "gateway")
        self._key = xmlsec.Key.from_memory(identity.key_pem, xmlsec.constants.KeyDataFormatPem)
        self._token = "".join(identity.certificate_pem.decode().splitlines()[1:-1])
        self._known: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self._verify(body)
        started: list[Any] = []
        environ["wsgi.input"] = BytesIO(body)
        reply = b"".join(self._application(environ, lambda *given: started.extend(given)))
        signed = self._sign(etree.fromstring(reply))
        start_response(started[0], [("Content-Type", "text/xml"), ("Content-Length", str(len(signed)))])
        return [signed]

    def _verify(self, body: bytes) -> None:
        envelope = etree.fromstring(body)
        xmlsec.tree.add_ids(envelope, ["Id"])
        (signature,) = envelope.iterfind("soap:Header/wsse:Security/ds:Signature", NAMESPACES)
        token = envelope.findtext("soap:Header/wsse:Security/wsse:BinarySecurityToken", "", NAMESPACES)
        if token not in self._known:
            self._known[token] = xmlsec.Key.from_memory(b64decode(token), xmlsec.constants.KeyDataFormatCertDer)
        context = xmlsec.SignatureContext()
        context.key = self._known[token]
        try:
            context.verify(signature)
        except xmlsec.Error:
            raise Fault("Client", "The signature is not good") from None

    def _sign(self, envelope: etree._Element) -> bytes:
        now = datetime.now(UTC)
        (body,) = envelope.iterfind("soap:Body", NAMESPACES)
        header = etree.Element(f"{{{SOAP}}}Header")
        envelope.insert(0, header)
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
        token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", ValueType=X509_V3)
        token.text = self._token
        timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
        etree.SubElement(timestamp, f"{{{WSU}}}Created").text = now.isoformat()
        etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = (now + timedelta(minutes=5)).isoformat()
        signature = xmlsec.template.create(
            envelope, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256, ns="ds"
        )
        for name, part in (("body", body), ("timestamp", timestamp), ("token", token)):
            part.set(f"{{{WSU}}}Id", name)
            reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri=f"#{name}")
            xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
        information = etree.SubElement(signature, f"{{{DS}}}KeyInfo")
        pointer = etree.SubElement(information, f"{{{WSSE}}}SecurityTokenReference")
        etree.SubElement(pointer, f"{{{WSSE}}}Reference", URI="#token", ValueType=X509_V3)
        security.append(signature)
        xmlsec.tree.add_ids(envelope, ["Id"])
        context = xmlsec.SignatureContext()
        context.key = self._key
        context.sign(signature)
        return etree.tostring(envelope)


unsigned = WsgiApplication(
    Application(
        [SelfEmployed],
        SELF_EMPLOYED,
        name="SelfEmployedService",
        in_protocol=Soap11(validator="lxml"),
        out_protocol=Soap11(),
    )
)
if "BENCH_STATE" in os.environ:
    signed = _Signed(unsigned, Path(os.environ["BENCH_STATE"]))
