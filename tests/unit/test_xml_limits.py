"""What a message may cost is bounded before it is canonicalised: each bound fires by itself, honest messages pass."""

from dataclasses import replace

import pytest

from fixtures.messages import SOAP
from gateway.xml.parse import Unparsable, XmlLimits, parse_message

ROOMY = XmlLimits(elements=10**6, attributes=10**6, namespaces=10**6, lookups=10**9, depth=200, text=10**6)


def soap(content: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a>{content}</a></s:Body></s:Envelope>'.encode()


EXCESSES = {
    "depth": (soap("<b>" * 30 + "</b>" * 30), replace(ROOMY, depth=32), "too deeply; at most 32"),
    "text": (soap("x" * 1000), replace(ROOMY, text=999), "more than 999 bytes in one text or tag"),
    "tag": (soap(f'<b c="{"x" * 1000}"/>'), replace(ROOMY, text=999), "more than 999 bytes in one text or tag"),
    "lookups": (
        soap("".join(f'<b xmlns="u:{number}"/>' for number in range(10))),
        replace(ROOMY, lookups=175),
        "too many namespace declarations for its many tags",
    ),
}


@pytest.mark.parametrize("name", EXCESSES)
def test_each_bound_fires_by_itself(name: str) -> None:
    data, limits, reason = EXCESSES[name]
    assert parse_message(data, ROOMY).payload.tag == "a"
    with pytest.raises(Unparsable, match=reason) as refusal:
        parse_message(data, limits)
    assert refusal.value.code == "GTW00014"


def test_a_message_at_its_bounds_is_read() -> None:
    assert parse_message(soap("<b>" * 29 + "</b>" * 29), replace(ROOMY, depth=32)).payload.tag == "a"
    assert parse_message(soap("x" * 1000), replace(ROOMY, text=1003)).payload.tag == "a"
    data = soap("".join(f'<b xmlns="u:{number}"/>' for number in range(10)))
    assert parse_message(data, replace(ROOMY, lookups=176)).payload.tag == "a"


def test_a_long_honest_message_is_read() -> None:
    """Hundreds of declarations of ten elements each, of a client that declares its namespace on every one."""
    one = '<d xmlns="">' + "".join(f"<e{number}>value {number}</e{number}>" for number in range(10)) + "</d>"
    assert len(parse_message(soap(one * 110), XmlLimits()).payload) == 110
    plain = one.replace(' xmlns=""', "")
    assert len(parse_message(soap(plain * 450), XmlLimits()).payload) == 450
