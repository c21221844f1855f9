"""What the mutated messages are made from: every operation that a demo client may call, asked as its annex allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from lxml import etree

from authz.annex import Annex, AuthenticationMethod, RoleAnnex
from authz.annex_document import read_any_annex
from fixtures.persona import Expectation
from fixtures.users import load_users
from fixtures.world import load_all_personas
from gateway.annex_export.sample import find_sample
from gateway.contract_cut import list_clauses, list_open_operations
from gateway.contracts import Contracts, load_contracts
from gateway.demo_world import demo_annexes
from gateway.xml.binding import compile_writer


@dataclass(frozen=True, slots=True)
class Question:
    """A valid request of a client: where it is sent, and the element of its Body as text."""

    path: str
    operation: str
    text: str


@dataclass(frozen=True, slots=True)
class Client:
    """A demo client: how its annex wants it to prove itself, and what it may ask."""

    name: str
    signs: bool
    sign_token: bool
    questions: tuple[Question, ...]


@cache
def load_clients(today: date) -> Mapping[str, Client]:
    """Return the demo clients by name, the technical users of enterprises among them."""
    contracts = load_contracts()
    annexes = [read_any_annex(text, contracts.shapes()) for text in demo_annexes()]
    asked = _asked_about_personas(contracts, today)
    clients = [
        Client(
            name,
            AuthenticationMethod.X509_TOKEN in annex.methods,
            annex.sign_token,
            (*_list_samples(annex, contracts, today), *asked.get(name, ())),
        )
        for annex in annexes
        for name in _names_of(annex)
    ]
    return {client.name: client for client in clients}


def _names_of(annex: Annex | RoleAnnex) -> list[str]:
    if isinstance(annex, Annex):
        return [annex.client]
    return [each.client for each in load_users().technical_users]


def _list_samples(annex: Annex | RoleAnnex, contracts: Contracts, today: date) -> Iterator[Question]:
    clauses = [(clause.contract, clause) for clause in list_clauses(annex, contracts)]
    for operation, clause in (*clauses, *((each, None) for each in list_open_operations(contracts))):
        sample = find_sample(annex, operation, clause, contracts, today)
        if sample is not None:
            text = etree.tostring(etree.fromstring(sample.xml), encoding="unicode")
            yield Question(operation.service.path, operation.descriptor.name, text)


def _asked_about_personas(contracts: Contracts, today: date) -> Mapping[str, list[Question]]:
    operations = {
        (operation.service.name, operation.descriptor.name): operation
        for service in contracts.services.values()
        for operation in service.operations.values()
    }
    asked: dict[str, list[Question]] = {}
    for persona in load_all_personas(today):
        for told in persona.expectations:
            operation = operations[told.service, told.operation]
            text = compile_writer(operation.request, operation.service.namespace, "v")(_values_of(told, persona.ssin))
            asked.setdefault(told.client, []).append(Question(operation.service.path, told.operation, text))
    return asked


def _values_of(told: Expectation, ssin: str) -> Mapping[str, Any]:
    criteria = told.criteria if "worker" in told.criteria else {"ssin": ssin, **told.criteria}
    return {
        "informationCustomer": {"customerIdentification": told.customer},
        "legalContext": told.legal_context,
        "criteria": criteria,
    }
