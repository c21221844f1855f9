"""Searches that name nobody, through the whole gateway: who is told about whom, and who is found in the audit."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from gateway_world import DIMONA, DIMONA_PATH, STARTED, OpenWorld, Reply, World, assert_valid, signed_names
from sqlalchemy import insert, or_, select

from authz.brussels import brussels_day
from fixtures.persons import make_ssin
from gateway.audit.keys import MonthKeys
from gateway.audit.sealing import pseudonym
from gateway.contracts import OperationContract, load_contracts
from gateway.storage.tables import audit_records, audit_subjects, inscriptions, persons
from gateway.xml.binding import compile_writer
from services.dimona import DESCRIPTOR
from services.dimona.worker import Worker
from tests.unit.dimona_messages import AGENCY, BREWERY, name_employer
from tests.unit.dimona_messages import begin as declare
from tests.unit.dimona_world import begin, submission
from tests.unit.fakes_dimona import FakeDimonaRepository

TODAY = brussels_day(STARTED)
BIRTH = date(1987, 3, 2)
STAFF = [Worker(make_ssin(BIRTH, 900 + n), "Peeters", f"Number {n}", BIRTH, "F") for n in range(30)]
# In the order of the personnel file; only the last of them is in the file of the institution.
*OTHERS, ANNA = STAFF
CLIENTS: Mapping[str, tuple[str, str]] = {
    "unemployment": ("0999910246", "UNEMPLOYMENT:RIGHT_TO_BENEFIT"),
    "inspection": ("0999900645", "PPSSI:SOCIAL_FRAUD"),
    "brewery": (str(BREWERY.enterprise_number), "NSSO:EMPLOYER_DECLARATION"),
}


@cache
def contracts() -> Mapping[str, OperationContract]:
    service = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
    return {operation.descriptor.name: operation for operation in service.operations.values()}


def ask(world: World, client: str, operation: str = "consultPeriods", ticket: str = "mine", **criteria: Any) -> Reply:
    number, context = CLIENTS[client]
    values = {
        "informationCustomer": {"ticket": ticket, "customerIdentification": {"cbeNumber": number}},
        "legalContext": context,
        "criteria": criteria,
    }
    payload = compile_writer(contracts()[operation].request, DIMONA, "v1")(values)
    reply = world.post(world.sign(payload, client), DIMONA_PATH)
    assert not reply.is_fault, reply.faultstring
    assert_valid(reply.payload)
    assert "Body" in signed_names(reply, world.own_identity)
    return reply


def told(reply: Reply) -> list[str]:
    data = (child for child in reply.payload if child.tag in ("employmentPeriods", "employmentChecks"))
    return [str(ssin.text) for child in data for ssin in child.iter("ssin")]


def consulted(world: World, worker: Worker) -> int:
    """Return how many records are about the worker."""
    (month,) = {record["month"] for record in world.records()}
    key = MonthKeys(world.settings.audit_keys).find(month)
    assert key is not None
    about = pseudonym(key, worker.ssin)
    further = select(audit_subjects.c.position).where(audit_subjects.c.subject == about)
    query = select(audit_records.c.position).where(
        or_(audit_records.c.subject == about, audit_records.c.position.in_(further))
    )
    with world.gateway.storage.database.read() as connection:
        return len(connection.execute(query).all())


def file_of(*staff: Worker) -> FakeDimonaRepository:
    repository = FakeDimonaRepository((BREWERY, AGENCY), {}, STAFF)
    declared = [begin(TODAY - timedelta(days=30), ssin=worker.ssin) for worker in staff]
    repository.submit(submission(*declared, employer=BREWERY, received_at=STARTED - timedelta(days=40)))
    return repository


@pytest.fixture
def open_file(open_own_world: OpenWorld) -> OpenWorld:
    """Open a world over a personnel file, in which the institutions have Anna, and nobody else, in their file."""

    def opened(*staff: Worker) -> World:
        world = open_own_world(repository=file_of(*staff), service="DimonaService/v1")
        people = [{"ssin": worker.ssin, "cancelled": False} for worker in STAFF]
        files = [
            {"ssin": ANNA.ssin, "organisation": f"cbe:{number}", "context": context, "begin_date": date(2020, 1, 1)}
            for number, context in (("0999910246", "UNEMPLOYMENT:FILE"), ("0999900645", "PPSSI:INQUIRY"))
        ]
        with world.gateway.storage.database.write() as connection:
            connection.execute(insert(persons), people)
            connection.execute(insert(inscriptions), files)
        return world

    return opened


def test_a_search_tells_of_those_in_the_file_and_counts_the_others(open_file: OpenWorld) -> None:
    world = open_file(*OTHERS[:3], ANNA)
    reply = ask(world, "unemployment", employer=name_employer(BREWERY))
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert told(reply) == [ANNA.ssin]
    (record,) = world.records()
    assert record["left_out"] == 3
    assert [consulted(world, worker) for worker in (*OTHERS[:3], ANNA)] == [0, 0, 0, 1]
    assert world.rows(audit_subjects) == []


def test_when_nobody_is_left_it_is_as_if_nothing_was_found(open_file: OpenWorld) -> None:
    world = open_file(*OTHERS[:3])
    screened = ask(world, "unemployment", employer=name_employer(BREWERY))
    nothing = ask(world, "unemployment", employer=name_employer(AGENCY))
    assert screened.outcome == nothing.outcome == ("NO_DATA_FOUND", "MSG00100")
    assert [child.tag for child in screened.payload] == [child.tag for child in nothing.payload]
    assert screened.information == nothing.information
    assert [record["left_out"] for record in world.records()] == [3, 0]


def test_pages_lead_past_those_who_are_left_out(open_file: OpenWorld) -> None:
    world = open_file(*OTHERS, ANNA)
    first = ask(world, "unemployment", employer=name_employer(BREWERY))
    assert (first.outcome, told(first)) == (("DATA_FOUND", "MSG00000"), [])
    token = str(first.payload.findtext("next"))
    last = ask(world, "unemployment", employer=name_employer(BREWERY), next=token)
    assert told(last) == [ANNA.ssin]
    assert last.payload.find("next") is None
    assert [record["left_out"] for record in world.records()] == [25, 4]


def test_an_employer_is_told_of_all_its_personnel_and_the_audit_finds_each(open_file: OpenWorld) -> None:
    world = open_file(*OTHERS[:3], ANNA)
    reply = ask(world, "brewery", employer=name_employer(BREWERY))
    assert told(reply) == [worker.ssin for worker in (*OTHERS[:3], ANNA)]
    assert [consulted(world, worker) for worker in (*OTHERS[:3], ANNA)] == [1, 1, 1, 1]
    (record,) = world.records()
    assert record["left_out"] == 0
    sealed = world.unseal(record)
    assert [sealed["subject"], *sealed["furtherSubjects"]] == told(reply)
    assert sealed["facts"]["relation"] == {"kind": "own", "begin": None, "end": None, "mandate": None}


@pytest.mark.parametrize("operation", ["consultPeriods", "consultDeclarations"])
def test_an_employer_asks_about_no_other_and_not_about_all(open_file: OpenWorld, operation: str) -> None:
    world = open_file(ANNA)
    wanted = f"name an employer for which cbe:{BREWERY.enterprise_number} may act on {brussels_day(world.clock())}"
    other = ask(world, "brewery", operation, employer=name_employer(AGENCY))
    assert other.outcome == ("NO_RESULT", "MSG00015")
    assert other.information == [("employer", AGENCY.registration_number), ("details", wanted)]
    both = name_employer(AGENCY) | {"enterpriseNumber": str(BREWERY.enterprise_number)}
    assert ask(world, "brewery", operation, employer=both).outcome == ("NO_RESULT", "MSG00015")
    none = ask(world, "brewery", operation, worker={"ssin": ANNA.ssin})
    assert (none.outcome, none.information) == (("NO_RESULT", "MSG00015"), [("details", wanted)])


def test_of_several_persons_the_first_who_is_refused_is_named(open_file: OpenWorld) -> None:
    world = open_file(ANNA, OTHERS[0])
    period = {"beginDate": TODAY - timedelta(days=10), "endDate": TODAY}
    asked = {"worker": {"ssin": [ANNA.ssin, OTHERS[0].ssin]}, "employer": name_employer(BREWERY), "period": period}
    refused = ask(world, "inspection", "checkEmployment", **asked)
    assert refused.outcome == ("NO_RESULT", "MSG00012")
    assert ("ssin", OTHERS[0].ssin) in refused.information
    answered = ask(world, "brewery", "checkEmployment", **asked)
    assert told(answered) == [ANNA.ssin, OTHERS[0].ssin]
    # Asked about twice, refused or not.
    assert [consulted(world, worker) for worker in (ANNA, OTHERS[0], OTHERS[1])] == [2, 2, 0]


def test_whoever_is_declared_by_number_is_found_in_the_audit(open_file: OpenWorld) -> None:
    world = open_file(ANNA)
    declared = [declare(worker.ssin, TODAY) for worker in (OTHERS[0], OTHERS[1], OTHERS[0])]
    reply = ask(world, "brewery", "submitDeclarations", employer=name_employer(BREWERY), declaration=declared)
    results = [each.findtext("result") for each in reply.payload.iter("declarationResult")]
    assert results == ["ACCEPTED", "ACCEPTED", "REFUSED"]
    assert [consulted(world, worker) for worker in (OTHERS[0], OTHERS[1], ANNA)] == [1, 1, 0]
    (record,) = world.records()
    assert record["left_out"] is None


def test_whoever_is_declared_by_identity_or_by_the_period_alone_is_found_in_the_audit(open_file: OpenWorld) -> None:
    world = open_file(ANNA)
    worker = OTHERS[0]
    address = {"street": "Hopstraat", "houseNumber": "1", "postalCode": "9000", "municipality": "Gent", "country": "BE"}
    names = {"name": worker.name, "firstName": worker.first_name, "birthDate": worker.birth_date, "sex": worker.sex}

    def submit(ticket: str, declaration: Mapping[str, Any]) -> tuple[str | None, ...]:
        asked = {"employer": name_employer(BREWERY), "declaration": [declaration]}
        reply = ask(world, "brewery", "submitDeclarations", ticket, **asked)
        assert worker.ssin not in reply.content.decode()
        (result,) = reply.payload.iter("declarationResult")
        return result.findtext("result"), result.findtext("dimonaPeriodId")

    begun = declare(names | {"address": address}, TODAY)
    result, period = submit("begun", begun)
    assert result == "ACCEPTED"
    assert submit("begun", begun) == (result, period)
    too_early = {"dimonaPeriodId": period, "endingDate": TODAY - timedelta(days=1)}
    for count, (ticket, declaration, expected) in enumerate(
        (
            ("again", begun, ("REFUSED", None)),
            ("before", {"out": too_early}, ("REFUSED", None)),
            ("ended", {"out": too_early | {"endingDate": TODAY}}, ("ACCEPTED", period)),
            ("changed", {"update": {"dimonaPeriodId": period, "plannedDays": 2}}, ("ACCEPTED", period)),
            ("undone", {"cancel": {"dimonaPeriodId": period}}, ("ACCEPTED", period)),
        ),
        3,
    ):
        assert submit(ticket, declaration) == expected
        assert consulted(world, worker) == count
    assert consulted(world, ANNA) == 0


def test_nothing_is_declared_for_an_employer_that_is_not_accessible(open_file: OpenWorld) -> None:
    world = open_file()
    declared = [declare(ANNA.ssin, TODAY)]
    refused = ask(world, "brewery", "submitDeclarations", employer=name_employer(AGENCY), declaration=declared)
    assert refused.outcome == ("NO_RESULT", "MSG00015")
    assert ask(world, "brewery", employer=name_employer(BREWERY)).outcome == ("NO_DATA_FOUND", "MSG00100")
