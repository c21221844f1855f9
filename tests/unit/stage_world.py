"""Established values for the tests of single stages: a real contract, with a descriptor that the test makes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from authz_shapes import CONTRACTS, STAFF

from authz.annex import Annex, AuthenticationMethod
from authz.annex_document import read_annex
from authz.answer import Permit
from authz.employer_access import EmployerRelation, NamedEmployer
from authz.integration import Inscription, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from gateway.contracts import OperationContract, load_contracts
from gateway.dispatch import ServiceEndpoint
from gateway.established import (
    Admitted,
    Answered,
    Arrived,
    Authenticated,
    Parsed,
    Permitted,
    Received,
    Resolved,
    Valid,
)
from gateway.wss.certificate import Certificate
from services.consultation import Outcome
from services.descriptor import ListedPersons, OperationDescriptor
from services.test_connection import DESCRIPTOR

NOW = datetime(2024, 6, 1, 10, 0, tzinfo=UTC)
CUSTOMER = Organisation(cbe_number="0999900150")
CONSULT_STAFF = OperationDescriptor(
    "consultStaff",
    subject="criteria/worker/ssin",
    period="criteria/period",
    employer="criteria/employer",
    persons=ListedPersons("periods/period", "worker/ssin", "no_data"),
)
ANNEX = """\
client: staffing
kind: institution
identity: { cbeNumber: "0999900150", name: Staffing }
validFrom: 2024-01-01
authentication: { methods: [x509Token] }
certificates: [{ sha256: "%s" }]
operations:
  - service: StaffService/v1
    operation: consultStaff
    legalContexts: [STAFF:INQUIRY]
    deliberation: Deliberation 1
    parameters: { criteria/worker: , criteria/employer: , criteria/period: }
    integration: { contexts: [STAFF:FILE], daysBefore: 30 }
""" % ("0f" * 32)


CERTIFICATE = Certificate(
    der=b"",
    pem="",
    sha256="0f" * 32,
    issuer="CN=CA",
    serial=7,
    subject="CN=staffing",
    not_before=NOW,
    not_after=NOW,
    algorithm="",
    key_bits=2048,
    public_key_sha256=b"",
    verifying_key=None,
)


class FakeFacts:
    """Persons by SSIN; whoever is not there is unknown. Counts the questions."""

    def __init__(self, persons: Mapping[str, PersonFacts]) -> None:
        self.persons = persons
        self.questions: list[tuple[str, ...]] = []

    def find(self, ssin: str, customer: Organisation, supplier: Organisation | None) -> PersonFacts:
        return self.find_all((ssin,), customer, supplier)[ssin]

    def find_all(
        self, ssins: Iterable[str], customer: Organisation, supplier: Organisation | None
    ) -> Mapping[str, PersonFacts]:
        named = tuple(ssins)
        self.questions.append(named)
        return {ssin: self.persons.get(ssin, PersonFacts(known=False)) for ssin in named}


class FakeEmployerAccess:
    """Relations by acting organisation and employer."""

    def __init__(self, relations: Mapping[tuple[Organisation, NamedEmployer], EmployerRelation] | None = None) -> None:
        self.relations = relations or {}
        self.questions: list[tuple[Organisation, NamedEmployer, date]] = []

    def find_relation(self, acting: Organisation, employer: NamedEmployer, day: date) -> EmployerRelation | None:
        self.questions.append((acting, employer, day))
        return self.relations.get((acting, employer))


def in_file(**changes: Any) -> PersonFacts:
    """Return the facts of a person in the customer's file since 2020."""
    inscribed = Inscription(CUSTOMER.key, "STAFF:FILE", date(2020, 1, 1))
    return replace(PersonFacts(known=True, client_inscriptions=(inscribed,)), **changes)


def read_text(text: str) -> Annex:
    """Return an annex against the hand-made contracts."""
    return read_annex(text, CONTRACTS)


@cache
def _operation() -> OperationContract:
    """Return the contract of any operation: the stages look at its descriptor alone."""
    (contract,) = load_contracts((DESCRIPTOR,)).services.values()
    (operation,) = contract.operations.values()
    return operation


@cache
def _endpoint() -> ServiceEndpoint:
    (contract,) = load_contracts((DESCRIPTOR,)).services.values()
    return ServiceEndpoint(contract, None, "https://localhost")


def make_valid(
    criteria: Mapping[str, Any], text: str = ANNEX, descriptor: OperationDescriptor = CONSULT_STAFF
) -> Valid:
    """Return a request of consultStaff that passed every check before authorize, under the annex of this text."""
    operation = _operation()
    arrived = Arrived(
        ticket="5f0c6a52-8a3e-4f0b-9d1e-2b7c54f1a906",
        received_at=NOW,
        endpoint=_endpoint(),
        method="POST",
        content_type="text/xml",
        content_encoding="",
        soap_action=None,
        body=b"",
        address="127.0.0.1",
        peer_certificate=None,
    )
    authenticated = Authenticated(
        previous=Parsed(Received(arrived, b""), None),
        at=NOW,
        certificate=CERTIFICATE,
        annex=read_text(text),
        method=AuthenticationMethod.X509_TOKEN,
        payload=None,
        signature_value=None,
        replay_key=None,
        forget_at=None,
    )
    service = replace(operation.service, name=STAFF)
    resolved = Resolved(Admitted(authenticated), replace(operation, service=service, descriptor=descriptor))
    values = {
        "informationCustomer": {"customerIdentification": CUSTOMER.to_values()},
        "legalContext": "STAFF:INQUIRY",
        "criteria": criteria,
    }
    return Valid(resolved, values)


def make_answered(
    outcome: Outcome,
    *,
    subjects: tuple[str, ...] = (),
    text: str = ANNEX,
    descriptor: OperationDescriptor = CONSULT_STAFF,
    **request: Any,
) -> Answered:
    """Return what dispatch leaves of a permitted request that names these persons."""
    valid = make_valid({}, text, descriptor)
    annex = valid.previous.previous.previous.annex
    (grant,) = (grant for grants in annex.grants.values() for grant in grants)
    asked = AccessRequest(STAFF, "consultStaff", CUSTOMER, "STAFF:INQUIRY", subjects=subjects, **request)
    permit = Permit(annex.revision, grant.clause, grant.deliberation, integration=grant.integration)
    return Answered(Permitted(valid, asked, AccessFacts(), NOW, permit), outcome)
