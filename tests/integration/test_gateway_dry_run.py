"""A client asks whether its request would pass: what every operation answers, tells, and leaves behind."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import test_gateway_dimona as dimona
import test_gateway_dmfa as dmfa
import test_gateway_employer_repertory as repertory
import test_gateway_user_access as user_access
from databases import sampled
from dry_running import BLOCK, DryRunning, checks_of, explanation_of
from gateway_world import (
    CONTEXTS,
    CUSTOMERS,
    HEALTH_PATH,
    SELF_EMPLOYED_PATH,
    STARTED,
    TEST_CONNECTION_PATH,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    echo_xml,
    request_xml,
    signed_names,
)
from sqlalchemy import select
from test_health_check import health_xml

from authz.brussels import brussels_day
from fixtures.employers import get_employer
from fixtures.persona import Expectation, Persona
from fixtures.personas import load_personas
from gateway.contracts import OperationContract, load_contracts
from gateway.storage.dimona_tables import metadata
from gateway.storage.tables import audit_records, quota_counters
from services.registry import load_services

PERSONAS = {persona.name: persona for persona in load_personas(brussels_day(STARTED))}
KNOWN = PERSONAS["main-occupation"].ssin
PASSES = ("NO_RESULT", "GTW00004")
EXPLAINED = {"Body", "Timestamp", "BinarySecurityToken", "SignatureConfirmation", "Receipt", "explanation"}
BEFORE_THE_SOURCE = {"MSG00014", "MSG00013", "MSG00027", "MSG00015", "MSG00011", "MSG00005", "MSG00012", "MSG00006"} | {
    "MSG00007",
    "MSG00009",
    "MSG00021",
}


class Untouchable:
    """A source that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("a dry run asked the source")


def ask(world: World, persona: Persona, each: Expectation) -> Reply:
    world.clock.advance(seconds=2)
    customer, context = dict(each.customer), each.legal_context
    payload = request_xml(each.operation, persona.ssin, customer, context, each.period or None)
    return world.post(world.sign(payload, each.client), SELF_EMPLOYED_PATH)


QUESTIONS: Mapping[str, Mapping[str, Callable[[World], Reply]]] = {
    "SelfEmployedService/v2": {
        "consultCareer": lambda world: world.post(world.sign(career_xml())),
        "consultContributions": lambda world: world.post(
            world.sign(career_xml("consultContributions", {"beginQuarter": "2017Q1"}))
        ),
    },
    "DmfaConsultationService/v1": {
        "consultDmfaAttestationsBySsin": lambda world: dmfa.ask(world, dimona.ANNA),
        "consultPersonnelByEmployer": dmfa.ask_personnel,
    },
    "DimonaService/v1": {
        "submitDeclarations": lambda world: dimona.submit(world, dimona.begin(dimona.ANNA), ticket="dry"),
        "consultDeclarations": lambda world: dimona.ask(world, "consultDeclarations", "brewery", dimona.OWN),
        "consultPeriods": lambda world: dimona.ask(world, "consultPeriods", "brewery", dimona.OWN),
        "checkEmployment": lambda world: dimona.ask(world, "checkEmployment", "brewery", dimona.CHECK),
    },
    "EmployerRepertoryService/v1": {
        "consultEmployer": lambda world: repertory.ask(world, repertory.by_registration(get_employer("brewery"))),
    },
    "EmployerMandateConsultationService/v2": {"CheckUnauthenticatedUserAccess": user_access.ask},
}


def career_xml(operation: str = "consultCareer", period: Mapping[str, Any] | None = None, **changes: Any) -> str:
    customer, context = changes.get("customer", CUSTOMERS["pcsa"]), changes.get("context", CONTEXTS["pcsa"])
    return request_xml(operation, changes.get("ssin", KNOWN), customer, context, period)


def dry_career(world: World, client: str = "pcsa", period: Mapping[str, Any] | None = None, **changes: Any) -> Reply:
    return world.post(DryRunning(world).sign(career_xml(period=period, **changes), client))


def last_record(world: World) -> Mapping[str, Any]:
    query = select(audit_records).order_by(audit_records.c.position.desc()).limit(1)
    with world.gateway.storage.database.read() as connection:
        return dict(connection.execute(query).mappings().one())


@pytest.mark.parametrize("service", QUESTIONS)
def test_every_operation_says_that_it_would_pass_and_asks_no_source(open_own_world: OpenWorld, service: str) -> None:
    world = open_own_world(repository=Untouchable(), service=service)
    for operation, question in QUESTIONS[service].items():
        reply = question(DryRunning(world))
        assert reply.outcome == PASSES
        assert_valid(reply.payload)
        assert signed_names(reply, world.own_identity) == EXPLAINED
        assert explanation_of(reply).findtext("decision") == "PERMITTED"
        assert set(checks_of(reply).values()) <= {"PASSED", "NOT_APPLICABLE"}
        record = last_record(world)
        assert (record["kind"], record["operation"], record["outcome"]) == ("dry run", operation, "reply")
        assert (record["value"], record["code"], record["delivered"]) == (*PASSES, [])


def test_every_operation_that_has_a_dry_run_is_asked_for_one() -> None:
    contracts = load_contracts().services.values()
    operations: list[OperationContract] = [each for contract in contracts for each in contract.operations.values()]
    dry = {(each.service.name, each.descriptor.name) for each in operations if each.can_run_dry}
    assert dry == {(service, operation) for service, asked in QUESTIONS.items() for operation in asked}
    left = {each.descriptor.name for each in operations} - {operation for _, operation in dry}
    assert left == {"HealthCheck", "sendTestMessage"}


def test_the_row_of_dry_runs_is_the_same_in_every_table() -> None:
    rows = [cases["dry_run"] for each in load_services() for cases in each.statuses.rows.values() if "dry_run" in cases]
    assert len(rows) == sum(map(len, QUESTIONS.values()))
    assert {(row.value, row.code, row.information) for row in rows} == {(*PASSES, ())}


EXPECTATIONS = [
    pytest.param(persona, each, id=f"{persona.name}-{index}")
    for persona in PERSONAS.values()
    for index, each in enumerate(persona.expectations)
    if each.client != "career-account"
]


@sampled("persona,each", EXPECTATIONS, every=8)
def test_a_dry_run_is_refused_as_the_request_would_be(world: World, persona: Persona, each: Expectation) -> None:
    reply = ask(DryRunning(world), persona, each)
    refused = each.code in BEFORE_THE_SOURCE
    assert reply.outcome == ((each.value, each.code) if refused else PASSES)
    meant = ask(world, persona, each)
    assert meant.outcome == (each.value, each.code)
    if refused:
        assert reply.information == meant.information
    results = list(checks_of(reply).values())
    assert results.count("REFUSED") == refused
    assert set(results[results.index("REFUSED") + 1 :] if refused else ()) <= {"NOT_REACHED"}


def test_a_permit_is_explained_with_what_would_be_withheld(world: World) -> None:
    period = {"beginDate": brussels_day(STARTED) - timedelta(days=300)}
    reply = dry_career(world, "economy", period=period, customer=CUSTOMERS["economy"], context=CONTEXTS["economy"])
    assert reply.outcome == PASSES
    explanation, record = explanation_of(reply), last_record(world)
    assert explanation.findtext("annexRevision") == record["annex_revision"]
    assert explanation.findtext("clause") == record["annex_clause"] == "operations[0]"
    withheld = [each.text for each in explanation.iter("withheld")]
    assert withheld == ["career/occupation", "career/affiliations/affiliation/signatureDate"]
    assert [each.text for each in explanation.iter("dropped")] == withheld


def test_a_refusal_names_the_check_the_clause_and_what_would_have_passed(world: World) -> None:
    reply = dry_career(world, context="PCSA:NOTHING")
    assert reply.outcome == ("NO_RESULT", "MSG00013")
    explanation = explanation_of(reply)
    assert explanation.findtext("decision") == "REFUSED"
    assert explanation.findtext("clause") == "operations"
    assert "consultCareer under PCSA:SOCIAL_INQUIRY" in str(explanation.findtext("allowed"))
    assert checks_of(reply) == {
        "credentials": "PASSED",
        "operation": "REFUSED",
        **dict.fromkeys(
            ("parameters", "employer", "ssin", "existence", "integration", "replacement", "cancellation", "death"),
            "NOT_REACHED",
        ),
        "supplier": "NOT_REACHED",
    }
    record = last_record(world)
    assert (record["kind"], record["outcome"], record["code"]) == ("dry run", "refusal", "MSG00013")


def test_an_enterprise_is_told_no_fates(world: World) -> None:
    for name in ("replaced", "deceased", "cancelled", "main-occupation"):
        check = dimona.CHECK | {"worker": {"ssin": [PERSONAS[name].ssin]}}
        reply = dimona.ask(DryRunning(world), "checkEmployment", "brewery", check)
        assert reply.outcome == PASSES
        results = checks_of(reply)
        assert {results[fate] for fate in ("replacement", "cancellation", "death")} == {"NOT_APPLICABLE"}


def test_nobody_is_declared_and_the_ticket_stays_free(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    before = {table.name: world.rows(table) for table in metadata.tables.values() if table.name.startswith("dimona")}
    assert before
    assert dimona.submit(DryRunning(world), dimona.begin(dimona.ANNA), ticket="one").outcome == PASSES
    assert before == {name: world.rows(metadata.tables[name]) for name in before}
    assert dimona.results(dimona.submit(world, dimona.begin(dimona.ANNA), ticket="one")) == ["ACCEPTED"]


def test_a_technical_user_may_ask_too(world: World) -> None:
    reply = dimona.ask(DryRunning(world), "consultPeriods", "brewery-messages", dimona.OWN)
    assert reply.outcome == PASSES
    assert checks_of(reply)["employer"] == "PASSED"


def test_each_of_several_persons_is_explained(world: World) -> None:
    workers = [dimona.ANNA, dimona.BRAM]
    criteria = dimona.CHECK | {"worker": {"ssin": workers}}
    reply = dimona.ask(DryRunning(world), "checkEmployment", "brewery", criteria)
    assert reply.outcome == PASSES
    told = [check.findtext("ssin") for check in explanation_of(reply).iter("check") if check.findtext("ssin")]
    assert told == [ssin for ssin in workers for _ in range(7)]


def test_the_record_says_that_it_was_a_dry_run_and_seals_what_was_decided(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    assert dry_career(world).outcome == PASSES
    record = last_record(world)
    assert record["kind"] == "dry run"
    assert record["annex_clause"].startswith("operations[")
    assert record["deliberation"]
    assert record["subject"] is not None
    sealed = world.unseal(record)
    assert sealed["reason"] == "dry run: the request would pass; nothing was consulted"
    assert sealed["request"]["subjects"] == [KNOWN]
    assert sealed["decidedAt"]


def test_a_dry_run_counts_against_the_quota_and_is_not_answered_twice(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    message = DryRunning(world).sign(career_xml())
    assert world.post(message).outcome == PASSES
    assert world.post(message).outcome == ("fault", "wsse:FailedCheck")
    counted = {row["used"] for row in world.rows(quota_counters) if row["client"] == "pcsa"}
    assert counted == {1}


def test_an_invalid_request_is_a_fault_as_it_would_be(world: World) -> None:
    reply = dry_career(world, ssin="no number")
    assert reply.outcome == ("fault", "MSG00004")
    assert reply.envelope.find("{*}Header/{*}explanation") is None
    assert last_record(world)["kind"] == "dry run"


@pytest.mark.parametrize(
    "attributes",
    [
        'soap:mustUnderstand="1"',
        'soap:mustUnderstand="0"',
        'soap:actor=""',
        'soap:actor="http://schemas.xmlsoap.org/soap/actor/next" soap:mustUnderstand="1"',
    ],
)
def test_a_block_for_us_is_obeyed_whether_or_not_it_must_be(world: World, attributes: str) -> None:
    block = BLOCK.replace(">true", f' xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" {attributes}>true')
    assert world.post(DryRunning(world, block).sign(career_xml())).outcome == PASSES


def test_a_block_for_another_node_is_none_of_ours(world: World) -> None:
    attributes = 'soap:actor="urn:another" soap:mustUnderstand="1"'
    block = BLOCK.replace(">true", f' xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" {attributes}>true')
    reply = world.post(DryRunning(world, block).sign(career_xml()))
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.envelope.find("{*}Header/{*}explanation") is None
    assert last_record(world)["kind"] == "exchange"


@pytest.mark.parametrize(
    ("payload", "client", "path"),
    [
        (echo_xml(), "pcsa", TEST_CONNECTION_PATH),
        (health_xml("PING"), "pcsa", HEALTH_PATH),
        (health_xml("DEEP"), "probe", HEALTH_PATH),
    ],
)
def test_what_consults_nobody_has_no_dry_run(world: World, payload: str, client: str, path: str) -> None:
    reply = world.post(DryRunning(world).sign(payload, client), path)
    assert reply.outcome == ("fault", "GTW00020")
    assert "consults nobody" in reply.faultstring


def test_the_schema_of_the_blocks_is_published(world: World) -> None:
    reply = world.post(b"", "/xsd/DryRunV1.xsd", "GET")
    assert b"urn:ksz-gateway:dry-run:v1" in reply.content
