"""The binding writes what exclusive C14N would, reads back what it wrote, and never raises anything but its own."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts import OperationContract, load_contracts
from gateway.xml.binding import (
    Unreadable,
    Unwritable,
    compile_reader,
    compile_writer,
    escape_attribute,
    escape_text,
)
from gateway.xml.lexical import reader_of, writer_of
from gateway.xml.model import ComplexType, Element, SimpleType

CONTRACTS = load_contracts()
OPERATIONS = {
    operation.descriptor.name: operation
    for service in CONTRACTS.services.values()
    for operation in service.operations.values()
}
MESSAGES = {
    f"{name}{kind}": (operation.service.namespace, getattr(operation, kind.lower()))
    for name, operation in OPERATIONS.items()
    for kind in ("Request", "Response")
}
# Every character that XML 1.0 can hold, the awkward ones often.
TEXTS = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\r\n\t ]\u0085\u2028\ue000\ufffd\U0001f600é"),
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    ),
    max_size=30,
)
# Each stays inside the calendar when it is converted to UTC.
MOMENTS = st.builds(
    datetime.combine,
    st.dates(date(1, 1, 2), date(9999, 12, 30)),
    st.times(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11.5))])),
)
SIMPLE: Mapping[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "date": st.dates(),
    "dateTime": MOMENTS,
    "boolean": st.booleans(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=4),
}


def values_of(element: Element) -> st.SearchStrategy[Any]:
    """Draw values of any element of the model; what is optional is sometimes left out."""
    kind = element.type
    if isinstance(kind, SimpleType):
        return SIMPLE.get(kind.builtin, st.integers(0, 999))
    if kind.text is not None:
        attributes = {f"@{name}": SIMPLE.get(simple.builtin, st.integers(0, 999)) for name, simple in kind.attributes}
        return st.fixed_dictionaries({"#text": SIMPLE[kind.text.builtin]}, optional=attributes)
    required = {child.name: _occurring(child) for child in kind.elements if not child.optional}
    optional = {child.name: _occurring(child) for child in kind.elements if child.optional}
    return st.fixed_dictionaries(required, optional=optional)


def _occurring(child: Element) -> st.SearchStrategy[Any]:
    return st.lists(values_of(child), min_size=1, max_size=3) if child.many else values_of(child)


def canonical(text: str) -> str:
    return etree.tostring(etree.fromstring(text.encode()), method="c14n", exclusive=True, with_comments=False).decode()


@pytest.mark.parametrize("message", MESSAGES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_is_written_is_canonical_and_is_read_back(message: str, data: st.DataObject) -> None:
    namespace, element = MESSAGES[message]
    values = data.draw(values_of(element))
    text = compile_writer(element, namespace, "ns")(values)
    assert text == canonical(text)
    assert compile_reader(element)(etree.fromstring(text.encode())) == values


def sample(operation: OperationContract) -> dict[str, Any]:
    now = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
    return {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999900150"}},
        "informationCBSS": {"ticketCBSS": "t", "timestampReceive": now, "timestampReply": now},
        "legalContext": "A:B",
        "criteria": {"ssin": "75631290176"},
        "status": {"value": "NO_RESULT", "code": "C", "information": [{"fieldName": "a", "fieldValue": "b"}]},
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("more",), "x"),
        (("status", "more"), "x"),
        (("status", "information", 0, "more"), "x"),
        (("criteria", "period"), {"begin": date(2020, 1, 1)}),
        (("Status",), {}),
    ],
)
def test_a_name_that_the_contract_does_not_have_is_not_written(path: tuple[Any, ...], value: Any) -> None:
    operation = OPERATIONS["consultCareer"]
    values = sample(operation)
    assert operation.write_response(values)
    at: Any = values
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(Unwritable):
        operation.write_response(values)


def test_elements_are_written_in_the_contracts_order_and_none_is_left_out() -> None:
    operation = OPERATIONS["consultCareer"]
    values = sample(operation)
    backwards = dict(reversed(values.items()))
    assert operation.write_response(backwards) == operation.write_response(values)
    without = {**values, "ssin": None}
    assert operation.write_response(without) == operation.write_response(values)


def test_attributes_are_written_in_canonical_order() -> None:
    operation = OPERATIONS["consultCareer"]
    ssin = {"@replaces": "b", "#text": "a", "@canceled": False}
    text = operation.write_response(sample(operation) | {"ssin": ssin})
    assert '<ssin canceled="false" replaces="b">a</ssin>' in text


@given(TEXTS)
def test_escaping_is_that_of_canonical_xml(text: str) -> None:
    written = f'<a b="{escape_attribute(text)}">{escape_text(text)}</a>'
    assert written == canonical(written)
    element = etree.fromstring(written.encode())
    assert (element.text or "", element.get("b")) == (text, text)


def request(content: str, operation: str = "consultCareer") -> etree._Element:
    namespace = OPERATIONS[operation].service.namespace
    return etree.fromstring(f'<v:{operation}Request xmlns:v="{namespace}">{content}</v:{operation}Request>')


def test_an_element_that_the_type_does_not_have_is_unreadable() -> None:
    with pytest.raises(Unreadable) as refusal:
        OPERATIONS["consultCareer"].read_request(request("<criteria><ssin>1</ssin><more/></criteria>"))
    assert refusal.value.path == "consultCareerRequest/criteria"
    assert "more" not in str(refusal.value)


@pytest.mark.parametrize(
    "day",
    ["12015-01-01", "-0001-01-01", "0000-01-01", "2015-01-01x", "2015-13-01", "", "2015", "20150101Z", "99999-01-01"],
)
def test_a_date_outside_the_calendar_is_unreadable(day: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        OPERATIONS["consultCareer"].read_request(
            request(f"<criteria><period><beginDate>{day}</beginDate></period></criteria>")
        )
    assert refusal.value.path == "consultCareerRequest/criteria/period/beginDate"


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+00:01",
        "0001-01-01T13:59:59+14:00",
        "9999-12-31T23:59:59-00:01",
        "2015-01-01T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "12015-01-01T00:00:00",
        "-2015-01-01T00:00:00Z",
        "",
    ],
)
def test_a_moment_outside_the_calendar_is_unreadable(moment: str) -> None:
    """What is read can be written again: an echo must never fail."""
    with pytest.raises(Unreadable):
        OPERATIONS["consultCareer"].read_request(
            request(f"<informationCustomer><timestampSent>{moment}</timestampSent></informationCustomer>")
        )


@pytest.mark.parametrize(
    ("builtin", "text", "value"),
    [
        ("date", "2015-02-28", date(2015, 2, 28)),
        ("date", "2015-02-28Z", date(2015, 2, 28)),
        ("date", "2015-02-28+14:00", date(2015, 2, 28)),
        ("date", "\n2015-02-28-11:00 ", date(2015, 2, 28)),
        ("dateTime", "2015-02-28T10:00:00.5+01:00", datetime(2015, 2, 28, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("dateTime", " 2015-02-28T10:00:00Z\n", datetime(2015, 2, 28, 10, tzinfo=UTC)),
        ("boolean", "1", True),
        ("boolean", " false ", False),
        ("unsignedShort", " +007 ", 7),
        ("decimal", " 1.50 ", Decimal("1.50")),
        ("string", "  a ", "  a "),
    ],
)
def test_lexical_forms_are_read(builtin: str, text: str, value: Any) -> None:
    assert reader_of(builtin)(text) == value


@pytest.mark.parametrize(
    ("builtin", "value", "text"),
    [
        ("date", date(1, 1, 1), "0001-01-01"),
        ("date", "2020-02-30", "2020-02-30"),  # As a stored document has it; the validation of the reply refuses it.
        ("dateTime", datetime(2015, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=2))), "2015-06-01T10:00:00.000Z"),
        ("dateTime", datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
        ("dateTime", datetime(2015, 6, 1, 12, 0, 0, 1, tzinfo=UTC), "2015-06-01T12:00:00.000001Z"),
        ("boolean", True, "true"),
        ("decimal", Decimal("1E+3"), "1000"),
        ("unsignedLong", 2**64 - 1, "18446744073709551615"),
    ],
)
def test_values_are_written_in_their_lexical_form(builtin: str, value: Any, text: str) -> None:
    assert writer_of(builtin)(value) == text


def test_every_simple_type_of_the_contracts_has_a_reader_and_a_writer() -> None:
    builtins = {
        leaf.builtin
        for operation in OPERATIONS.values()
        for message in (operation.request, operation.response)
        for _, element in message.paths()
        for leaf in _leaves(element)
    }
    assert builtins >= {"string", "date", "dateTime", "boolean"}
    for builtin in builtins:
        assert callable(reader_of(builtin))
        assert callable(writer_of(builtin))


def _leaves(element: Element) -> Iterator[SimpleType]:
    if isinstance(element.type, SimpleType):
        yield element.type
    elif element.type.text is not None:
        yield element.type.text
        yield from (simple for _, simple in element.type.attributes)


def test_a_root_without_children_cannot_be_a_message() -> None:
    with pytest.raises(Unwritable):
        compile_writer(Element("a", SimpleType("string"), optional=False, many=False, droppable=False), "urn:a", "a")
    assert compile_writer(
        Element("a", ComplexType((), (), None), optional=False, many=False, droppable=False), "urn:a", "a"
    )({}) == ('<a:a xmlns:a="urn:a"></a:a>')
