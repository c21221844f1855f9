"""Says what is wrong with an answer, whatever was asked: reads it independently of the gateway, and knows no stage."""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from lxml import etree

from authz.annex import Annex
from authz.annex_document import read_any_annex
from authz.organisation import Organisation
from fixtures.messages import DS, SOAP
from fixtures.persons import SyntheticPerson
from fixtures.world import load_all_personas
from fuzz.gateway import Reply
from fuzz.requests import Input
from fuzz.target import SLOW_SECONDS, Tried
from gateway.catalogue import load_catalogue
from gateway.contracts import load_contracts
from gateway.demo_world import demo_annexes

_SCHEMAS = Path(__file__).resolve().parent.parent / "xsd"
_SSIN = re.compile(r"(?<![\w-])[0-9]{11}(?![\w-])")
_STATUSES = ("200 OK", "405 ", "413 ", "415 ", "500 ")
# Codes that say that the gateway failed: none of them may be had by asking oddly.
_FAILURES = frozenset({"MSG00001", "MSG00003"})
# Some persons of the demo world are such that the source fails.
_USUAL_EVENTS = frozenset({"exchange", "source_failed"})
_CATALOGUE = load_catalogue()
# The replies that are about the one person who was asked about, and the only one that has no record.
_ABOUT_ONE_PERSON = ("consultCareer", "consultContributions", "consultDmfaAttestationsBySsin", "Fault")
# Numbers of as many digits as a person's, and the persons whom the contract has beside the one asked about.
_OTHER_NUMBERS = frozenset({"attestationId", "replacedSsin", "applicantSsin"})
_UNRECORDED = "HealthCheckResponse"
_RECEIPT = "{urn:ksz-gateway:receipt:v1}Receipt"


def judge(asked: Input, reply: Reply, logged: Iterable[str], seconds: float) -> Tried:
    """Judge one answer, with what was logged meanwhile and the CPU time that it took."""
    content = asked.request.content
    problems = [f"logged {line}" for line in logged if _is_alarming(line)]
    if seconds > SLOW_SECONDS:
        problems.append(f"took {seconds:.2f} s of CPU")
    if not reply.status.startswith(_STATUSES) or reply.headers.get("Content-Type") != "text/xml; charset=utf-8":
        return Tried(content, "none", False, (*problems, f"answered {reply.status} {dict(reply.headers)}"))
    try:
        envelope = etree.fromstring(reply.content)
    except etree.XMLSyntaxError as error:
        return Tried(content, "none", False, (*problems, f"answered what is no XML: {error}"))
    if envelope.tag != f"{{{SOAP}}}Envelope" or len(envelope[-1]) != 1:
        return Tried(content, "none", False, (*problems, "answered what is no Envelope with one payload"))
    payload = envelope[-1][0]
    fault = payload.tag == f"{{{SOAP}}}Fault"
    code = _fault_code(payload) if fault else str(payload.findtext("status/code", "MSG00000"))
    signed = envelope.find(f".//{{{DS}}}Signature") is not None
    if code not in _CATALOGUE or code in _FAILURES:
        problems.append(f"answered {code}: {payload.findtext('faultstring')}")
    problems += _invalidity(payload.find("detail/*") if fault else payload)
    problems += _foreign_persons(asked, payload)
    if not fault:
        problems += [] if signed else ["answered without a signature"]
        problems += _foreign_customer(asked, payload, code)
        problems += [] if etree.QName(payload).localname == _UNRECORDED else _bad_receipt(envelope)
    return Tried(content, code, signed, tuple(problems))


def _is_alarming(line: str) -> bool:
    entry = json.loads(line)
    return entry.get("event") not in _USUAL_EVENTS or bool(_SSIN.search(line)) or "<" in line or "Traceback" in line


def _fault_code(fault: etree._Element) -> str:
    code, separator, _ = str(fault.findtext("faultstring")).partition(": ")
    return code if separator else "none"


def _invalidity(element: etree._Element | None) -> list[str]:
    if element is None:
        return []
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    schema = _schema(str(etree.QName(alone).namespace))
    return [] if schema.validate(alone) else [f"answered what is not valid: {schema.error_log}"]


@cache
def _schema(namespace: str) -> etree.XMLSchema:
    _, _, rest = namespace.rpartition("/intf/")
    service, _, version = rest.partition("/")
    return etree.XMLSchema(etree.parse(_SCHEMAS / f"{service}{version.upper()}.xsd"))


def _foreign_persons(asked: Input, payload: etree._Element) -> list[str]:
    """A reply about one person, or a fault, names nobody but who was asked about, and who has their number now."""
    if not etree.QName(payload).localname.startswith(_ABOUT_ONE_PERSON):
        return []
    texts = (each.text or "" for each in payload.iter("*") if etree.QName(each).localname not in _OTHER_NUMBERS)
    told = set(_SSIN.findall(" ".join(texts)))
    known = {ssin for ssin in told if ssin in asked.request.content.decode("utf-8", "replace")}
    if told == known:
        return []
    known |= _persons_asked(asked.request.content)
    known |= {successor for ssin, successor in _successors().items() if ssin in known}
    return [f"names a person who was not asked about: {ssin}" for ssin in sorted(told - known)]


def _persons_asked(content: bytes) -> set[str]:
    parser = etree.XMLParser(remove_comments=True, resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    return set() if root is None else {str(text).strip() for text in root.itertext()}


@cache
def _successors() -> Mapping[str, str]:
    return {person.ssin: person.replaced_by for person in _persons() if person.replaced_by}


def _persons() -> list[SyntheticPerson]:
    return [persona.person for persona in load_all_personas() if persona.person is not None]


def _bad_receipt(envelope: etree._Element) -> list[str]:
    """A reply says where its record stands, under a root that is over it, and signs that."""
    receipt = envelope.find(f"{{*}}Header/{_RECEIPT}")
    if receipt is None:
        return ["answered without a receipt"]
    position, checkpoint = str(receipt.findtext("position")), str(receipt.findtext("checkpoint"))
    signed = {str(each.get("URI")) for each in envelope.iter(f"{{{DS}}}Reference")}
    if "#receipt" not in signed or len(b64decode(str(receipt.findtext("leafHash")))) != sha256().digest_size:
        return ["answered with a receipt that proves nothing"]
    size = checkpoint.split("\n")[1]
    return [] if int(position) < int(size) else [f"answered with a receipt for {position} under a root over {size}"]


def _foreign_customer(asked: Input, payload: etree._Element, code: str) -> list[str]:
    """Data are found for none but the organisations that the client may speak for."""
    customer = payload.find("informationCustomer/customerIdentification")
    if customer is None or not str(payload.findtext("status/value")).endswith("DATA_FOUND"):
        return []
    values = {child.tag: child.text if child.tag == "cbeNumber" else int(child.text or "") for child in customer}
    organisation = Organisation.from_values(values)
    represented = _represented()
    # For whom a technical user of an enterprise speaks stands in its account, not in an annex.
    if asked.client is None or (asked.client in represented and organisation not in represented[asked.client]):
        return [f"{code}: {asked.client} was answered as {organisation.key}"]
    return []


@cache
def _represented() -> Mapping[str, frozenset[Organisation]]:
    shapes = load_contracts().shapes()
    annexes = [read_any_annex(text, shapes) for text in demo_annexes()]
    return {annex.client: frozenset(annex.represents) for annex in annexes if isinstance(annex, Annex)}
