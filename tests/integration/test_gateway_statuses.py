"""Every row of a service's status table is given by the whole gateway, in the order in which the checks are made."""

from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest
from gateway_world import STARTED, OpenWorld, Reply, World, assert_valid, signed_names
from sqlalchemy import insert

from authz.brussels import brussels_day
from fixtures.personas import load_personas
from gateway.bootstrap import open_approvals
from gateway.demo_world import activate
from gateway.storage.tables import inscriptions, persons
from services.consultation import SourceAnswerInvalid, SourceCommunicationFailed, SourceUnavailable
from services.self_employed import DESCRIPTOR
from services.self_employed.career import Career, ContributionAccount

PERSONAS = {persona.name: persona for persona in load_personas(brussels_day(STARTED))}
KNOWN = PERSONAS["main-occupation"].ssin
QUARTERS = {"beginQuarter": "2017Q1"}
WRONG_PERIOD = {"beginDate": "2012-01-01", "endDate": "2011-12-31"}
LONG_AGO = {"beginDate": "1990-01-01"}
OTHER = {"cbeNumber": "0999900546"}
THEIRS = {"cbeNumber": "0999900447"}
DEBTS = "PCSA:DEBT_RECOVERY"

# What no persona can be told, since it takes a broken source or an annex of its own; each has its test below.
NOT_BY_PERSONA = {
    ("consultCareer", "MSG00020"),
    ("consultContributions", "MSG00023"),
    ("consultContributions", "MSG00027"),
    # Dry runs are shown in test_gateway_dry_run.py.
    ("consultCareer", "GTW00004"),
    ("consultContributions", "GTW00004"),
}


class RaisingRepository:
    """A source that raises whatever is asked of persons; it knows every organisation as a PCSA."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def find_career(self, ssin: str, *period: object) -> Career | None:
        raise self._error

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        raise self._error

    def is_pcsa(self, cbe_number: str) -> bool:
        return True


def assert_told(reply: Reply, value: str, code: str, *information: tuple[str, str]) -> None:
    assert reply.outcome == (value, code)
    assert reply.status == "200 OK"
    assert_valid(reply.payload)
    assert reply.is_signed
    assert reply.information == list(information)


def test_every_row_of_the_table_is_given() -> None:
    given = {(each.operation, each.code) for persona in PERSONAS.values() for each in persona.expectations}
    rows = {(name, row.code) for name, cases in DESCRIPTOR.statuses.rows.items() for row in cases.values()}
    assert rows - given == NOT_BY_PERSONA
    assert given <= rows


def test_each_row_has_a_code_of_its_own() -> None:
    for cases in DESCRIPTOR.statuses.rows.values():
        codes = [row.code for row in cases.values()]
        assert len(codes) == len(set(codes))


@pytest.mark.parametrize(("operation", "period"), [("consultCareer", None), ("consultContributions", QUARTERS)])
def test_a_source_that_cannot_be_asked_is_MSG00020(  # noqa: N802 - the code as it is written
    open_own_world: OpenWorld, operation: str, period: Any
) -> None:
    fields = (("socialInsuranceFund", "003"), ("quarters", "2017Q1"))
    world = open_own_world(repository=RaisingRepository(SourceUnavailable("out", fields)))
    assert_told(world.ask(KNOWN, operation=operation, period=period), "NO_RESULT", "MSG00020", *fields)


@pytest.mark.parametrize(("operation", "period"), [("consultCareer", None), ("consultContributions", QUARTERS)])
def test_a_source_that_answers_badly_is_MSG00023(  # noqa: N802 - the code as it is written
    open_own_world: OpenWorld, operation: str, period: Any
) -> None:
    fields = (("details", "a quarter that is none"),)
    world = open_own_world(repository=RaisingRepository(SourceAnswerInvalid("bad", fields)))
    assert_told(world.ask(KNOWN, operation=operation, period=period), "NO_RESULT", "MSG00023", *fields)


def test_a_source_that_breaks_off_is_a_signed_fault_MSG00002(  # noqa: N802 - the code as it is written
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world(repository=RaisingRepository(SourceCommunicationFailed("reset")))
    reply = world.ask(KNOWN, ticket="mine")
    assert reply.outcome == ("fault", "MSG00002")
    assert (reply.status, reply.faultcode) == ("500 Internal Server Error", "soapenv:Server")
    assert "Body" in signed_names(reply, world.own_identity)
    assert reply.detail is not None
    assert_valid(reply.detail)
    assert reply.detail.findtext("informationCustomer/ticket") == "mine"
    assert world.records()[-1]["code"] == "MSG00002"


def test_a_new_annex_is_obeyed_from_its_activation_on(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    document = files("fixtures").joinpath("annexes/pcsa.yaml").read_text("utf-8")
    head, contributions = document.split("operation: consultContributions")
    narrower = contributions.replace("{ required: false }", "{ required: false, maxYearsBack: 5 }")
    assert narrower != contributions
    now = world.clock()
    activate(
        open_approvals(world.gateway.storage),
        f"{head}operation: consultContributions{narrower}",
        now=now,
        active_from=now + timedelta(seconds=10),
    )
    world.gateway.annexes.refresh()

    def ask() -> Reply:
        return world.ask(KNOWN, operation="consultContributions", period=QUARTERS)

    before = ask()
    world.clock.advance(seconds=10)
    after = ask()
    assert before.outcome == ("DATA_FOUND", "MSG00000")
    assert after.outcome == ("NO_RESULT", "MSG00027")
    assert [name for name, _ in after.information] == ["parameter"]
    first, second = world.records()
    assert first["annex_revision"] != second["annex_revision"]


# Requests that fail two neighbouring checks at once, and what they are told.
PAIRS: dict[str, tuple[str, Callable[[World], Reply]]] = {
    "MSG00014 before MSG00013": ("MSG00014", lambda w: w.ask(KNOWN, customer=THEIRS, legal_context=DEBTS)),
    "MSG00014 before MSG00012": ("MSG00014", lambda w: w.ask("89612293522", customer=THEIRS)),
    "MSG00013 before MSG00027": ("MSG00013", lambda w: w.ask(KNOWN, "economy", legal_context=DEBTS, period=LONG_AGO)),
    "MSG00027 before MSG00011": ("MSG00027", lambda w: w.ask("76660793343", "economy", period=LONG_AGO)),
    "MSG00011 before MSG00005": ("MSG00011", lambda w: w.ask("76660793343")),
    "MSG00005 before MSG00012": ("MSG00005", lambda w: w.ask("76660693273")),
    "MSG00012 before MSG00006": ("MSG00012", lambda w: w.ask("79443193010")),
    "MSG00012 before MSG00007": ("MSG00012", lambda w: w.ask("80622993122", "integrator")),
    "MSG00012 before MSG00009": ("MSG00012", lambda w: w.ask("43711193439", "integrator")),
    "MSG00012 before MSG00021": ("MSG00012", lambda w: w.ask("94642493786", "integrator")),
    "MSG00012 before SES00300": ("MSG00012", lambda w: w.ask("89612293522", period=WRONG_PERIOD)),
    "MSG00009 before SES00300": ("MSG00009", lambda w: w.ask("43711193439", period=WRONG_PERIOD)),
    "MSG00021 before SES00300": ("MSG00021", lambda w: w.ask("94642493786", period=WRONG_PERIOD)),
    "SES00300 before SES00200": ("SES00300", lambda w: w.ask("87652591337", period=WRONG_PERIOD)),
    "SES00600 before SES00300": (
        "SES00600",
        lambda w: w.ask("95650594297", "integrator", customer=OTHER, period=WRONG_PERIOD),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_the_first_check_in_order_decides(world: World, pair: str) -> None:
    code, ask = PAIRS[pair]
    reply = ask(world)
    assert reply.outcome[1] == code
    assert_valid(reply.payload)


@pytest.fixture
def afflicted_world(open_own_world: OpenWorld) -> World:
    """A world with persons to whom several things happened at once, in the file of the PCSA."""
    world = open_own_world(repository=RaisingRepository(SourceUnavailable("out")))
    gone = date(2020, 1, 1)
    rows = [
        {"ssin": "75631290275", "replaced_by": KNOWN, "cancelled": True, "deceased_on": gone},
        {"ssin": "75631290374", "replaced_by": None, "cancelled": True, "deceased_on": gone},
        {"ssin": "75631290473", "replaced_by": None, "cancelled": False, "deceased_on": gone},
        {"ssin": "75631290572", "replaced_by": None, "cancelled": False, "deceased_on": None},
        {"ssin": "75631290671", "replaced_by": None, "cancelled": False, "deceased_on": None},
    ]
    files_of = [
        {"ssin": row["ssin"], "organisation": f"cbe:{number}", "context": "PCSA:FILE", "begin_date": date(1970, 1, 1)}
        for row in rows
        for number in ("0999900150", "0999900546")
    ]
    at_supplier = {"ssin": "75631290671", "organisation": "cbe:0208044709", "context": "RSVZ:INSURED"}
    with world.gateway.storage.database.write() as connection:
        connection.execute(insert(persons), rows)
        connection.execute(insert(inscriptions), [*files_of, at_supplier | {"begin_date": date(1970, 1, 1)}])
    return world


def test_of_several_afflictions_the_first_in_order_is_told(afflicted_world: World) -> None:
    told = [
        afflicted_world.ask(ssin, **more).outcome[1]
        for ssin, more in (
            ("75631290275", {}),  # Replaced, cancelled, deceased, unknown to the supplier.
            ("75631290374", {}),  # Cancelled, deceased, unknown to the supplier.
            ("75631290473", {}),  # Deceased, unknown to the supplier.
            ("75631290572", {}),  # Unknown to the supplier, and the source is out.
            ("75631290671", {"period": WRONG_PERIOD}),  # The period is wrong and the source is out.
            ("75631290671", {}),  # The source is out.
        )
    ]
    assert told == ["MSG00006", "MSG00007", "MSG00009", "MSG00021", "SES00300", "MSG00020"]


def test_nothing_of_a_person_is_told_to_a_client_that_does_not_have_the_person(world: World) -> None:
    """A successor, a death or a cancellation must not leak through MSG00012."""
    for ssin in ("79443193010", "80622993122", "43711193439"):
        reply = world.ask(ssin, "integrator")
        assert reply.outcome == ("NO_RESULT", "MSG00012")
        assert [name for name, _ in reply.information] == ["details", "ssin", "cbeNumber"]
        told = reply.content.decode()
        assert "89612293522" not in told
        assert "2021-04-01" not in told
        assert reply.payload.find("ssin") is None


def test_a_replaced_number_is_answered_with_its_successor(world: World) -> None:
    reply = world.ask(PERSONAS["replaced"].ssin)
    successor = PERSONAS["successor"].ssin
    assert_told(reply, "NO_RESULT", "MSG00006", ("newSSIN", successor))
    ssin = reply.payload.find("ssin")
    assert ssin is not None
    assert (ssin.text, dict(ssin.attrib)) == (
        successor,
        {"canceled": "false", "replaces": PERSONAS["replaced"].ssin},
    )


def test_production_refuses_a_synthetic_number(open_own_world: OpenWorld) -> None:
    world = open_own_world(environment="production")
    assert world.ask(KNOWN).outcome == ("NO_RESULT", "MSG00011")


def test_a_certificate_that_is_not_yet_valid_names_nobody(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.advance(hours=-3)
    assert world.ask(KNOWN).outcome == ("fault", "wsse:InvalidSecurityToken")
