"""The table of calls, and what a client in another language read of an answer, in a form that can be compared."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from gateway.contracts import XSD_FOLDER
from services.descriptor import ServiceDescriptor
from services.registry import load_services
from tests.interop.conftest import PROGRAMS

CALLS = Path(__file__).with_name("calls")
SERVICES = {service.name: service for service in load_services()}
# What each language calls the text of an element that has attributes.
_TEXT = ("_value_1", "$value", "_")
# Each language writes a moment in a way of its own, to the second at least.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)\S*")

Leaves = Mapping[str, list[str]]


@dataclass(frozen=True)
class Call:
    """One call and its answer, as a row of calls/*.yaml has them; `value` is FAULT for a fault, None for no status."""

    name: str
    service: ServiceDescriptor
    operation: str
    client: Any
    request: Mapping[str, Any]
    value: str | None
    code: str | None
    holds: Leaves

    @property
    def refused(self) -> bool:
        return self.value in ("FAULT", "NO_RESULT")

    def client_in(self, language: str) -> str:
        return str(_choose(self.client, language))

    def request_in(self, language: str) -> Mapping[str, Any]:
        """Return the message, with a ticket of its own where it has one."""
        request: dict[str, Any] = _choose(self.request, language)
        if "informationCustomer" not in request:
            return request
        customer = {"ticket": uuid.uuid4().hex, **request["informationCustomer"]}
        return request | {"informationCustomer": customer}


def _choose(value: Any, language: str) -> Any:
    """Return the value with what is said of this language in place of what is said of each."""
    if isinstance(value, list):
        return [_choose(each, language) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == PROGRAMS.keys():
        return value[language]
    return {name: _choose(each, language) for name, each in value.items()}


def load_calls() -> list[Call]:
    return [call for path in sorted(CALLS.glob("*.yaml")) for call in _read_calls(path)]


def _read_calls(path: Path) -> Iterator[Call]:
    document = yaml.safe_load(path.read_text("utf-8"))
    for row in document["calls"]:
        yield _read_call(SERVICES[document["service"]], row, document["askers"][row["asker"]])


def _read_call(service: ServiceDescriptor, row: dict[str, Any], asker: dict[str, Any]) -> Call:
    value, _, code = row.get("answer", "").partition(" ")
    request = row.get("request") or {
        "informationCustomer": {"customerIdentification": asker["customer"]},
        # Not every service has one; soap sends elements in the order in which they stand here.
        **({"legalContext": asker["legalContext"]} if "legalContext" in asker else {}),
        "criteria": row["criteria"],
    }
    holds = row.get("holds", {})
    return Call(row["name"], service, row["operation"], asker["client"], request, value or None, code or None, holds)


def read_leaves(document: Any) -> Leaves:
    """Return the texts of a reply that a client printed, by path without positions; moments to the second."""
    leaves = defaultdict(list)
    for path, text in _told(document, ""):
        leaves[path].append(text)
    return leaves


def _told(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _told(each, path)
    elif isinstance(value, dict):
        text = next((name for name in _TEXT if name in value), None)
        if text is None:
            children = value
        else:
            # soap keeps the attributes apart, the others beside the text.
            yield from _told(value[text], path)
            beside = value.get("attributes", value)
            children = {f"@{name}": each for name, each in beside.items() if name != text}
        for name, each in children.items():
            yield from _told(each, f"{path}/{name}".lstrip("/"))
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else _to_the_second(str(value))


def _to_the_second(text: str) -> str:
    return _MOMENT.sub(r"\1T\2", text)


def sent_leaves(payload: etree._Element) -> Leaves:
    """Return the same of the message as it was sent."""
    leaves = defaultdict(list)
    for path, element in _elements(payload, ""):
        if len(element) == 0 and element.text:
            leaves[path].append(_to_the_second(element.text))
        for name, text in element.attrib.items():
            leaves[f"{path}/@{name}"].append(text)
    return leaves


def _elements(parent: etree._Element, path: str) -> Iterator[tuple[str, etree._Element]]:
    for element in parent:
        inner = f"{path}/{element.tag}".lstrip("/")
        yield inner, element
        yield from _elements(element, inner)


@cache
def get_schema(wsdl: str) -> etree.XMLSchema:
    """Return the compiled XSD that stands beside a WSDL, by the latter's file name."""
    return etree.XMLSchema(etree.parse((XSD_FOLDER / wsdl).with_suffix(".xsd")))
