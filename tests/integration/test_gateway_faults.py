"""Broken messages and broken parts: each gets its own code, and only an admitted client gets a signature."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from gateway_world import (
    CONTEXTS,
    CUSTOMERS,
    OVER_TLS,
    PROXY,
    STARTED,
    TEST_CONNECTION_PATH,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    echo_xml,
    request_xml,
    signature_value,
    signed_names,
)
from sqlalchemy.exc import OperationalError

from fixtures.messages import SOAP, ZEEP, envelope
from fixtures.personas import load_personas
from gateway.annexes.registry import AnnexesUnavailable
from gateway.bootstrap import CannotStart, build_gateway
from gateway.catalogue import load_catalogue
from gateway.established import Established, Resolved, find
from gateway.refusal import Fault
from gateway.replies import Message, Replies
from gateway.storage.group_commit import CommitFailed
from services.consultation import SourceUnavailable
from services.self_employed.career import Affiliation, Career, Segment

SSIN = "75631290176"
BODY = request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"])
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
TYPES = 'xmlns:t="http://kszbcss.fgov.be/types/SelfEmployed/v2"'
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
CATALOGUE = load_catalogue()


def assert_fault(reply: Reply, code: str, *, signed: bool, http: int = 500) -> None:
    assert reply.outcome == ("fault", code)
    assert reply.status.startswith(f"{http} ")
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert reply.is_signed is signed
    assert code in CATALOGUE
    assert len(reply.faultstring) > len(code) + 20
    prefix, _, _ = reply.faultcode.partition(":")
    assert prefix in reply.payload.nsmap
    if reply.detail is not None:
        assert_valid(reply.detail)
        assert reply.detail.findtext("detail/reasonCode") == code


@dataclass(frozen=True)
class Case:
    """A request, what it must be told, and whether its sender had a right to a signature."""

    code: str
    send: Callable[[World], Reply]
    signed: bool = False
    http: int = 500


def raw(message: bytes, **environ: Any) -> Callable[[World], Reply]:
    return lambda world: world.post(message, **environ)


def honest(*, method: str = "POST", prefix: bytes = b"", headers: str = "", **environ: Any) -> Callable[[World], Reply]:
    return lambda world: world.post(prefix + world.sign(BODY, headers=headers), method=method, **environ)


def body(payload: str, **environ: Any) -> Callable[[World], Reply]:
    return lambda world: world.post(world.sign(payload), **environ)


def must_understand(*, actor: str = "", value: str = "1") -> str:
    addressed = f' s:actor="{actor}"' if actor else ""
    return f'<a:x xmlns:a="urn:a" xmlns:s="{SOAP}" s:mustUnderstand="{value}"{addressed}/>'


def within(content: str, head: str = "") -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}">{head}{content}</s:Envelope>'.encode()


CASES = {
    "GET": Case("GTW00010", honest(method="GET"), http=405),
    "PUT": Case("GTW00010", honest(method="PUT"), http=405),
    "no content type": Case("GTW00011", honest(CONTENT_TYPE=""), http=415),
    "SOAP 1.2 content type": Case("GTW00011", honest(CONTENT_TYPE="application/soap+xml"), http=415),
    "JSON": Case("GTW00011", honest(CONTENT_TYPE="application/json"), http=415),
    "multipart": Case("GTW00011", honest(CONTENT_TYPE='multipart/related; type="text/xml"'), http=415),
    "latin charset": Case("GTW00011", honest(CONTENT_TYPE="text/xml; charset=iso-8859-1"), http=415),
    "UTF-16 charset": Case("GTW00011", honest(CONTENT_TYPE="text/xml; charset=utf-16"), http=415),
    "gzip": Case("GTW00011", raw(gzip.compress(within("")), HTTP_CONTENT_ENCODING="gzip"), http=415),
    "too large": Case("GTW00012", raw(b"<" + b"a" * 262144), http=413),
    "too large, undeclared": Case("GTW00012", raw(b"<" + b"a" * 262144, CONTENT_LENGTH=""), http=413),
    "empty": Case("GTW00013", raw(b"")),
    "not XML": Case("GTW00013", raw(b"hello")),
    "cut off": Case("GTW00013", raw(within("")[:-3])),
    "document type": Case("GTW00013", honest(prefix=b"<!DOCTYPE a>")),
    "entity bomb": Case("GTW00013", honest(prefix=b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>')),
    "external entity": Case("GTW00013", honest(prefix=b'<!DOCTYPE a SYSTEM "file:///etc/passwd">')),
    "undeclared entity": Case("GTW00013", raw(within("<s:Body><a>&b;</a></s:Body>"))),
    "processing instruction": Case("GTW00013", raw(within("<s:Body><a/><?b c?></s:Body>"))),
    "style sheet": Case("GTW00013", honest(prefix=b'<?xml-stylesheet href="x"?>')),
    "UTF-16": Case("GTW00013", raw(within("<s:Body><a/></s:Body>").decode().encode("utf-16"))),
    "declared Latin-1": Case("GTW00013", honest(prefix=b'<?xml version="1.0" encoding="ISO-8859-1"?>')),
    "declared UTF-7": Case("GTW00013", honest(prefix=b"<?xml version='1.0' encoding='UTF-7'?>")),
    "bytes that are no UTF-8": Case("GTW00013", raw(within("<s:Body><a>\u00e9</a></s:Body>").replace(b"\xc3", b""))),
    "zero byte": Case("GTW00013", raw(within("<s:Body><a/></s:Body>") + b"\0")),
    "nested too deep": Case("GTW00013", raw(within("<a>" * 300 + "</a>" * 300))),
    "too many tags": Case("GTW00014", raw(within("<a/>" * 20_001))),
    "too many attributes": Case("GTW00014", raw(within("<a " + "".join(f'b{i}="" ' for i in range(5001)) + "/>"))),
    "too many namespaces": Case(
        "GTW00014", raw(within("<a " + "".join(f'xmlns:b{i}="urn:b" ' for i in range(501)) + "/>"))
    ),
    "no SOAP": Case("GTW00015", raw(b"<a/>")),
    "no Body": Case("GTW00015", raw(within("", "<s:Header/>"))),
    "empty Body": Case("GTW00015", raw(within("<s:Body/>"))),
    "text in the Body": Case("GTW00015", raw(within("<s:Body>a<b/></s:Body>"))),
    "two Bodies": Case("GTW00015", raw(within("<s:Body><a/></s:Body><s:Body><a/></s:Body>"))),
    "two payloads": Case("GTW00015", raw(within("<s:Body><a/><a/></s:Body>"))),
    "two Headers": Case("GTW00015", raw(within("<s:Header/><s:Header/><s:Body><a/></s:Body>"))),
    "SOAP 1.2": Case(
        "GTW00015",
        raw(within("<s:Body><a/></s:Body>").replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")),
    ),
    "unknown header": Case("GTW00018", honest(headers=must_understand())),
    "unknown header, true": Case("GTW00018", honest(headers=must_understand(value="true"))),
    "unknown header for the next": Case("GTW00018", honest(headers=must_understand(actor=NEXT))),
    "unsigned": Case("wsse:SecurityTokenUnavailable", raw(envelope(BODY))),
    "certificate in an untrusted header": Case(
        "wsse:SecurityTokenUnavailable",
        lambda world: world.post(
            envelope(BODY), **(world.handed_over("career-account") | {"REMOTE_ADDR": "198.51.100.1"})
        ),
    ),
    "certificate header that is no base64": Case(
        "wsse:SecurityTokenUnavailable", raw(envelope(BODY), REMOTE_ADDR=PROXY, HTTP_X_CLIENT_CERT="\u00e9")
    ),
    "certificate header that is no certificate": Case(
        "wsse:InvalidSecurityToken", raw(envelope(BODY), REMOTE_ADDR=PROXY, HTTP_X_CLIENT_CERT="AAAA")
    ),
    "TLS where the annex wants a signature": Case(
        "wsse:FailedAuthentication", lambda world: world.over_tls(BODY, "pcsa")
    ),
    "signature where the annex wants TLS": Case(
        "wsse:FailedAuthentication", lambda world: world.post(world.sign(BODY, "career-account"))
    ),
    "token unsigned where the annex wants it signed": Case(
        "wsse:InvalidSecurity", lambda world: world.post(world.sign(BODY, "inspection", ZEEP))
    ),
    "certificate that is bound in no annex": Case(
        "wsse:FailedAuthentication",
        lambda world: world.post(world.sign(BODY, "../gateway")),
    ),
    "unknown operation": Case("GTW00016", body('<a xmlns="urn:a"/>'), signed=True),
    "operation of another service": Case("GTW00016", body(echo_xml()), signed=True),
    "a reply sent as request": Case("GTW00016", body(BODY.replace("Request", "Response")), signed=True),
    "other endpoint": Case("GTW00016", honest(path=TEST_CONNECTION_PATH), signed=True),
    "SOAPAction of another operation": Case(
        "GTW00017",
        honest(HTTP_SOAPACTION='"http://kszbcss.fgov.be/SelfEmployedService/consultContributions"'),
        signed=True,
    ),
    "SOAPAction of nothing": Case("GTW00017", honest(HTTP_SOAPACTION="urn:a"), signed=True),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_message_gets_its_code(world: World, name: str) -> None:
    case = CASES[name]
    assert_fault(case.send(world), case.code, signed=case.signed, http=case.http)


def test_only_a_signer_whom_we_know_gets_a_certificate_error_of_its_own(world: World) -> None:
    """The gateway's own certificate is of the same authority, but may not act as a client."""
    reply = world.post(world.sign(BODY, "../gateway"))
    assert "annex" in reply.faultstring


def test_a_wrong_method_is_told_which_one_is_right(world: World) -> None:
    assert world.post(b"", method="DELETE").headers["Allow"] == "POST"


ACCEPTED = {
    "declared UTF-8": honest(prefix=b'<?xml version="1.0" encoding="utf-8"?>\n'),
    "declared ASCII": honest(prefix=b"<?xml version='1.0' encoding='US-ASCII' standalone='yes'?>"),
    "byte order mark": honest(prefix=b'\xef\xbb\xbf<?xml version="1.0"?>'),
    "no charset": honest(CONTENT_TYPE="text/xml"),
    "quoted charset": honest(CONTENT_TYPE='Text/XML; Charset="UTF-8"; action="x"'),
    "application/xml": honest(CONTENT_TYPE="application/xml"),
    "identity encoding": honest(HTTP_CONTENT_ENCODING="identity"),
    "no length": honest(CONTENT_LENGTH=""),
    "length that is no number": honest(CONTENT_LENGTH="\u00b2"),
    "SOAPAction": honest(HTTP_SOAPACTION='"http://kszbcss.fgov.be/SelfEmployedService/consultCareer"'),
    "empty SOAPAction": honest(HTTP_SOAPACTION='""'),
    "header for somebody else": honest(headers=must_understand(actor="urn:somebody")),
    "header that need not be understood": honest(headers=must_understand(value="0")),
    "default namespace": body(
        BODY.replace("v2:", "")
        .replace("xmlns:v2", "xmlns")
        .replace("<informationCustomer", '<informationCustomer xmlns=""')
        .replace("<legalContext", '<legalContext xmlns=""')
        .replace("<criteria", '<criteria xmlns=""')
    ),
    "its own type by xsi:type": body(
        BODY.replace("Request xmlns", f'Request {XSI} {TYPES} xsi:type="t:ConsultCareerRequestType" xmlns')
    ),
    "schema locations": body(
        BODY.replace("Request xmlns", f'Request {XSI} xsi:schemaLocation="urn:a file:///nowhere.xsd" xmlns')
    ),
    "the gateway's own information": body(
        BODY.replace(
            "<legalContext>",
            "<informationCBSS><ticketCBSS>00000000-0000-0000-0000-000000000000</ticketCBSS><timestampReceive>"
            "2015-01-01T00:00:00Z</timestampReceive><timestampReply>2015-01-01T00:00:00Z</timestampReply>"
            "</informationCBSS><legalContext>",
        )
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_clients_may_do_differently_is_accepted(world: World, name: str) -> None:
    reply = ACCEPTED[name](world)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert_valid(reply.payload)
    assert "00000000-0000-0000-0000-000000000000" not in reply.content.decode()


def changed(old: str, new: str) -> str:
    assert old in BODY
    return BODY.replace(old, new)


def with_period(period: str) -> str:
    return changed("</ssin>", f"</ssin><period>{period}</period>")


def with_sent(moment: str) -> str:
    return changed("<customerIdentification>", f"<timestampSent>{moment}</timestampSent><customerIdentification>")


BEGIN, SENT, CUSTOMER = "criteria/period/beginDate", "informationCustomer/timestampSent", "informationCustomer"
INVALID = {
    "short SSIN": (changed(SSIN, "123"), ["criteria/ssin"]),
    "SSIN of other digits": (changed(SSIN, "٧٥٦٣١٢٩٠١٧٦"), ["criteria/ssin"]),
    "SSIN in space": (changed(SSIN, f" {SSIN}"), ["criteria/ssin"]),
    "two SSINs": (changed("</ssin>", f"</ssin><ssin>{SSIN}</ssin>"), ["criteria/ssin[2]"]),
    "no criteria": (changed(f"<criteria><ssin>{SSIN}</ssin></criteria>", ""), ["consultCareerRequest"]),
    "unknown element": (changed("<criteria>", "<more/><criteria>"), ["more"]),
    "unknown attribute": (changed("<criteria>", '<criteria all="true">'), ["criteria"]),
    "text between elements": (changed("<criteria>", "<criteria>text"), ["criteria"]),
    "qualified child": (changed("<criteria>", "<v2:criteria>").replace("</criteria>", "</v2:criteria>"), ["criteria"]),
    "no legal context": (changed("<legalContext>PCSA:SOCIAL_INQUIRY</legalContext>", ""), ["criteria"]),
    "another type by xsi:type": (
        changed("Request xmlns", f'Request {XSI} {TYPES} xsi:type="t:ConsultContributionsRequestType" xmlns'),
        ["consultCareerRequest"],
    ),
    "nil": (changed("<ssin>", f'<ssin {XSI} xsi:nil="true">'), ["criteria/ssin"]),
    "three at once": (
        changed(SSIN, "123").replace("PCSA:", "!").replace("0999900150", "1"),
        [f"{CUSTOMER}/customerIdentification/cbeNumber", "legalContext", "criteria/ssin"],
    ),
    "long ticket": (changed("<customerId", f"<ticket>{'x' * 37}</ticket><customerId"), [f"{CUSTOMER}/ticket"]),
    "enormous legal context": (changed("PCSA:SOCIAL_INQUIRY", "a" * 20_000), ["legalContext"]),
    "enormous element name": (changed("<criteria>", f"<{'m' * 9000}/><criteria>"), ["m" * 64]),
    "year 12015": (with_period("<beginDate>12015-01-01</beginDate>"), [BEGIN]),
    "year before Christ": (with_period("<beginDate>-0001-01-01</beginDate>"), [BEGIN]),
    "no such day": (with_period("<beginDate>2015-02-30</beginDate>"), [BEGIN]),
    "date with time": (with_period("<beginDate>2015-01-01T00:00:00</beginDate>"), [BEGIN]),
    "moment before the calendar": (with_sent("0001-01-01T00:00:00+14:00"), [SENT]),
    "moment after the calendar": (with_sent("9999-12-31T23:59:59-14:00"), [SENT]),
    "hour 24": (with_sent("2015-01-01T24:00:00Z"), [SENT]),
    "moment of the year 12015": (with_sent("12015-01-01T00:00:00Z"), [SENT]),
    "two violations in a default namespace": (
        changed(SSIN, "1")
        .replace("v2:", "")
        .replace("xmlns:v2", "xmlns")
        .replace("<informationCustomer", '<informationCustomer xmlns=""')
        .replace("<legalContext>PCSA:", '<legalContext xmlns="">!')
        .replace("<criteria", '<criteria xmlns=""'),
        ["legalContext", "criteria/ssin"],
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_every_violation_of_the_schema_is_named(world: World, name: str) -> None:
    payload, paths = INVALID[name]
    reply = world.send(payload)
    assert_fault(reply, "MSG00004", signed=True)
    assert reply.detail is not None
    named = list(dict.fromkeys(field for field, _ in reply.information))
    assert named == paths
    assert all(text and text != "None" for _, text in reply.information)
    assert "Body" in signed_names(reply, world.own_identity)


def test_what_a_number_must_look_like_is_told_in_words_and_without_the_number(world: World) -> None:
    written = f"{SSIN[:6]}-{SSIN[6:9]}.{SSIN[9:]}"
    reply = world.send(changed(SSIN, written))
    ((field, text),) = reply.information
    assert field == "criteria/ssin"
    assert "11 digits" in text
    assert "[0-9]" not in text
    assert written.encode() not in reply.content


ODD_PERIODS = {
    "2015-01-01+14:00": ("2015-01-01", "DATA_FOUND"),
    "2015-01-01Z": ("2015-01-01", "DATA_FOUND"),
    "2016-02-29-11:30": ("2016-02-29", "DATA_FOUND"),
    "0001-01-01": ("0001-01-01", "DATA_FOUND"),
    "0001-01-01-14:00": ("0001-01-01", "DATA_FOUND"),
    "9999-12-31+14:00": ("9999-12-31", "NO_RESULT"),
}


@pytest.mark.parametrize("begin", ODD_PERIODS)
def test_a_date_is_the_day_it_names_whatever_its_time_zone(world: World, begin: str) -> None:
    day, value = ODD_PERIODS[begin]
    reply = world.send(with_period(f"<beginDate>{begin}</beginDate><endDate>9999-12-31</endDate>"))
    if value == "DATA_FOUND":
        assert reply.outcome[0] == value
    assert reply.payload.findtext("criteria/period/beginDate") == day
    assert_valid(reply.payload)


SENT_AND_ECHOED = {
    "2015-01-01T10:00:00": "2015-01-01T10:00:00",
    "2015-06-01T10:00:00.5-00:30": "2015-06-01T10:30:00.500Z",
    "2015-06-01T10:00:00.123456Z": "2015-06-01T10:00:00.123456Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000Z",
}


@pytest.mark.parametrize("moment", SENT_AND_ECHOED)
def test_a_moment_is_echoed_as_the_same_moment(world: World, moment: str) -> None:
    reply = world.send(with_sent(moment))
    assert reply.payload.findtext("informationCustomer/timestampSent") == SENT_AND_ECHOED[moment]
    assert_valid(reply.payload)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a&#13;b", "a\rb"),
        ("a&#xA;&#9; b ", "a\n\t b "),
        ("<![CDATA[<x>&]]>", "<x>&"),
        ("]]&gt;&quot;'", "]]>\"'"),
        ("\U0001f600\u0085\u2028", "\U0001f600\u0085\u2028"),
        ("a<!-- unsigned -->b", "ab"),
    ],
)
def test_a_ticket_comes_back_exactly_as_it_was_meant(world: World, written: str, meant: str) -> None:
    reply = world.ask(SSIN, ticket=written)
    assert reply.payload.findtext("informationCustomer/ticket") == meant
    assert "Body" in signed_names(reply, world.own_identity)


@pytest.mark.parametrize("client", ["pcsa", "economy", "inspection", "integrator", "support", "probe"])
def test_every_client_may_test_its_connection(world: World, client: str) -> None:
    reply = world.post(world.sign(echo_xml("caf\u00e9 ]]&gt;"), client), TEST_CONNECTION_PATH)
    assert reply.payload.findtext("echo") == "caf\u00e9 ]]>"
    certificate = str(reply.payload.findtext("sslCertificate")).strip()
    assert certificate == world.identity(client).certificate_pem.decode().strip()
    assert_valid(reply.payload)


def test_a_client_that_may_nothing_is_told_so(world: World) -> None:
    for client, customer in (("support", "0999900744"), ("probe", "0999900843")):
        reply = world.ask(SSIN, client, customer={"cbeNumber": customer})
        assert reply.outcome == ("NO_RESULT", "MSG00013")


def test_a_message_is_answered_once(world: World) -> None:
    message = world.sign(BODY)
    assert world.post(message).outcome == ("DATA_FOUND", "MSG00000")
    replayed = world.post(message)
    assert_fault(replayed, "wsse:FailedCheck", signed=False)
    assert "received before" in replayed.faultstring
    moved = message.replace(b"<soap:Body", b"<soap:Body ", 1)
    assert_fault(world.post(moved), "wsse:FailedCheck", signed=False)


def test_the_replay_of_a_refused_message_is_refused_too(world: World) -> None:
    message = world.sign('<a xmlns="urn:a"/>')
    assert world.post(message).outcome == ("fault", "GTW00016")
    assert world.post(message).outcome == ("fault", "wsse:FailedCheck")


def test_a_message_is_too_old_before_its_replay_key_is_forgotten(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    message = world.sign(BODY)
    assert world.post(message).outcome[0] == "DATA_FOUND"
    outcomes = set()
    for _ in range(20):
        world.clock.advance(seconds=30)
        world.ask(SSIN)
        outcomes.add(world.post(message).outcome[1])
    assert outcomes == {"wsse:FailedCheck", "wsu:MessageExpired"}


def test_a_client_over_its_quota_is_refused_until_the_next_minute(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=1)
    codes = [world.ask(SSIN, "inspection").outcome[1] for _ in range(31)]
    assert codes == ["MSG00000"] * 30 + ["GTW00001"]
    over = world.ask(SSIN, "inspection")
    assert_fault(over, "GTW00001", signed=False)
    assert "30 requests a minute" in over.faultstring
    assert world.ask(SSIN).outcome[1] == "MSG00000"
    world.clock.advance(minutes=1)
    assert world.ask(SSIN, "inspection").outcome[1] == "MSG00000"


def test_a_client_whose_annex_names_both_ways_may_take_either(world: World) -> None:
    integrator = world.over_tls(
        request_xml("consultCareer", "93630394105", CUSTOMERS["integrator"], CONTEXTS["integrator"]), "integrator"
    )
    assert integrator.outcome == ("DATA_FOUND", "MSG00000")
    assert integrator.is_signed
    assert integrator.confirmed is None


# In the order of the stages: a request that fails two of them is told the first.
STAGES = {
    "GTW00010 before GTW00011": ("GTW00010", honest(method="GET", CONTENT_TYPE="")),
    "GTW00011 before GTW00012": ("GTW00011", raw(b"a" * 300_000, CONTENT_TYPE="text/plain")),
    "GTW00012 before GTW00013": ("GTW00012", raw(b"a" * 300_000)),
    "GTW00013 before GTW00014": ("GTW00013", raw(b"<!DOCTYPE a>" + within("<a/>" * 20_001))),
    "GTW00014 before GTW00015": ("GTW00014", raw(b"<a>" + b"<b/>" * 20_001 + b"</a>")),
    "GTW00015 before GTW00018": ("GTW00015", raw(within("", f"<s:Header>{must_understand()}</s:Header>"))),
    "GTW00018 before wsse": ("GTW00018", raw(envelope(BODY, must_understand()))),
    "wsse before GTW00016": ("wsse:SecurityTokenUnavailable", raw(envelope("<a/>"))),
    "GTW00016 before GTW00017": ("GTW00016", body("<a/>", HTTP_SOAPACTION="urn:a")),
    "GTW00017 before MSG00004": ("GTW00017", body(changed(SSIN, "1"), HTTP_SOAPACTION="urn:a")),
    "MSG00004 before MSG00014": ("MSG00004", body(changed(SSIN, "1").replace("0999900150", "0999900249"))),
}


@pytest.mark.parametrize("pair", STAGES)
def test_the_first_stage_that_refuses_decides(world: World, pair: str) -> None:
    code, send = STAGES[pair]
    assert send(world).outcome == ("fault", code)


def test_a_replay_is_told_before_the_quota_and_before_the_operation(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=1)
    message = world.sign("<a/>", "inspection")
    assert world.post(message).outcome[1] == "GTW00016"
    for _ in range(29):
        world.post(world.sign("<a/>", "inspection"))
    assert world.post(message).outcome[1] == "wsse:FailedCheck"
    assert world.post(world.sign("<a/>", "inspection")).outcome[1] == "GTW00001"


class BrokenSigner:
    """A key store that went away."""

    def sign(self, body_inner_xml: str, confirm: bytes | None, now: Any, blocks: Any = ()) -> bytes:
        raise RuntimeError("the key is gone")


def test_a_reply_that_cannot_be_signed_is_replaced_by_a_fault_and_recorded(open_own_world: OpenWorld) -> None:
    world = open_own_world().with_part(signer=BrokenSigner())
    reply = world.ask(SSIN)
    assert_fault(reply, "MSG00003", signed=False)
    assert "career>" not in reply.content.decode()
    exchange, failure = world.records()
    assert (exchange["kind"], exchange["outcome"], exchange["code"]) == ("exchange", "reply", "MSG00000")
    assert (failure["kind"], failure["outcome"], failure["code"]) == ("signature failure", "fault", "MSG00003")
    assert exchange["ticket_cbss"] == failure["ticket_cbss"]
    assert failure["delivered"] == []


@contextmanager
def without_audit(world: World) -> Iterator[None]:
    """Have the month's key unreadable, as on a file system that went away."""
    folder = world.settings.audit_keys
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("not a directory")
    world.clock.advance(days=40)  # Another month, whose key is not yet in memory.
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


def test_no_data_leaves_when_the_audit_cannot_be_written(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    assert world.ask(SSIN).outcome[0] == "DATA_FOUND"
    with without_audit(world):
        reply = world.ask(SSIN)
        stranger = world.post(b"")
    assert_fault(reply, "MSG00001", signed=True)
    assert "career>" not in reply.content.decode()
    assert_fault(stranger, "MSG00001", signed=False)
    assert world.ask(SSIN).outcome[0] == "DATA_FOUND"
    assert len(world.records()) == 2


def test_no_data_leaves_when_a_record_cannot_be_made(open_own_world: OpenWorld) -> None:
    """A mistake of ours in making the record is as good a reason as a full disk."""
    world = open_own_world(repository=Unexpected("\udc80"))
    assert_fault(world.ask(SSIN), "MSG00001", signed=True)
    assert world.records() == []


def test_without_a_database_no_message_is_let_in(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    assert world.ask(SSIN).outcome[0] == "DATA_FOUND"
    with world.without_database():
        signed, over_tls = world.ask(SSIN), world.ask(SSIN, "career-account")
    assert_fault(signed, "MSG00001", signed=False)
    assert_fault(over_tls, "MSG00001", signed=True)
    assert world.ask(SSIN).outcome[0] == "DATA_FOUND"


def test_without_its_annexes_a_gateway_that_just_started_lets_nobody_in(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with world.without_database():
        assert_fault(world.ask(SSIN), "MSG00001", signed=False)


def test_without_a_database_a_gateway_does_not_start_and_says_so(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with world.without_database(), pytest.raises(CannotStart, match=r"the database does not answer \(.+database_url"):
        build_gateway(world.settings, world.clock)


def test_without_the_auditors_public_key_a_gateway_does_not_start_and_says_how_to_make_one(
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world()
    world.settings.audit_reading_key.unlink()
    with pytest.raises(CannotStart, match=r"auditor\.pub: .*ksz-gateway audit key.*audit_reading_key"):
        build_gateway(world.settings, world.clock)


class Unable:
    """Stands for the one part whose database went away, while the audit's is there."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def _fail(self, *_: Any) -> Any:
        raise self._error

    find = admit = _fail


@pytest.mark.parametrize(
    ("part", "error", "signed"),
    [
        ("annexes", AnnexesUnavailable("away"), False),
        ("admission", CommitFailed("away"), False),
        ("facts", OperationalError("SELECT", {}, Exception("away")), True),
    ],
)
def test_a_part_that_lost_its_database_is_MSG00001_and_recorded(  # noqa: N802 - the code as it is written
    open_own_world: OpenWorld, part: str, error: Exception, signed: bool
) -> None:
    world = open_own_world().with_part(**{part: Unable(error)})
    reply = world.ask(SSIN)
    assert_fault(reply, "MSG00001", signed=signed)
    assert reply.faultcode == "soapenv:Server"
    assert "away" not in reply.content.decode()
    (record,) = world.records()
    assert (record["outcome"], record["code"]) == ("fault", "MSG00001")


class Unexpected:
    """A source with a mistake in it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find_career(self, ssin: str, *period: object) -> Career | None:
        raise ZeroDivisionError(f"{self._text}{ssin}")

    def is_pcsa(self, cbe_number: str) -> bool:
        return True


def test_an_unexpected_failure_is_a_signed_fault_that_tells_nothing_of_itself(open_own_world: OpenWorld) -> None:
    world = open_own_world(repository=Unexpected("secret "))
    message = world.sign(BODY)
    reply = world.post(message)
    assert_fault(reply, "MSG00003", signed=True)
    assert reply.confirmed == signature_value(message)
    assert reply.detail is not None
    (record,) = world.records()
    assert record["ticket_cbss"] == reply.detail.findtext("informationCBSS/ticketCBSS")
    assert not {"secret", "ZeroDivisionError"} & set(reply.content.decode().split())


class Odd:
    """A source that gives this career to whoever is asked for."""

    def __init__(self, **changes: Any) -> None:
        segment = Segment(date(2010, 1, 1), None, 100, 100)
        affiliation = Affiliation("003", None, (segment,))
        self._career = replace(Career(SSIN, "DEMO", None, None, (affiliation,)), **changes)

    def find_career(self, ssin: str, *period: object) -> Career | None:
        return self._career

    def is_pcsa(self, cbe_number: str) -> bool:
        return True


@pytest.mark.parametrize("reference", ["a\0b", "a\x1fb", "a\ufffeb", "a\udc80b"])
def test_text_of_a_source_that_no_xml_can_hold_is_not_sent(open_own_world: OpenWorld, reference: str) -> None:
    world = open_own_world(repository=Odd(nisse_reference=reference))
    reply = world.ask(SSIN)
    assert_fault(reply, "MSG00003", signed=True)
    assert world.records()[-1]["delivered"] == []


@pytest.mark.parametrize("reference", ["]]>", "a & <b>", "é\u0085\U0001f600", "a\rb\nc\td"])
def test_odd_text_of_a_source_is_sent_as_it_is(open_own_world: OpenWorld, reference: str) -> None:
    world = open_own_world(repository=Odd(nisse_reference=reference))
    reply = world.ask(SSIN)
    assert reply.payload.findtext("career/nisseReference") == reference
    assert "Body" in signed_names(reply, world.own_identity)
    assert_valid(reply.payload)


class BrokenReplies:
    """Writes only what needs no knowledge of the operation, as if the rest had a mistake in it."""

    def __init__(self, whole: Replies) -> None:
        self._whole = whole
        self.answer = whole.answer

    def no_result(self, *_: Any) -> Message:
        raise OverflowError

    def fault(self, established: Established, fault: Fault) -> Message:
        if find(established, Resolved) is not None:
            raise OverflowError
        return self._whole.fault(established, fault)


@pytest.mark.parametrize("ssin", ["123", "80622993122"])
def test_a_refusal_that_cannot_be_written_is_still_answered_and_recorded(open_own_world: OpenWorld, ssin: str) -> None:
    world = open_own_world()
    reply = world.with_part(replies=BrokenReplies(world.pipeline.replies)).ask(ssin)
    assert_fault(reply, "MSG00003", signed=True)
    assert reply.detail is None
    assert [record["code"] for record in world.records()] == ["MSG00003"]


class Talkative:
    """A source whose explanation is more than a status can carry."""

    def __init__(self, information: tuple[tuple[str, str], ...]) -> None:
        self._information = information

    def find_career(self, ssin: str, *period: object) -> Career | None:
        raise SourceUnavailable("out", self._information)

    def is_pcsa(self, cbe_number: str) -> bool:
        return True


@pytest.mark.parametrize("information", [(("quarters", "x" * 257),), (("x" * 65, ""),), (("quarters", "2017Q1"),) * 16])
def test_a_reply_that_would_not_fit_its_schema_is_not_sent(
    open_own_world: OpenWorld, information: tuple[tuple[str, str], ...]
) -> None:
    world = open_own_world(repository=Talkative(information))
    assert_fault(world.ask(SSIN), "MSG00003", signed=True)


def test_text_of_a_source_that_is_too_long_is_not_sent(open_own_world: OpenWorld) -> None:
    world = open_own_world(repository=Odd(nisse_reference="x" * 16))
    assert world.ask(SSIN).outcome == ("NO_RESULT", "MSG00023")


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_are_dates_like_others(open_own_world: OpenWorld, day: date) -> None:
    affiliation = Affiliation("003", day, (Segment(date.min, date.max, 100, 100),))
    world = open_own_world(repository=Odd(affiliations=(affiliation,)))
    reply = world.ask(SSIN)
    assert reply.payload.findtext("career/affiliations/affiliation/signatureDate") == day.isoformat()
    assert_valid(reply.payload)


def test_personas_over_tls_are_asked_over_tls() -> None:
    """The personas test would silently lose its point if no persona asked over TLS."""
    assert OVER_TLS & {each.client for persona in load_personas(STARTED.date()) for each in persona.expectations}
