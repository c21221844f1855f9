"""Says what is wrong with an answer, whatever was asked: reads it independently of the gateway, and knows no stage."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

from authz.annex import Annex
from authz.annex_document import read_any_annex
from authz.organisation import Organisation
from fixtures.messages import DS, SOAP
from fixtures.personas import demo_rows
from fuzz.mutate import Input
from fuzz.target import Reply
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
# Far above what any input may cost, so that a busy machine is no finding.
SLOW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is what was answered; `verified` whether the sender was let in; `problems` what is wrong with it."""

    code: str
    verified: bool
    problems: tuple[str, ...]


def judge(asked: Input, reply: Reply, logged: Iterable[str], seconds: float) -> Verdict:
    """Judge one answer, with what was logged meanwhile and the CPU time that it took."""
    problems = [f"logged {line}" for line in logged if _is_alarming(line)]
    if seconds > SLOW_SECONDS:
        problems.append(f"took {seconds:.2f} s of CPU")
    if not reply.status.startswith(_STATUSES) or reply.headers.get("Content-Type") != "text/xml; charset=utf-8":
        return Verdict("none", False, (*problems, f"answered {reply.status} {dict(reply.headers)}"))
    try:
        envelope = etree.fromstring(reply.content)
    except etree.XMLSyntaxError as error:
        return Verdict("none", False, (*problems, f"answered what is no XML: {error}"))
    if envelope.tag != f"{{{SOAP}}}Envelope" or len(envelope[-1]) != 1:
        return Verdict("none", False, (*problems, "answered what is no Envelope with one payload"))
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
    return Verdict(code, signed, tuple(problems))


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
    """A reply names nobody but who was asked about, and who has their number now."""
    told = set(_SSIN.findall(" ".join(map(str, payload.itertext()))))
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
    return {person.ssin: person.replaced_by for person in demo_rows().persons if person.replaced_by}


def _foreign_customer(asked: Input, payload: etree._Element, code: str) -> list[str]:
    """Data are found for none but the organisations that the client may speak for."""
    customer = payload.find("informationCustomer/customerIdentification")
    if customer is None or not str(payload.findtext("status/value")).endswith("DATA_FOUND"):
        return []
    values = {child.tag: child.text if child.tag == "cbeNumber" else int(child.text or "") for child in customer}
    organisation = Organisation.from_values(values)
    if asked.client is None or organisation not in _represented()[asked.client]:
        return [f"{code}: {asked.client} was answered as {organisation.key}"]
    return []


@cache
def _represented() -> Mapping[str, frozenset[Organisation]]:
    shapes = load_contracts().shapes()
    annexes = [read_any_annex(text, shapes) for text in demo_annexes()]
    return {annex.client: frozenset(annex.represents) for annex in annexes if isinstance(annex, Annex)}
