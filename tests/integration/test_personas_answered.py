"""Every expectation of every persona, from the demo annexes and the database to a reply that fits the contract."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from databases import Databases, sampled
from lxml import etree

from authz.annex import Annex
from authz.annex_document import read_any_annex
from authz.answer import Deny
from authz.brussels import brussels_day, find_quarter, quarter_begin, quarter_end
from authz.decision import decide
from authz.integration import Period
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from fixtures.persona import Expectation, Persona
from fixtures.personas import demo_rows, load_personas
from gateway.contracts import Contracts, OperationContract, load_contracts
from gateway.demo_world import demo_annexes
from gateway.inscriptions import find_facts
from gateway.sources.load import load_persons, load_register
from gateway.sources.self_employed_sql import SqlSelfEmployedRepository
from gateway.storage.database import Database
from services.consultation import Consultation, Outcome, SourceFault
from services.self_employed import DESCRIPTOR
from services.self_employed.operations import consult_career, consult_contributions

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
OPERATIONS = {"consultCareer": consult_career, "consultContributions": consult_contributions}
QUESTIONS = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in load_personas(brussels_day(NOW))
    for index, expectation in enumerate(persona.expectations)
]


@pytest.fixture(scope="module")
def database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.migrated(tmp_path_factory.mktemp("demo")) as url:
        database = Database(url)
        world = demo_rows()
        with database.write() as connection:
            load_persons(connection, world.persons)
            load_register(connection, world.pcsas, world.fund_outages)
        yield database
        database.close()


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts((DESCRIPTOR,))


@pytest.fixture(scope="module")
def annexes() -> Mapping[str, Annex]:
    shapes = load_contracts().shapes()
    annexes = (read_any_annex(document, shapes) for document in demo_annexes())
    return {annex.client: annex for annex in annexes if isinstance(annex, Annex)}


def make_values(persona: Persona, expectation: Expectation) -> dict[str, Any]:
    period = {"period": dict(expectation.period)} if expectation.period else {}
    return {
        "informationCustomer": {"customerIdentification": expectation.customer},
        "legalContext": expectation.legal_context,
        "criteria": {"ssin": persona.ssin} | period,
    }


def make_request(persona: Persona, expectation: Expectation) -> AccessRequest:
    period = expectation.period or {}
    return AccessRequest(
        DESCRIPTOR.name,
        expectation.operation,
        Organisation.from_values(expectation.customer),
        expectation.legal_context,
        {"criteria/ssin": persona.ssin} | {f"criteria/period/{name}": day for name, day in period.items()},
        (persona.ssin,),
        make_period(period) if period else None,
    )


def make_period(values: Mapping[str, Any]) -> Period:
    if "beginDate" in values:
        return Period(values["beginDate"], values.get("endDate"))
    begin, end = find_quarter(values["beginQuarter"]), find_quarter(values.get("endQuarter", ""))
    assert begin is not None
    return Period(quarter_begin(*begin), quarter_end(*end) if end else None)


def answer(persona: Persona, expectation: Expectation, annex: Annex, database: Database) -> Outcome:
    request = make_request(persona, expectation)
    assert request.customer is not None
    supplier = Organisation.from_values(dict(DESCRIPTOR.supplier or {}))
    with database.read() as connection:
        facts = find_facts(connection, persona.ssin, request.customer.key, supplier.key)
    decision = decide(annex, request, AccessFacts({persona.ssin: facts}), NOW, Environment.TEST)
    if isinstance(decision, Deny):
        subject = DESCRIPTOR.subject_data(decision.case, persona.ssin, facts.replaced_by)
        return Outcome(decision.case, subject, decision.information)
    consultation = Consultation(expectation.operation, make_values(persona, expectation), NOW, "")
    try:
        return OPERATIONS[expectation.operation](consultation, SqlSelfEmployedRepository(database.ask))
    except SourceFault as fault:
        return Outcome(fault.case, {}, fault.information)


@sampled("persona,expectation", QUESTIONS, every=8)
def test_persona_is_answered_as_expected_and_as_the_contract_demands(
    persona: Persona,
    expectation: Expectation,
    annexes: Mapping[str, Annex],
    database: Database,
    contracts: Contracts,
) -> None:
    outcome = answer(persona, expectation, annexes[expectation.client], database)
    status = DESCRIPTOR.statuses.get_status(expectation.operation, outcome.case)
    assert (status.value, status.code) == (expectation.value, expectation.code)
    assert {name for name, _ in outcome.information} <= set(status.information)
    service = contracts.services[DESCRIPTOR.path]
    (operation,) = (one for one in service.operations.values() if one.descriptor.name == expectation.operation)
    reply = write_reply(operation, make_values(persona, expectation), status.value, status.code, outcome)
    assert service.schema.find_errors(etree.fromstring(reply)) == ()


def write_reply(
    operation: OperationContract, request: Mapping[str, Any], value: str, code: str, outcome: Outcome
) -> str:
    ticket = "00000000-0000-4000-8000-000000000000"
    information = [{"fieldName": name, "fieldValue": text} for name, text in outcome.information]
    return operation.write_response(
        {
            **request,
            "informationCBSS": {"ticketCBSS": ticket, "timestampReceive": NOW, "timestampReply": NOW},
            "status": {"value": value, "code": code, "information": information},
            **outcome.data,
        }
    )
