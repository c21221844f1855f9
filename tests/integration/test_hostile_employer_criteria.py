"""Criteria of any form to the repertory: each gets a valid reply or a fault, and never a natural person."""

from html import escape
from typing import Any

from gateway_world import EMPLOYER_REPERTORY, EMPLOYER_REPERTORY_PATH, World, assert_valid
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures.employers import load_employers
from gateway.catalogue import load_catalogue
from services.employer_numbers import complete_nsso_number

CATALOGUE = load_catalogue()
EMPLOYERS = load_employers()
LEGAL = {employer.registration_number for employer in EMPLOYERS if not employer.natural_person}
BOUNDED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=80
)
numbers = st.one_of(
    st.sampled_from([employer.registration_number for employer in EMPLOYERS]),
    st.sampled_from([employer.enterprise_number for employer in EMPLOYERS if employer.enterprise_number]),
    st.builds(complete_nsso_number, st.from_regex(r"0[0-9]{7}", fullmatch=True)),
    st.from_regex(r"\d{10}", fullmatch=True),
    texts,
)
names = st.sampled_from(["nssoRegistrationNumber", "nssoPpoRegistrationNumber", "enterpriseNumber", "name", "ssin"])
criteria = st.lists(st.tuples(names, numbers), min_size=0, max_size=3)


@BOUNDED
@given(given_criteria=criteria, user=st.none() | texts)
@example([("enterpriseNumber", "0999930240")], "U' OR '1'='1")
@example([("enterpriseNumber", "0999930240")], None)
@example([("nssoRegistrationNumber", "0999930240' OR '1'='1")], None)
@example([("enterpriseNumber", "\u0660999930240")], "0999930240-U2")
@example([("enterpriseNumber", "0000000097")], "")
def test_any_criteria_are_answered(world: World, given_criteria: list[tuple[str, str]], user: str | None) -> None:
    elements = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in given_criteria)
    if user is not None:
        elements += f"<onBehalfOf>{escape(user)}</onBehalfOf>"
    payload = (
        f'<v1:consultEmployerRequest xmlns:v1="{EMPLOYER_REPERTORY}"><informationCustomer><customerIdentification>'
        "<cbeNumber>0999912028</cbeNumber></customerIdentification></informationCustomer>"
        "<legalContext>FRONTOFFICE:EMPLOYMENT_MEASURES</legalContext>"
        f"<criteria>{elements}</criteria></v1:consultEmployerRequest>"
    )
    reply: Any = world.post(world.sign(payload, "front-office"), EMPLOYER_REPERTORY_PATH)
    value, code = reply.outcome
    assert code in CATALOGUE
    assert reply.is_signed
    if reply.is_fault:
        assert (code, reply.status[:3]) == ("MSG00004", "500")
        assert reply.detail is not None
        assert_valid(reply.detail)
        return
    assert code in ("MSG00000", "MSG00100", "MSG00008", "MSG00015", "MSG00016")
    assert_valid(reply.payload)
    told = {each.text for each in reply.payload.iter("registrationNumber")}
    assert told <= LEGAL
    assert bool(told) == (value == "DATA_FOUND")
