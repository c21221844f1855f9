"""Criteria of any form, signed by a client: each gets a valid reply or a fault, and nobody else's data."""

from html import escape
from typing import Any

from gateway_world import CONTEXTS, CUSTOMERS, Reply, World, assert_valid, request_xml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from authz.ssin import with_check_digits
from fixtures.personas import load_personas
from gateway.catalogue import load_catalogue

CATALOGUE = load_catalogue()
SSINS = [persona.ssin for persona in load_personas()]
BOUNDED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# What XML 1.0 can hold.
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40
)
numbers = st.builds(with_check_digits, st.from_regex(r"[0-9]{9}", fullmatch=True), st.booleans())
ssins = st.one_of(st.sampled_from(SSINS), numbers, st.from_regex(r"\d{11}", fullmatch=True), texts)
days = st.one_of(
    st.dates().map(str),
    st.from_regex(r"-?[0-9]{4,5}-[0-9]{2}-[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?", fullmatch=True),
    texts,
)
quarters = st.one_of(
    st.builds("{:04}Q{}".format, st.integers(0, 9999), st.integers(0, 5)),
    st.from_regex(r"\d{4}Q\d", fullmatch=True),
    texts,
)
contexts = st.one_of(st.sampled_from(sorted(set(CONTEXTS.values()))), texts)
customers = st.one_of(
    st.sampled_from(list(CUSTOMERS.values())),
    st.fixed_dictionaries({"cbeNumber": st.from_regex(r"\d{10}", fullmatch=True)}),
    st.fixed_dictionaries({"sector": st.integers(-1, 10**20), "institution": st.integers(-1, 10**20)}),
)


def ask(world: World, operation: str, ssin: str, customer: Any, context: str, period: dict[str, str] | None) -> Reply:
    payload = request_xml(
        operation,
        escape(ssin),
        {name: escape(str(value)) for name, value in customer.items()},
        escape(context),
        {name: escape(value) for name, value in period.items()} if period else None,
    )
    return world.post(world.sign(payload))


def assert_answered(reply: Reply, ssin: str, customer: Any) -> None:
    value, code = reply.outcome
    assert code in CATALOGUE
    assert code not in ("MSG00001", "MSG00003")
    assert reply.is_signed
    if reply.is_fault:
        assert (code, reply.status[:3]) == ("MSG00004", "500")
        assert reply.detail is not None
        assert_valid(reply.detail)
        return
    assert_valid(reply.payload)
    assert reply.payload.findtext("criteria/ssin") == ssin
    if value != "NO_RESULT":
        assert customer == CUSTOMERS["pcsa"]
        assert ssin in SSINS


@BOUNDED
@given(ssin=ssins, customer=customers, context=contexts, begin=days, end=st.none() | days)
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "0001-01-01", "9999-12-31")
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "9999-12-31-14:00", None)
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "0000-01-01", None)
@example(SSINS[0], {"sector": 2**31, "institution": 10**19}, CONTEXTS["pcsa"], "2015-01-01", None)
def test_any_career_criteria_are_answered(
    world: World, ssin: str, customer: Any, context: str, begin: str, end: str | None
) -> None:
    period = {"beginDate": begin} | ({} if end is None else {"endDate": end})
    assert_answered(ask(world, "consultCareer", ssin, customer, context, period), ssin, customer)


@BOUNDED
@given(ssin=ssins, customer=customers, context=contexts, begin=quarters, end=st.none() | quarters)
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "0001Q1", "9999Q4")
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "0000Q1", None)
@example(SSINS[0], CUSTOMERS["pcsa"], CONTEXTS["pcsa"], "\u0662\u0660\u0661\u0665Q1", None)
def test_any_contributions_criteria_are_answered(
    world: World, ssin: str, customer: Any, context: str, begin: str, end: str | None
) -> None:
    period = {"beginQuarter": begin} | ({} if end is None else {"endQuarter": end})
    assert_answered(ask(world, "consultContributions", ssin, customer, context, period), ssin, customer)


@BOUNDED
@given(ssin=st.sampled_from(SSINS), begin=st.dates(), end=st.dates())
def test_any_period_of_a_known_person_is_answered(world: World, ssin: str, begin: Any, end: Any) -> None:
    """The criteria are well-formed, so no fault but a decision, or the source's answer."""
    period = {"beginDate": str(begin), "endDate": str(end)}
    reply = ask(world, "consultCareer", ssin, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], period)
    assert not reply.is_fault
    assert_answered(reply, ssin, CUSTOMERS["pcsa"])
