"""A sample request for a clause of an annex: one of the examples, less what the clause does not grant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from authz.annex import Annex, RoleAnnex
from authz.brussels import quarter_of, years_before
from authz.contract_shape import is_within
from fixtures.examples import example_customer, list_examples
from fixtures.persona import resolve_day, resolve_quarter
from gateway.contract_cut import Clause, find_refused
from gateway.contracts import Contracts, OperationContract
from gateway.xml.binding import compile_writer
from gateway.xml.model import ComplexType, Element, SimpleType

TICKET = "EXAMPLE-1"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request as values and as a document."""

    values: Mapping[str, Any]
    xml: bytes


def find_sample(
    annex: Annex | RoleAnnex, operation: OperationContract, clause: Clause | None, contracts: Contracts, today: date
) -> Sample | None:
    """Return a valid request that the clause allows (None: an operation that needs no grant); None if none fits.

    Its persons and employers are synthetic: they answer in a demo world, and elsewhere are to be replaced.
    """
    schema = contracts.services[operation.service.path].schema
    write = compile_writer(operation.request, operation.service.namespace, operation.service.namespace.split("/")[-1])
    for example in list_examples(operation.service.name, operation.descriptor.name, annex.client):
        values = _envelope(annex, operation, clause) | _within(operation.request, example, clause, operation, today)
        xml = etree.fromstring(write(values))
        if _meets_demands(values, clause) and not schema.find_errors(xml):
            etree.indent(xml)
            return Sample(values, etree.tostring(xml, xml_declaration=True, encoding="UTF-8") + b"\n")
    return None


def _envelope(annex: Annex | RoleAnnex, operation: OperationContract, clause: Clause | None) -> dict[str, Any]:
    """Return who asks, and under which legal context."""
    names = {path for path, _ in operation.request.paths()}
    values: dict[str, Any] = {}
    if "informationCustomer" in names:
        values["informationCustomer"] = {"ticket": TICKET, "customerIdentification": _customer(annex, clause)}
    if clause is not None and clause.legal_contexts:
        values["legalContext"] = clause.legal_contexts[0]
    return values


def _customer(annex: Annex | RoleAnnex, clause: Clause | None) -> Mapping[str, Any]:
    if isinstance(annex, RoleAnnex):
        return example_customer()
    for organisation in annex.represents:
        if clause is None or organisation in clause.grant.customers:
            return organisation.to_values()
    return annex.identity.to_values()


def _within(
    request: Element, example: Mapping[str, Any], clause: Clause | None, operation: OperationContract, today: date
) -> dict[str, Any]:
    """Return the example without what the clause refuses, its days resolved and no further back than they may be."""
    refused = find_refused(operation, (clause.grant,)) if clause else frozenset()
    rules = clause.grant.rules if clause else ()
    years = {rule.bounded: rule.max_years_back for rule in rules if rule.max_years_back is not None}

    def fill(element: Element, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [fill(element, each, path) for each in value]
        if isinstance(element.type, SimpleType):
            return _bounded(_resolve(element.type, value, today), years.get(path), today)
        return fill_children(element.type, value, f"{path}/")

    def fill_children(declared: ComplexType, values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        return {
            child.name: fill(child, values[child.name], f"{prefix}{child.name}")
            for child in declared.elements
            if child.name in values and f"{prefix}{child.name}" not in refused
        }

    return fill_children(request.type, example, "") if isinstance(request.type, ComplexType) else {}


def _resolve(declared: SimpleType, value: Any, today: date) -> Any:
    if not isinstance(value, str) or not value.startswith("today"):
        return value
    return resolve_day(value, today) if declared.builtin == "date" else resolve_quarter(value, today)


def _bounded(value: Any, years: int | None, today: date) -> Any:
    """Return the day or quarter, or the first one that is allowed if it lies before that."""
    if years is None:
        return value
    first = years_before(today, years)
    return max(value, first) if isinstance(value, date) else max(value, "{}Q{}".format(*quarter_of(first)))


def _meets_demands(values: Mapping[str, Any], clause: Clause | None) -> bool:
    """Tell whether everything is sent that the clause demands."""
    sent = set(_paths(values, ""))
    rules = clause.grant.rules if clause else ()
    return all(any(is_within(path, rule.path) for path in sent) for rule in rules)


def _paths(values: Any, path: str) -> list[str]:
    if isinstance(values, Mapping):
        return [found for name, value in values.items() for found in _paths(value, f"{path}/{name}".lstrip("/"))]
    return [path]
