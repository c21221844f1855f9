"""DimonaService through the whole gateway: declaring, consulting, statuses, what is withheld, who is left out."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from databases import sampled
from gateway_world import (
    DIMONA,
    DIMONA_PATH,
    SHAPES,
    STARTED,
    DemoState,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    open_world,
    signed_names,
)
from lxml import etree

from authz.annex_document import read_any_annex
from authz.brussels import brussels_day
from fixtures import dimona_personas, dmfa_personas, personas
from fixtures.employers import SyntheticEmployer, get_employer
from fixtures.persona import Expectation
from gateway.contracts import OperationContract, load_contracts
from gateway.demo_world import demo_annexes
from gateway.storage.tables import persons
from gateway.xml.binding import compile_writer
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.dimona import DESCRIPTOR
from services.employer import Register
from tests.log_lines import LogLines

TODAY = brussels_day(STARTED)
SIGNED = {"Body", "Timestamp", "BinarySecurityToken", "Receipt", "SignatureConfirmation"}
# Persons of other services' worlds, in the files of pensions and unemployment, or of the inspection.
WORKERS = {each.name: each.ssin for each in dmfa_personas.load_personas(TODAY)}
SELF_EMPLOYED = {each.name: each.ssin for each in personas.load_personas(TODAY)}
ANNA, BRAM = WORKERS["one-employer"], WORKERS["two-employers-at-once"]
INSPECTED = SELF_EMPLOYED["main-occupation"]
BREWERY, BAKERY, AGENCY = get_employer("brewery"), get_employer("bakery"), get_employer("temp-agency")
CLIENTS = {
    "brewery": (BREWERY.enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "brewery-messages": (BREWERY.enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "brewery-sftp": (BREWERY.enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "secretariat-messages": (get_employer("secretariat").enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "secretariat": (get_employer("secretariat").enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "accountant": (get_employer("accountant").enterprise_number, "NSSO:EMPLOYER_DECLARATION"),
    "pensions": ("0999910345", "PENSIONS:CAREER"),
    "unemployment": ("0999910246", "UNEMPLOYMENT:RIGHT_TO_BENEFIT"),
    "inspection": ("0999900645", "PPSSI:SOCIAL_FRAUD"),
}


def name_employer(employer: SyntheticEmployer) -> dict[str, Any]:
    name = "nssoRegistrationNumber" if employer.register is Register.NSSO else "nssoPpoRegistrationNumber"
    return {name: employer.registration_number}


OWN = {"employer": name_employer(BREWERY)}
# What was not declared before the tests began.
FRESH = OWN | {"period": {"beginDate": TODAY}, "event": "STARTED"}
RECEIVED = OWN | {"receptionPeriod": {"beginDate": TODAY}}
LATELY = {"beginDate": TODAY - timedelta(days=30), "endDate": TODAY + timedelta(days=30)}


@cache
def contracts() -> Mapping[str, OperationContract]:
    service = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
    return {operation.descriptor.name: operation for operation in service.operations.values()}


def ask(
    world: World,
    operation: str,
    client: str,
    criteria: Mapping[str, Any],
    *,
    customer: str | None = None,
    context: str | None = None,
    ticket: str = "mine",
) -> Reply:
    number, usual = CLIENTS[client]
    values = {
        "informationCustomer": {"ticket": ticket, "customerIdentification": {"cbeNumber": customer or number}},
        "legalContext": context or usual,
        "criteria": criteria,
    }
    payload = compile_writer(contracts()[operation].request, DIMONA, "v1")(values)
    reply = world.post(world.sign(payload, client, SHAPES.get(client)), DIMONA_PATH)
    if not reply.is_fault:
        assert_valid(reply.payload)
        rows = DESCRIPTOR.statuses.rows[operation].values()
        named = {name for name, _ in reply.information}
        assert any((row.value, row.code) == reply.outcome and named <= set(row.information) for row in rows)
    return reply


def begin(ssin: str, days: int = 0, worker_type: str = "OTH", **changes: Any) -> dict[str, Any]:
    features = {"workerType": worker_type, "jointCommittee": "118"} | changes.pop("features", {})
    day = TODAY + timedelta(days=days)
    return {"in": {"worker": {"ssin": ssin}, "features": features, "startingDate": day, **changes}}


def submit(world: World, *declarations: Mapping[str, Any], ticket: str, client: str = "brewery", **more: Any) -> Reply:
    criteria = OWN | {"declaration": list(declarations)} | more
    return ask(world, "submitDeclarations", client, criteria, ticket=ticket)


def results(reply: Reply) -> list[str]:
    return [str(each.findtext("result")) for each in reply.payload.iter("declarationResult")]


def told(reply: Reply, name: str = "dimonaPeriodId") -> list[str]:
    return [str(each.text) for each in reply.payload.iter(name)]


def found_in(reply: Reply) -> list[Any]:
    return list(reply.payload.iter("employmentPeriod"))


@pytest.fixture(scope="module")
def staffed(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """The brewery has declared three workers: two in the file of pensions, and one in that of the inspection."""
    with open_world(demo_state, tmp_path_factory.mktemp("staffed")) as world:
        hours = {"occupationForm": "HOURS", "jointCommittee": "302"}
        end = {"endingDate": TODAY, "startingHour": "23:00", "endingHour": "23:30"}
        reply = submit(
            world, begin(ANNA), begin(BRAM, worker_type="FLX", features=hours, **end), begin(INSPECTED), ticket="staff"
        )
        assert results(reply) == ["ACCEPTED"] * 3
        yield world


PERSONAS = [
    pytest.param(persona.ssin, expectation, id=f"{persona.name}-{index}")
    for persona in dimona_personas.load_personas()
    for index, expectation in enumerate(persona.expectations)
]


@sampled("ssin,expectation", PERSONAS, every=4)
def test_persona_is_answered_as_expected(world: World, ssin: str, expectation: Expectation) -> None:
    world.clock.advance(seconds=2)
    reply = ask(
        world,
        expectation.operation,
        expectation.client,
        expectation.criteria,
        customer=str(expectation.customer["cbeNumber"]),
        context=expectation.legal_context,
    )
    assert reply.outcome == (expectation.value, expectation.code)
    found = {
        str(each.text) for name in ("worker", "employmentCheck") for each in reply.payload.iterfind(f".//{name}/ssin")
    }
    assert found == {ssin}


def test_an_employer_declares_and_is_answered_under_signature(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    reply = submit(world, begin(ANNA), begin(ANNA), begin(BRAM, worker_type="STX"), ticket="first")
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert signed_names(reply, world.own_identity) == SIGNED
    assert results(reply) == ["ACCEPTED", "REFUSED", "REFUSED"]
    assert told(reply, "field") == ["startingDate", "features/workerType"]
    (period,) = told(reply)
    ended = {"out": {"dimonaPeriodId": period, "ssin": ANNA, "endingDate": TODAY + timedelta(days=3)}}
    assert results(submit(world, ended, ticket="second")) == ["ACCEPTED"]
    (found,) = ask(world, "consultPeriods", "brewery", FRESH).payload.iter("employmentPeriod")
    assert found.findtext("endingDate") == str(TODAY + timedelta(days=3))
    assert found.findtext("lastAction") == "OUT"
    declared = ask(world, "consultDeclarations", "brewery", RECEIVED)
    assert told(declared, "action") == ["IN", "OUT"]


def test_a_ticket_sent_again_has_no_second_effect(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    first = submit(world, begin(ANNA), begin(BRAM), ticket="once")
    again = submit(world, begin(ANNA), begin(BRAM), ticket="once")
    assert told(first, "declarationNumber") == told(again, "declarationNumber")
    assert len(told(ask(world, "consultPeriods", "brewery", FRESH))) == 2
    other = submit(world, begin(ANNA), ticket="once")
    assert (other.outcome[1], other.information[0]) == ("MSG00008", ("field", "informationCustomer/ticket"))


def test_a_period_is_found_under_the_number_that_replaced_the_one_it_was_declared_under(
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world()
    (period,) = told(submit(world, begin(ANNA), ticket="first"))
    with world.gateway.storage.database.write() as connection:
        connection.execute(persons.update().where(persons.c.ssin == ANNA).values(replaced_by=BRAM))
    for client, criteria in (
        ("pensions", FRESH | {"worker": {"ssin": BRAM}}),
        ("pensions", FRESH),
        ("brewery", FRESH),
        ("brewery", FRESH | {"worker": {"ssin": BRAM}}),
    ):
        reply = ask(world, "consultPeriods", client, criteria)
        assert [(each.findtext("dimonaPeriodId"), each.findtext("worker/ssin")) for each in found_in(reply)] == [
            (period, BRAM)
        ]
    assert ask(world, "consultPeriods", "pensions", {"worker": {"ssin": ANNA}}).outcome[1] == "MSG00006"
    # An enterprise is not told what became of a number: it is answered by the one that it has.
    for number in (ANNA, BRAM):
        (own,) = found_in(ask(world, "consultPeriods", "brewery", FRESH | {"worker": {"ssin": number}}))
        assert own.findtext("worker/ssin") == number
        checked = ask(world, "checkEmployment", "brewery", CHECK | {"worker": {"ssin": [number]}})
        assert told(checked, "inService") == ["true"]
    assert results(submit(world, begin(BRAM), ticket="second")) == ["REFUSED"]


def test_a_hundred_declarations_with_identities_fit_into_a_message(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    address = {
        "street": "S" * 64, "houseNumber": "1" * 10, "box": "2" * 10, "postalCode": "9" * 12,
        "municipality": "M" * 48, "country": "BE",
    }  # fmt: skip
    identity = {"name": "N" * 48, "firstName": "F" * 48, "birthDate": TODAY, "sex": "X", "address": address}
    declaration = begin(ANNA, features={"studentPlaceOfWork": {"name": "B" * 96, "address": address}})
    declaration["in"]["worker"] = {"identity": identity}
    reply = submit(world, *[declaration] * 100, ticket="many")
    assert results(reply) == ["REFUSED"] * 100
    assert submit_written(world, [declaration] * 100).outcome == ("NO_RESULT", "MSG00008")


def submit_written(world: World, declarations: list[Mapping[str, Any]]) -> Reply:
    """Send declarations without a ticket, indented as people write them."""
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": CLIENTS["brewery"][0]}},
        "legalContext": CLIENTS["brewery"][1],
        "criteria": OWN | {"declaration": declarations},
    }
    payload = etree.fromstring(compile_writer(contracts()["submitDeclarations"].request, DIMONA, "v1")(values))
    etree.indent(payload)
    return world.post(world.sign(etree.tostring(payload, encoding="unicode"), "brewery"), DIMONA_PATH)


def test_what_is_too_large_is_told_to_be_split(open_own_world: OpenWorld) -> None:
    world = open_own_world(max_message_bytes=1024 * 1024)
    address = {
        "street": "\u6771" * 64, "houseNumber": "1", "postalCode": "9000",
        "municipality": "\u4eac" * 48, "country": "BE",
    }  # fmt: skip
    name = {"name": "\u6771" * 96, "address": address}
    identity = {"name": "\u6771" * 48, "firstName": "\u4eac" * 48, "birthDate": TODAY, "sex": "X", "address": address}
    declaration = begin(ANNA, features={"studentPlaceOfWork": name})
    declaration["in"]["worker"] = {"identity": identity}
    reply = submit_written(world, [declaration] * 100)
    assert reply.status.startswith("413")
    assert reply.faultstring.startswith("GTW00012: The message is larger than 262144 bytes: send less in each.")
    assert submit_written(world, [declaration] * 50).outcome == ("NO_RESULT", "MSG00008")


SOMEBODY = {"worker": {"ssin": ANNA}}
CHECK = {"worker": {"ssin": [INSPECTED]}, **OWN, "period": LATELY}
# A period that nobody has.
CANCEL = {"cancel": {"dimonaPeriodId": "199999999999"}}
Case = tuple[str, str, Mapping[str, Any], Mapping[str, str], str]


def _person_cases(operation: str, client: str, make: Any, people: Mapping[str, str]) -> Iterator[Case]:
    for code, ssin in people.items():
        yield operation, client, make(ssin), {}, code


_OF_PENSIONS = {
    "MSG00011": WORKERS["worker-malformed"],
    "MSG00005": WORKERS["worker-nobody"],
    "MSG00012": SELF_EMPLOYED["main-occupation"],
    "MSG00006": WORKERS["worker-replaced"],
    "MSG00007": WORKERS["worker-cancelled"],
    "MSG00009": WORKERS["worker-deceased"],
}
_OF_INSPECTION = {
    "MSG00011": WORKERS["worker-malformed"],
    "MSG00005": WORKERS["worker-nobody"],
    "MSG00012": WORKERS["one-employer"],
    "MSG00006": SELF_EMPLOYED["replaced"],
    "MSG00007": SELF_EMPLOYED["cancelled"],
    "MSG00009": SELF_EMPLOYED["deceased"],
}
NOTHING = {"worker": {"name": "Nemo", "firstName": "Nobody"}}
CASES: list[Case] = [
    ("submitDeclarations", "brewery", OWN | {"declaration": [CANCEL]}, {"customer": "0999910345"}, "MSG00014"),
    ("submitDeclarations", "brewery", OWN | {"declaration": [CANCEL]}, {"context": "NSSO:OTHER"}, "MSG00013"),
    ("submitDeclarations", "accountant", OWN | {"declaration": [CANCEL]}, {}, "MSG00027"),
    ("submitDeclarations", "accountant", OWN | {"declaration": [begin(ANNA)]}, {}, "MSG00015"),
    ("submitDeclarations", "brewery", {"employer": name_employer(BAKERY), "declaration": [CANCEL]}, {}, "MSG00015"),
    ("submitDeclarations", "brewery", OWN | {"declaration": [CANCEL]}, {"ticket": ""}, "MSG00008"),
    ("submitDeclarations", "brewery", OWN | {"declaration": [CANCEL]}, {}, "MSG00000"),
    ("consultDeclarations", "brewery", OWN, {"customer": "0999910345"}, "MSG00014"),
    ("consultDeclarations", "brewery", OWN, {"context": "NSSO:OTHER"}, "MSG00013"),
    ("consultDeclarations", "unemployment", OWN, {}, "MSG00013"),
    ("consultDeclarations", "accountant", {"usingCompany": BREWERY.enterprise_number}, {}, "MSG00027"),
    # The bakery left the secretariat in 2023; the brewery is affiliated to it.
    ("consultDeclarations", "secretariat", {"employer": name_employer(BAKERY)}, {}, "MSG00015"),
    ("consultDeclarations", "secretariat", OWN, {}, "MSG00000"),
    ("consultDeclarations", "brewery", SOMEBODY, {}, "MSG00015"),
    *_person_cases("consultDeclarations", "inspection", lambda ssin: {"worker": {"ssin": ssin}}, _OF_INSPECTION),
    ("consultDeclarations", "inspection", {"workerType": "OTH"}, {}, "MSG00008"),
    ("consultDeclarations", "inspection", NOTHING, {}, "MSG00100"),
    ("consultDeclarations", "inspection", {"worker": {"ssin": INSPECTED}}, {}, "MSG00000"),
    ("consultPeriods", "pensions", SOMEBODY, {"customer": "0999910246"}, "MSG00014"),
    ("consultPeriods", "pensions", SOMEBODY, {"context": "PENSIONS:FRAUD"}, "MSG00013"),
    ("consultPeriods", "pensions", {"usingCompany": BREWERY.enterprise_number}, {}, "MSG00027"),
    ("consultPeriods", "brewery", {"employer": {"enterpriseNumber": AGENCY.enterprise_number}}, {}, "MSG00015"),
    *_person_cases("consultPeriods", "pensions", lambda ssin: {"worker": {"ssin": ssin}}, _OF_PENSIONS),
    ("consultPeriods", "pensions", OWN | {"next": "forged"}, {}, "MSG00008"),
    ("consultPeriods", "pensions", NOTHING, {}, "MSG00100"),
    ("consultPeriods", "pensions", SOMEBODY, {}, "MSG00000"),
    ("checkEmployment", "inspection", CHECK, {"customer": "0999910246"}, "MSG00014"),
    ("checkEmployment", "inspection", CHECK, {"context": "PPSSI:OTHER"}, "MSG00013"),
    ("checkEmployment", "inspection", CHECK | {"period": LATELY | {"beginDate": date(1999, 1, 1)}}, {}, "MSG00027"),
    ("checkEmployment", "accountant", CHECK, {}, "MSG00015"),
    *_person_cases(
        "checkEmployment", "inspection", lambda ssin: CHECK | {"worker": {"ssin": [INSPECTED, ssin]}}, _OF_INSPECTION
    ),
    ("checkEmployment", "inspection", CHECK | {"employer": {}}, {}, "MSG00008"),
    ("checkEmployment", "inspection", CHECK, {}, "MSG00000"),
]


@pytest.mark.parametrize(
    ("operation", "client", "criteria", "changes", "code"),
    CASES,
    ids=[f"{operation}-{client}-{code}-{number}" for number, (operation, client, *_, code) in enumerate(CASES)],
)
def test_each_cause_is_told(
    staffed: World, operation: str, client: str, criteria: Mapping[str, Any], changes: Mapping[str, str], code: str
) -> None:
    staffed.clock.advance(seconds=2)
    reply = ask(staffed, operation, client, criteria, **changes)
    assert reply.outcome[1] == code
    assert signed_names(reply, staffed.own_identity) == SIGNED
    if operation == "checkEmployment" and code in _OF_INSPECTION:
        assert ("ssin", _OF_INSPECTION[code]) in reply.information


@pytest.mark.parametrize("operation", DESCRIPTOR.statuses.rows)
def test_every_status_of_the_table_is_given_here(operation: str) -> None:
    # Dry runs are shown in test_gateway_dry_run.py.
    given = {code for asked, _, _, _, code in CASES if asked == operation} | {"MSG00020", "MSG00023", "GTW00004"}
    assert given == {row.code for row in DESCRIPTOR.statuses.rows[operation].values()}


class RaisingRepository:
    """A personnel file that raises whatever is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: Any) -> Any:
            raise self._error

        return fail


QUESTIONS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "submitDeclarations": ("brewery", OWN | {"declaration": [CANCEL]}),
    "consultDeclarations": ("brewery", OWN),
    "consultPeriods": ("brewery", OWN),
    "checkEmployment": ("brewery", CHECK),
}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SourceUnavailable("out"), ("NO_RESULT", "MSG00020")),
        (SourceAnswerInvalid("bad", (("details", "nonsense"),)), ("NO_RESULT", "MSG00023")),
        (SourceCommunicationFailed("reset"), ("fault", "MSG00002")),
    ],
)
def test_a_source_that_fails_is_told_by_every_operation(
    open_own_world: OpenWorld, error: Exception, outcome: tuple[str, str]
) -> None:
    world = open_own_world(repository=RaisingRepository(error), service=DESCRIPTOR.name)
    for operation, (client, criteria) in QUESTIONS.items():
        reply = ask(world, operation, client, criteria)
        assert reply.outcome == outcome
        assert "Body" in signed_names(reply, world.own_identity)
        if reply.is_fault:
            assert reply.detail is not None
            assert_valid(reply.detail)


def test_a_search_leaves_out_persons_who_are_not_in_the_clients_file(staffed: World) -> None:
    assert len(told(ask(staffed, "consultPeriods", "brewery", FRESH))) == 3
    assert told(ask(staffed, "consultPeriods", "pensions", FRESH), "ssin") == [ANNA, BRAM]
    assert told(ask(staffed, "consultPeriods", "inspection", FRESH), "ssin") == [INSPECTED]
    assert told(ask(staffed, "consultDeclarations", "inspection", RECEIVED), "ssin") == [INSPECTED]
    none = ask(staffed, "consultPeriods", "inspection", FRESH | {"workerType": ["FLX"]})
    assert none.outcome == ("NO_DATA_FOUND", "MSG00100")


WITHHOLDING = [
    ("unemployment", "consultPeriods"),
    ("pensions", "consultPeriods"),
    ("inspection", "consultDeclarations"),
]


@pytest.mark.parametrize(("client", "operation"), WITHHOLDING)
def test_what_an_annex_withholds_is_left_out_and_named(staffed: World, client: str, operation: str) -> None:
    shapes = load_contracts().shapes()
    (annex,) = (each for each in (read_any_annex(text, shapes) for text in demo_annexes()) if each.client == client)
    (grant,) = annex.grants[DESCRIPTOR.name, operation, CLIENTS[client][1]]
    reply = ask(staffed, operation, client, OWN)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert grant.withheld
    assert [each.text for each in reply.payload.iter("filteredElement")] == list(grant.withheld)
    for path in grant.withheld:
        assert reply.payload.find(path) is None, path


def test_employment_is_checked_for_several_workers_at_once(staffed: World) -> None:
    workers = {"worker": {"ssin": [BRAM, WORKERS["never-employed"], ANNA]}}
    reply = ask(staffed, "checkEmployment", "brewery", CHECK | workers)
    rows = [
        (each.findtext("ssin"), each.findtext("inService"), each.findtext("throughout"))
        for each in reply.payload.iter("employmentCheck")
    ]
    assert rows == [
        (BRAM, "true", "false"),
        (WORKERS["never-employed"], "false", "false"),
        (ANNA, "true", "false"),
    ]


def test_pages_tell_every_period_once(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    days = [
        begin(ANNA, day, "EXT", features={"occupationForm": "DAY"}, endingDate=TODAY + timedelta(days=day))
        for day in range(60)
    ]
    declared = told(submit(world, *days, ticket="days"))
    found: list[str] = []
    criteria: dict[str, Any] = {"worker": {"ssin": ANNA}}
    for size in (25, 25, 10):
        reply = ask(world, "consultPeriods", "pensions", criteria)
        assert len(told(reply)) == size
        found += told(reply)
        criteria["next"] = reply.payload.findtext("next")
    assert criteria["next"] is None
    assert found == declared
    token = ask(world, "consultPeriods", "pensions", {"worker": {"ssin": ANNA}}).payload.findtext("next")
    other = ask(world, "consultPeriods", "unemployment", {"worker": {"ssin": ANNA}, "next": token})
    assert (other.outcome[1], other.information[0]) == ("MSG00008", ("field", "criteria/next"))


def test_the_audit_names_nobody_in_clear(staffed: World) -> None:
    ask(staffed, "checkEmployment", "brewery", CHECK)
    record = staffed.records()[-1]
    assert (record["service"], record["operation"], record["code"]) == (DESCRIPTOR.name, "checkEmployment", "MSG00000")
    assert INSPECTED not in str({name: value for name, value in record.items() if name != "sealed"})
