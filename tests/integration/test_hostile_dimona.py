"""Dimona criteria of any form, signed by clients: each gets a valid reply or a fault, and nobody else's data."""

from html import escape
from typing import Any

import pytest
from gateway_world import CUSTOMERS, DIMONA, DIMONA_PATH, SHAPES, OpenWorld, Reply, World, assert_valid
from hypothesis import example, given
from hypothesis import strategies as st
from test_hostile_criteria import BOUNDED, CATALOGUE, days, ssins, texts

from fixtures.employers import get_employer
from services.employer_numbers import complete_nsso_number

BREWERY = get_employer("brewery")
OWN = {"nssoRegistrationNumber": BREWERY.registration_number}

digits = st.one_of(
    st.from_regex(r"[0-9]{10}", fullmatch=True),
    st.from_regex(r"0[0-9]{7}", fullmatch=True).map(complete_nsso_number),
    texts,
)
employers = st.just(OWN) | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("nssoRegistrationNumber", "nssoPpoRegistrationNumber", "enterpriseNumber"), digits),
)
names = st.fixed_dictionaries({"name": texts, "firstName": texts}, optional={"birthDate": days})
workers = st.fixed_dictionaries({"ssin": ssins}) | names
periods = st.fixed_dictionaries({"beginDate": days}, optional={"endDate": days})
types = st.sampled_from(["OTH", "STU", "STX", "ZZZ"]) | texts
committees = st.sampled_from(["118", "140.01", "XXX"]) | texts
hours = st.sampled_from(["00:00", "23:59", "24:00"]) | texts
planned = st.integers(-1, 10**20).map(str)
searches = st.fixed_dictionaries(
    {},
    optional={
        "worker": workers,
        "employer": employers,
        "period": periods,
        "event": st.sampled_from(["STARTED", "ENDED"]) | texts,
        "workerType": st.lists(types, min_size=1, max_size=3),
        "jointCommittee": st.lists(committees, min_size=1, max_size=3),
        "usingCompany": digits,
        "includeCancelled": st.sampled_from(["true", "0", "maybe"]),
        "next": texts,
    },
)
declared = st.fixed_dictionaries(
    {
        "in": st.fixed_dictionaries(
            {
                "worker": st.fixed_dictionaries({"ssin": ssins}),
                "features": st.fixed_dictionaries({"workerType": types, "jointCommittee": committees}),
                "startingDate": days,
            },
            optional={"startingHour": hours, "endingDate": days, "endingHour": hours, "plannedHours": planned},
        )
    }
)
changed = st.fixed_dictionaries(
    {
        "update": st.fixed_dictionaries(
            {"dimonaPeriodId": st.from_regex(r"[0-9]{12}", fullmatch=True) | texts},
            optional={"ssin": ssins, "startingDate": days, "endingDate": days, "plannedDays": planned},
        )
    }
)


def write(value: Any, name: str) -> str:
    """Return an element as it is, valid or not; a list is written once for each item."""
    if isinstance(value, list):
        return "".join(write(each, name) for each in value)
    inner = "".join(write(each, child) for child, each in value.items()) if isinstance(value, dict) else escape(value)
    return f"<{name}>{inner}</{name}>"


def ask(world: World, operation: str, client: str, customer: dict[str, str], context: str, criteria: Any) -> Reply:
    head = {"informationCustomer": {"ticket": f"hostile-{world.clock()}"[:36], "customerIdentification": customer}}
    inner = "".join(write(value, name) for name, value in (head | {"legalContext": context}).items())
    payload = f'<d:{operation}Request xmlns:d="{DIMONA}">{inner}{write(criteria, "criteria")}</d:{operation}Request>'
    return world.post(world.sign(payload, client, SHAPES.get(client)), DIMONA_PATH)


def assert_answered(reply: Reply) -> None:
    code = reply.outcome[1]
    assert code in CATALOGUE
    assert code not in ("MSG00001", "MSG00003")
    assert reply.is_signed
    if reply.is_fault:
        assert (code, reply.status[:3]) == ("MSG00004", "500")
        assert reply.detail is not None
        assert_valid(reply.detail)
        return
    assert_valid(reply.payload)


@pytest.fixture
def own_world(open_own_world: OpenWorld) -> World:
    return open_own_world()


@BOUNDED
@given(criteria=searches)
@example({"worker": {"ssin": "80641095104"}, "period": {"beginDate": "0001-01-01", "endDate": "9999-12-31"}})
@example({"employer": OWN, "period": {"beginDate": "9999-12-31-14:00"}, "event": "ENDED"})
def test_any_search_for_periods_is_answered(world: World, criteria: Any) -> None:
    customer = {"cbeNumber": "0999910345"}
    reply = ask(world, "consultPeriods", "pensions", customer, "PENSIONS:CAREER", criteria)
    assert_answered(reply)
    asked = criteria.get("worker", {}).get("ssin")
    told = {each.text for each in reply.payload.iterfind("employmentPeriods/employmentPeriod/worker/ssin")}
    assert asked is None or told <= {asked}


@BOUNDED
@given(ssin=st.lists(ssins, min_size=1, max_size=3), employer=employers, period=periods)
def test_any_check_is_answered(world: World, ssin: list[str], employer: Any, period: Any) -> None:
    criteria = {"worker": {"ssin": ssin}, "employer": employer, "period": period}
    customer = {str(name): str(value) for name, value in CUSTOMERS["inspection"].items()}
    world.clock.advance(seconds=3)
    assert_answered(ask(world, "checkEmployment", "inspection", customer, "PPSSI:SOCIAL_FRAUD", criteria))


@BOUNDED
@given(declarations=st.lists(declared | changed, min_size=1, max_size=3), employer=employers)
@example([{"in": {"worker": {"ssin": "80641095104"}, "features": {"workerType": "OTH", "jointCommittee": "118"},
                  "startingDate": "0001-01-01", "endingDate": "9999-12-31"}}], OWN)  # fmt: skip
@example([{"update": {"dimonaPeriodId": "100000000135", "startingDate": "9999-12-31", "plannedDays": "9999"}}], OWN)
def test_any_declaration_is_answered(own_world: World, declarations: Any, employer: Any) -> None:
    criteria = {"employer": employer, "declaration": declarations}
    customer = {"cbeNumber": str(BREWERY.enterprise_number)}
    reply = ask(own_world, "submitDeclarations", "brewery", customer, "NSSO:EMPLOYER_DECLARATION", criteria)
    assert_answered(reply)
    if reply.outcome[1] == "MSG00000":
        assert employer == OWN or BREWERY.enterprise_number in employer.values()
        assert len(reply.payload.findall("declarationResults/declarationResult")) == len(declarations)
