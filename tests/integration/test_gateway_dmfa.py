"""DmfaConsultationService through the whole gateway: personas, criteria, pages, statuses, what annexes withhold."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from databases import sampled
from gateway_world import DMFA, DMFA_PATH, STARTED, OpenWorld, Reply, World, assert_valid, signed_names
from lxml import etree
from sqlalchemy import select, update

from authz.annex_document import read_any_annex
from authz.brussels import brussels_day
from fixtures.attestations import make_employer
from fixtures.dmfa_personas import load_personas
from fixtures.persona import Expectation, Persona
from gateway.bootstrap import CannotStart, build_gateway, open_approvals
from gateway.contracts import OperationContract, load_contracts
from gateway.demo_world import activate, demo_annexes
from gateway.storage.dmfa_tables import dmfa_attestations
from gateway.xml.binding import compile_writer
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.dmfa import DESCRIPTOR
from services.dmfa.attestation import AttestationPage, AttestationSearch
from services.dmfa.reply import UNSUPPORTED

PERSONAS = {persona.name: persona for persona in load_personas(brussels_day(STARTED))}
QUESTIONS = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in PERSONAS.values()
    for index, expectation in enumerate(persona.expectations)
]
SIGNED = {"Body", "Timestamp", "BinarySecurityToken", "Receipt", "SignatureConfirmation"}
BY_SSIN, BY_EMPLOYER = "consultDmfaAttestationsBySsin", "consultPersonnelByEmployer"
CONTEXTS = {
    "health-insurance": ("0999910147", "HEALTH:INSURABILITY"),
    "unemployment": ("0999910246", "UNEMPLOYMENT:RIGHT_TO_BENEFIT"),
    "pensions": ("0999910345", "PENSIONS:CAREER"),
    "occupational-risks": ("0999910444", "RISKS:OCCUPATIONAL_DISEASE"),
    "child-benefits": ("0999910543", "CHILD_BENEFITS:RIGHT"),
    "annual-holidays": ("0999910642", "HOLIDAYS:PAY"),
}
ONLINE = {"resultsAction": "RESULTS_ONLINE_ONLY", "latestSituationOnly": True}


@cache
def contracts() -> Mapping[str, OperationContract]:
    service = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
    return {operation.descriptor.name: operation for operation in service.operations.values()}


def request_xml(customer: Mapping[str, Any], legal_context: str, criteria: Mapping[str, Any], operation: str) -> str:
    values = {
        "informationCustomer": {"ticket": "mine", "customerIdentification": customer},
        "legalContext": legal_context,
        "criteria": criteria,
    }
    return compile_writer(contracts()[operation].request, DMFA, "v1")(values)


def ask(
    world: World, ssin: str, client: str = "pensions", begin: str = "2003Q1", end: str = "2025Q4", **more: Any
) -> Reply:
    number, context = CONTEXTS[client]
    period = {"quarterPeriod": {"beginQuarter": begin, "endQuarter": end}}
    payload = request_xml({"cbeNumber": number}, context, {"ssin": ssin, **period, **ONLINE, **more}, BY_SSIN)
    return world.post(world.sign(payload, client), DMFA_PATH)


def told(reply: Reply) -> list[tuple[str, str]]:
    return [
        (str(each.findtext("attestationId")), str(each.findtext("attestationVersion")))
        for each in reply.payload.iter("attestationInformation")
    ]


def assert_told(reply: Reply, value: str, code: str, *information: tuple[str, str]) -> None:
    assert reply.outcome == (value, code)
    assert reply.information == list(information)
    assert_valid(reply.payload)


@sampled("persona,expectation", QUESTIONS, every=8)
def test_persona_is_answered_as_expected(world: World, persona: Persona, expectation: Expectation) -> None:
    payload = request_xml(
        expectation.customer,
        expectation.legal_context,
        {"ssin": persona.ssin, **expectation.criteria},
        expectation.operation,
    )
    reply = world.post(world.sign(payload, expectation.client), DMFA_PATH)
    assert signed_names(reply, world.own_identity) == SIGNED
    assert reply.outcome == (expectation.value, expectation.code)
    assert_valid(reply.payload)
    rows = DESCRIPTOR.statuses.rows[expectation.operation].values()
    named = {name for name, _ in reply.information}
    assert any(row.code == expectation.code and named <= set(row.information) for row in rows)
    assert reply.payload.findtext("criteria/ssin") == persona.ssin
    assert (reply.payload.find("dmfaAttestations") is None) == (expectation.value in ("NO_RESULT", "NO_DATA_FOUND"))


def test_every_row_of_the_table_is_given_by_a_persona() -> None:
    given = {(each.value, each.code) for persona in PERSONAS.values() for each in persona.expectations}
    rows = {(row.value, row.code) for row in DESCRIPTOR.statuses.rows[BY_SSIN].values()}
    # Dry runs are shown in test_gateway_dry_run.py.
    assert rows - given == {("NO_RESULT", "GTW00004")}
    assert given <= rows


def ask_personnel(world: World, client: str = "pensions", **changes: Any) -> Reply:
    number, context = CONTEXTS[client]
    criteria = {
        "quarterPeriod": {"beginQuarter": "2020Q1", "endQuarter": "2020Q1"},
        "resultsAction": "RESULTS_BATCH_ONLY",
        "latestSituationOnly": True,
        "nssoRegistrationNumber": make_employer(10).nsso_number,
    }
    customer = {"cbeNumber": changes.pop("customer", number)}
    payload = request_xml(customer, changes.pop("context", context), criteria | changes, BY_EMPLOYER)
    return world.post(world.sign(payload, client), DMFA_PATH)


def test_personnel_is_answered_with_every_status_of_its_table(world: World) -> None:
    assert_told(ask_personnel(world), "NO_RESULT", "MSG00025")
    replies = [
        ask_personnel(world, customer="0999910246"),
        ask_personnel(world, context="PENSIONS:FRAUD"),
        ask_personnel(world, "health-insurance"),
    ]
    for reply in replies:
        assert_valid(reply.payload)
    assert [reply.outcome[1] for reply in replies] == ["MSG00014", "MSG00013", "MSG00013"]
    assert {row.code for row in DESCRIPTOR.statuses.rows[BY_EMPLOYER].values()} == {
        "MSG00014", "MSG00013", "MSG00027", "MSG00025", "GTW00004",
    }  # fmt: skip


def test_personnel_by_a_criterion_that_is_not_granted_is_refused(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    (document,) = (each for each in demo_annexes() if "client: pensions\n" in each)
    head, personnel = document.split("operation: consultPersonnelByEmployer")
    narrower = personnel.replace("      criteria/nssoRegistrationNumber: { required: false }\n", "")
    assert narrower != personnel
    now = world.clock()
    activate(
        open_approvals(world.gateway.storage),
        f"{head}operation: consultPersonnelByEmployer{narrower}",
        now=now,
        active_from=now + timedelta(seconds=10),
    )
    world.gateway.annexes.refresh()
    world.clock.advance(seconds=10)
    reply = ask_personnel(world)
    assert_told(reply, "NO_RESULT", "MSG00027", ("parameter", "criteria/nssoRegistrationNumber: not granted"))


SECTORS = PERSONAS["three-sectors"].ssin
PRIVATE, FEDERAL, MUNICIPAL = make_employer(20), make_employer(23), make_employer(24)
NARROWING: dict[str, tuple[Mapping[str, Any], int]] = {
    "quarterPeriod": ({"begin": "2013Q1", "end": "2013Q2"}, 2),
    "provincialOrLocalAuthority": ({"provincialOrLocalAuthority": True}, 8),
    "provincialOrLocalAuthority false": ({"provincialOrLocalAuthority": False}, 16),
    "one sector": ({"sectorIndicators": {"sectorIndicator": ["PFR"]}}, 8),
    "two sectors": ({"sectorIndicators": {"sectorIndicator": ["PRI", "PFR"]}}, 16),
    "nssoRegistrationNumber": ({"nssoRegistrationNumber": FEDERAL.nsso_number}, 8),
    "enterpriseNumber": ({"enterpriseNumber": MUNICIPAL.enterprise_number}, 8),
    "employerClass": (
        {"enterpriseNumber": PRIVATE.enterprise_number, "employerClass": PRIVATE.employer_class},
        8,
    ),
    "other employerClass": ({"enterpriseNumber": PRIVATE.enterprise_number, "employerClass": 1}, 0),
    "workerCode": ({"nssoRegistrationNumber": PRIVATE.nsso_number, "workerCode": 495}, 8),
    "other workerCode": ({"nssoRegistrationNumber": PRIVATE.nsso_number, "workerCode": 840}, 0),
}


@pytest.mark.parametrize("criterion", NARROWING)
def test_each_criterion_changes_the_answer(world: World, criterion: str) -> None:
    criteria, number = NARROWING[criterion]
    assert len(told(ask(world, SECTORS))) == 24
    reply = ask(world, SECTORS, **criteria)
    assert_valid(reply.payload)
    assert len(told(reply)) == number
    assert reply.outcome == (("DATA_FOUND", "MSG00000") if number else ("NO_DATA_FOUND", "MSG00100"))


def test_the_latest_situation_and_a_version_change_the_answer(world: World) -> None:
    ssin = PERSONAS["corrected"].ssin
    latest = told(ask(world, ssin))
    everything = told(ask(world, ssin, latestSituationOnly=False))
    assert [version for _, version in latest] == ["3"] * 4
    assert [version for _, version in everything] == ["1", "2", "3"] * 4
    first = latest[0][0]
    assert told(ask(world, ssin, attestationId=int(first))) == latest[:1]
    one = ask(world, ssin, attestationId=int(first), attestationVersion=2, latestSituationOnly=False)
    assert told(one) == [(first, "2")]
    link = one.payload.find(".//attestationVersionLink")
    assert link is not None
    assert [(each.tag, each.text) for each in link] == [
        ("previousAttestationVersion", "1"),
        ("nextAttestationVersion", "3"),
    ]


def test_a_cancelled_and_a_reactivated_attestation_say_so(world: World) -> None:
    reply = ask(world, PERSONAS["cancelled-attestation"].ssin)
    statuses = [each.text for each in reply.payload.iter("attestationStatus")]
    assert statuses == ["CANCELLATION"] * 2 + ["REACTIVATION"] * 2
    cancelled, *_, reactivated = reply.payload.iter("attWorkerRecord")
    assert cancelled.find("attOccupations") is None
    assert reactivated.find("attOccupations") is not None


MANY = PERSONAS["two-hundred-attestations"].ssin


def test_two_hundred_attestations_come_on_pages_that_survive_a_restart(open_own_world: OpenWorld) -> None:
    first = open_own_world()
    restarted = World(first.settings, build_gateway(first.settings, first.clock), first.clock, first.databases)
    found: list[tuple[str, str]] = []
    more: dict[str, Any] = {}
    for number in range(8):
        reply = ask(first if number < 4 else restarted, MANY, **more)
        assert_valid(reply.payload)
        found += told(reply)
        token = reply.payload.findtext("next")
        assert reply.outcome == (("PARTIAL_RESULT", "MSG00000") if number < 7 else ("DATA_FOUND", "MSG00000"))
        assert (token is None) == (number == 7)
        assert len(token or "") <= 64
        more = {"next": token}
    restarted.gateway.close()
    assert len(found) == len(set(found)) == 200


def test_a_page_belongs_to_its_client_and_its_question(world: World) -> None:
    token = ask(world, MANY).payload.findtext("next")
    assert token is not None
    # Of the last character some bits may say nothing; the one before it counts whole.
    other = "B" if token[-2] == "A" else "A"
    refused = [
        ask(world, MANY, "unemployment", next=token),
        ask(world, MANY, next=token, end="2025Q3"),
        ask(world, SECTORS, next=token),
        ask(world, MANY, next=token[:-2] + other + token[-1]),
    ]
    for reply in refused:
        assert reply.outcome == ("NO_RESULT", "MSG00008")
        assert reply.information[0] == ("field", "criteria/next")
        assert_valid(reply.payload)
    assert ask(world, MANY, next=token).outcome == ("PARTIAL_RESULT", "MSG00000")


class RaisingRepository:
    """A source that raises whatever is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        raise self._error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceUnavailable("out", (("source", "RSZ_ONSS"), ("quarters", "2019Q1"))), "MSG00020"),
        (SourceAnswerInvalid("bad", (("details", "nonsense"),)), "MSG00023"),
    ],
)
def test_a_source_that_fails_is_told(open_own_world: OpenWorld, error: Any, code: str) -> None:
    world = open_own_world(repository=RaisingRepository(error), service=DESCRIPTOR.name)
    assert_told(ask(world, SECTORS), "NO_RESULT", code, *error.information)


def test_a_source_that_breaks_off_is_a_signed_fault(open_own_world: OpenWorld) -> None:
    error = SourceCommunicationFailed("reset")
    world = open_own_world(repository=RaisingRepository(error), service=DESCRIPTOR.name)
    reply = ask(world, SECTORS)
    assert reply.outcome == ("fault", "MSG00002")
    assert "Body" in signed_names(reply, world.own_identity)
    assert reply.detail is not None
    assert_valid(reply.detail)


def test_a_broken_request_is_a_fault_with_the_operations_own_detail(world: World) -> None:
    number, context = CONTEXTS["pensions"]
    payload = (
        f'<v1:{BY_SSIN}Request xmlns:v1="{DMFA}"><informationCustomer><customerIdentification><cbeNumber>{number}'
        f"</cbeNumber></customerIdentification></informationCustomer><legalContext>{context}</legalContext>"
        f"<criteria><ssin>{SECTORS}</ssin></criteria></v1:{BY_SSIN}Request>"
    )
    reply = world.post(world.sign(payload, "pensions"), DMFA_PATH)
    assert reply.outcome == ("fault", "MSG00004")
    assert reply.detail is not None
    assert reply.detail.tag == f"{{{DMFA}}}{BY_SSIN}Fault"
    assert_valid(reply.detail)


PERIODS = {"child-benefits": "2024Q1"}


@pytest.mark.parametrize("client", CONTEXTS)
def test_what_an_annex_withholds_is_left_out_and_named(open_own_world: OpenWorld, client: str) -> None:
    world = open_own_world()
    shapes = load_contracts().shapes()
    (annex,) = (each for each in (read_any_annex(text, shapes) for text in demo_annexes()) if each.client == client)
    (grant,) = annex.grants[DESCRIPTOR.name, BY_SSIN, CONTEXTS[client][1]]
    ssin = PERSONAS["every-element"].ssin
    if client in PERIODS:
        # The fund may look back five years: its own generated worker is asked about instead.
        ssin = next(
            persona.ssin
            for persona in PERSONAS.values()
            if persona.name.startswith("generated") and persona.expectations[0].value == "DATA_FOUND"
        )
    reply = ask(world, ssin, client, begin=PERIODS.get(client, "2003Q1"))
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert_valid(reply.payload)
    assert [each.text for each in reply.payload.iter("filteredElement")] == list(grant.withheld)
    assert [each.text for each in reply.payload.iter("unsupportedElement")] == list(UNSUPPORTED)
    for path in grant.withheld:
        assert reply.payload.find(path) is None, path
    if client == "pensions":
        assert grant.withheld == ()
        assert reply.payload.find("dataFilters") is None


def test_wages_reach_only_those_who_may_see_them(world: World) -> None:
    ssin = PERSONAS["one-employer"].ssin
    pensions, insurance = ask(world, ssin), ask(world, ssin, "health-insurance")
    wages = {each.text for each in pensions.payload.iter("remunAmount")}
    assert wages
    kept = {each.text for each in insurance.payload.iter("*")}
    assert not wages & kept
    assert len(list(insurance.payload.iter("attService"))) == len(list(pensions.payload.iter("attService"))) > 0


def test_the_audit_knows_blocks_and_criteria_but_no_data(world: World) -> None:
    ask(world, SECTORS, "health-insurance")
    record = world.records()[-1]
    assert (record["service"], record["operation"], record["code"]) == (DESCRIPTOR.name, BY_SSIN, "MSG00000")
    assert SECTORS not in str({name: value for name, value in record.items() if name != "sealed"})


def test_a_gateway_without_a_usable_key_does_not_start(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.settings.paging_key.chmod(0o644)
    with pytest.raises(CannotStart, match=r"page tokens .*paging\.key.*chmod"):
        build_gateway(world.settings, world.clock)


def test_a_stored_document_that_does_not_fit_the_contract_is_never_sent(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with world.gateway.storage.database.write() as connection:
        row = connection.execute(select(dmfa_attestations).where(dmfa_attestations.c.ssin == SECTORS).limit(1)).one()
        broken = {**row.document["attEmployerDeclaration"], "holidayStartingDate": "2020-02-30"}
        connection.execute(
            update(dmfa_attestations)
            .where(dmfa_attestations.c.ssin == SECTORS, dmfa_attestations.c.attestation_id == row.attestation_id)
            .values(document={"attEmployerDeclaration": broken})
        )
    reply = ask(world, SECTORS)
    assert reply.outcome == ("fault", "MSG00003")
    assert "2020-02-30" not in reply.content.decode()


def test_the_wsdl_is_served_at_its_path(world: World) -> None:
    reply = world.post(b"", DMFA_PATH, "GET", QUERY_STRING="wsdl")
    assert reply.status == "200 OK"
    address = etree.fromstring(reply.content).find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address is not None
    assert address.get("location") == f"https://gateway.example{DMFA_PATH}"
