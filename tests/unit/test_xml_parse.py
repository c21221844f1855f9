"""Bytes from a stranger become one SOAP 1.1 Envelope, or a reason that repeats nothing of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.xml.namespaces import SOAP
from gateway.xml.parse import SoapMessage, Unparsable, XmlLimits, headers_to_understand, parse_message

LIMITS = XmlLimits(elements=40, attributes=20, namespaces=5)


def soap(body: str = "<s:Body><a/></s:Body>", header: str = "") -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}">{header}{body}</s:Envelope>'.encode()


def parse(data: bytes) -> SoapMessage:
    return parse_message(data, LIMITS)


def code_of(data: bytes) -> str:
    with pytest.raises(Unparsable) as refusal:
        parse(data)
    return refusal.value.code


def test_the_parts_of_an_envelope_are_found() -> None:
    message = parse(soap(header="<s:Header><h/></s:Header>"))
    assert message.header is not None
    assert (message.header[0].tag, message.payload.tag) == ("h", "a")
    assert message.payload.getparent() is message.body
    assert message.body.getparent() is message.envelope


def test_a_header_may_be_left_out() -> None:
    assert parse(soap()).header is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"\xef\xbb\xbf",
        b"<a>",
        b"<a></b>",
        soap() + b"<a/>",
        soap() + b"text",
        soap("<s:Body><x:a/></s:Body>"),
        soap("<s:Body><a b='1' b='2'/></s:Body>"),
        soap("<s:Body><a>&amp</a></s:Body>"),
        soap("<s:Body><a>&#0;</a></s:Body>"),
        soap("<s:Body><a>&nbsp;</a></s:Body>"),
        soap("<s:Body><a>\x01</a></s:Body>"),
        b"<!DOCTYPE s:Envelope>" + soap(),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + soap("<s:Body><a>&b;</a></s:Body>"),
        b"<?pi?>" + soap(),
        b"<?xml-stylesheet href='a'?>" + soap(),
        b"<?xml version='1.0'?><?pi?>" + soap(),
        soap("<s:Body><a/><?pi?></s:Body>"),
        b"\n<?xml version='1.0'?>" + soap(),
        b"<?xml version='1.0' encoding='ISO-8859-1'?>" + soap(),
        b"<?xml version='1.0' encoding='UTF-16'?>" + soap(),
        b"<?xml version='1.0' encoding='utf-7'?>" + soap(),
        b"<?xml version='1.0' encoding=''?>" + soap(),
        soap().decode().encode("utf-16"),
        soap().decode().encode("utf-32"),
        soap("<s:Body><a>é</a></s:Body>").decode().encode("latin-1"),
        soap("<s:Body><a>\ud800</a></s:Body>".encode("utf-8", "surrogatepass").decode("latin-1"))
        .decode()
        .encode("latin-1"),
    ],
)
def test_what_is_not_plain_utf8_xml_is_GTW00013(data: bytes) -> None:  # noqa: N802 - the code as it is written
    assert code_of(data) == "GTW00013"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (soap("<a/>" * 41), "tags"),
        (soap("<a " + " ".join(f'b{i}=""' for i in range(21)) + "/>"), "attributes"),
        (soap("<a " + " ".join(f'xmlns:b{i}="urn:b"' for i in range(5)) + "/>"), "namespace declarations"),
    ],
)
def test_what_costs_more_than_the_limits_is_GTW00014(data: bytes, what: str) -> None:  # noqa: N802 - as above
    with pytest.raises(Unparsable, match=f"{what}; at most") as refusal:
        parse(data)
    assert refusal.value.code == "GTW00014"


@pytest.mark.parametrize(
    "data",
    [
        b"<Envelope/>",
        soap(""),
        soap("<s:Body/>"),
        soap("<s:Body>text</s:Body>"),
        soap("<s:Body><a/>text</s:Body>"),
        soap("<s:Body><a/><a/></s:Body>"),
        soap("<s:Body><a/></s:Body><s:Body><a/></s:Body>"),
        soap("<s:Body><a/></s:Body><s:Header/>"),
        soap("<s:Body><a/></s:Body><more/>"),
        soap("<s:Body><a/></s:Body>", "<s:Header/><s:Header/>"),
        soap("<Body><a/></Body>"),
        soap().replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
    ],
)
def test_what_is_no_envelope_with_one_payload_is_GTW00015(data: bytes) -> None:  # noqa: N802 - as above
    assert code_of(data) == "GTW00015"


@pytest.mark.parametrize(
    "prefix",
    [
        b"",
        b"\xef\xbb\xbf",
        b'<?xml version="1.0"?>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n',
        b"<?xml\tversion='1.0'\nencoding = 'us-ascii' standalone='yes'?>",
        b"<!-- a comment --> ",
    ],
)
def test_the_usual_ways_to_begin_are_accepted(prefix: bytes) -> None:
    assert parse(prefix + soap()).payload.tag == "a"


def test_comments_and_sections_leave_one_text() -> None:
    payload = parse(soap("<s:Body><!-- x --><a>1<!-- 2 -->3<![CDATA[<4>]]></a></s:Body>")).payload
    assert (payload.text, len(payload)) == ("13<4>", 0)


def test_a_reason_repeats_nothing_of_the_message() -> None:
    with pytest.raises(Unparsable) as refusal:
        parse(soap("<s:Body><secret>75631290176</other></s:Body>"))
    assert "secret" not in refusal.value.reason
    assert "75631290176" not in refusal.value.reason
    assert "line 1" in refusal.value.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for candidate in (data, soap("<s:Body><a>") + data, b"<" + data):
        with pytest.raises(Unparsable):
            parse(candidate)


def header(blocks: str) -> etree._Element:
    return etree.fromstring(f'<s:Header xmlns:s="{SOAP}">{blocks}</s:Header>')


@pytest.mark.parametrize(
    ("attributes", "ours"),
    [
        ('s:mustUnderstand="1"', True),
        ('s:mustUnderstand="true"', True),
        ('s:mustUnderstand=" 1 "', True),
        ('s:mustUnderstand="1" s:actor=""', True),
        ('s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"', True),
        ('s:mustUnderstand="1" s:actor="urn:another"', False),
        ('s:mustUnderstand="0"', False),
        ('mustUnderstand="1"', False),
        ("", False),
    ],
)
def test_a_header_must_be_understood_if_it_is_marked_and_for_us(attributes: str, ours: bool) -> None:
    assert [block.tag for block in headers_to_understand(header(f"<a {attributes}/>"))] == ["a"] * ours


def test_without_a_header_nothing_must_be_understood() -> None:
    assert list(headers_to_understand(None)) == []
