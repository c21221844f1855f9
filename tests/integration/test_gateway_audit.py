"""One durable record of every exchange: who, about whom, what, why, with what result; and nothing in the clear."""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from gateway_world import (
    CLIENT_ADDRESS,
    CONTEXTS,
    CUSTOMERS,
    SELF_EMPLOYED_PATH,
    TEST_CONNECTION_PATH,
    OpenWorld,
    World,
    echo_xml,
    request_xml,
)

from fixtures.messages import envelope
from gateway.audit.keys import MonthKeys
from gateway.audit.sealing import pseudonym
from gateway.audit.trail import STRANGER_MESSAGE_BYTES, STRANGER_RECORDS_PER_MINUTE
from gateway.storage.tables import stranger_refusals
from tests.log_lines import LogLines

SSIN = "75631290176"
SUCCESSOR = "78642992993"
BODY = request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], ticket="mine")


def in_the_open(record: Mapping[str, Any]) -> str:
    return repr({name: value for name, value in record.items() if name != "sealed"})


def test_a_consultation_leaves_one_record_with_all_that_was_established(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    period = {"beginDate": "2016-01-01"}
    message = world.sign(request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], period, ticket="mine"))
    reply = world.post(message)
    (record,) = world.records()
    expected = {
        "kind": "exchange",
        "ticket_cbss": reply.payload.findtext("informationCBSS/ticketCBSS"),
        "received_at": world.clock(),
        "recorded_at": world.clock(),
        "client": "pcsa",
        "source_address": CLIENT_ADDRESS,
        "authentication_method": "x509Token",
        "organisation": "cbe:0999900150",
        "service": "SelfEmployedService/v2",
        "operation": "consultCareer",
        "legal_context": "PCSA:SOCIAL_INQUIRY",
        "deliberation": "Demonstration deliberation 24/001",
        "annex_clause": "operations[0]",
        "customer_ticket": "mine",
        "criteria": ["criteria/ssin", "criteria/period/beginDate"],
        "delivered": ["ssin", "career"],
        "withheld": [],
        "outcome": "reply",
        "value": "DATA_FOUND",
        "code": "MSG00000",
    }
    assert {name: record[name] for name in expected} == expected
    der = world.identity("pcsa").certificate.public_bytes(Encoding.DER)
    annex = world.gateway.annexes.find(world.pipeline.trust.authenticate(der, world.clock()), world.clock())
    assert annex is not None
    assert record["annex_revision"] == annex.revision
    assert record["certificate"] == hashlib.sha256(der).hexdigest()
    key = MonthKeys(world.settings.audit_keys).find(record["month"])
    assert key is not None
    assert record["subject"] == pseudonym(key, SSIN)
    sealed = world.unseal(record)
    assert sealed["subject"] == SSIN
    assert sealed["message"] == message
    assert sealed["request"]["parameters"] == {"criteria/ssin": SSIN, "criteria/period/beginDate": date(2016, 1, 1)}
    assert sealed["request"]["period"] == {"begin": date(2016, 1, 1), "end": None}
    assert sealed["facts"]["persons"][SSIN]["known"] is True
    assert sealed["facts"]["persons"][SSIN]["client_inscriptions"][0]["context"] == "PCSA:FILE"
    assert sealed["decidedAt"] == world.clock()
    assert sealed["reason"] == ""


def test_each_kind_of_answer_leaves_its_record(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(SSIN, "economy", period={"beginDate": f"{world.clock().year - 2}-01-01"})
    world.ask(SSIN, "career-account")
    world.ask("78443192888")
    world.ask(SSIN, legal_context="PCSA:DEBT_RECOVERY")
    world.ask("123")
    world.post(world.sign("<a/>"))
    world.post(world.sign(echo_xml()), TEST_CONNECTION_PATH)
    world.post(envelope(BODY))
    world.ask("95650594297", "integrator", customer={"cbeNumber": "0999900546"})
    names = ("client", "operation", "outcome", "value", "code", "organisation", "authentication_method")
    assert [tuple(record[name] for name in names) for record in world.records()] == [
        ("economy", "consultCareer", "reply", "DATA_FOUND", "MSG00000", "cbe:0999900249", "x509Token"),
        ("career-account", "consultCareer", "reply", "DATA_FOUND", "MSG00000", "sector:21/0", "mutualTLS"),
        ("pcsa", "consultCareer", "refusal", "NO_RESULT", "MSG00006", "cbe:0999900150", "x509Token"),
        ("pcsa", "consultCareer", "refusal", "NO_RESULT", "MSG00013", "cbe:0999900150", "x509Token"),
        ("pcsa", "consultCareer", "fault", None, "MSG00004", None, "x509Token"),
        ("pcsa", None, "fault", None, "GTW00016", None, "x509Token"),
        ("pcsa", "sendTestMessage", "reply", None, None, None, "x509Token"),
        (None, None, "fault", None, "wsse:SecurityTokenUnavailable", None, None),
        ("integrator", "consultCareer", "reply", "NO_RESULT", "SES00600", "cbe:0999900546", "x509Token"),
    ]


def test_a_refusal_is_recorded_with_its_clause_and_its_reason_and_nothing_delivered(
    open_own_world: OpenWorld,
) -> None:
    world = open_own_world()
    world.ask(SSIN, "economy", period={"beginDate": "1990-01-01"})
    (record,) = world.records()
    assert (record["outcome"], record["code"]) == ("refusal", "MSG00027")
    assert record["annex_clause"].startswith("operations[0].parameters")
    assert (record["delivered"], record["withheld"], record["deliberation"]) == ([], [], None)
    sealed = world.unseal(record)
    assert "parameters_not_granted" in sealed["reason"]
    assert sealed["request"]["parameters"]["criteria/period/beginDate"] == date(1990, 1, 1)


def test_what_was_withheld_is_recorded(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(SSIN, "economy", period={"beginDate": f"{world.clock().year - 2}-01-01"})
    (record,) = world.records()
    assert record["withheld"] == ["career/occupation", "career/affiliations/affiliation/signatureDate"]
    assert "career" in record["delivered"]


def test_no_row_holds_a_person_in_the_clear(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    for ssin in (SSIN, "78443192888", "80622993122", "43711193439", "89612293522", "76660793343", "1234"):
        world.ask(ssin)
        world.ask(ssin, "integrator")
    world.post(envelope(BODY))
    records = world.records()
    assert len(records) == 15
    for record in records:
        for secret in (SSIN, "78443192888", SUCCESSOR, "80622993122", "43711193439", "2021-04-01"):
            assert secret not in in_the_open(record)
            assert secret.encode() not in record["sealed"]
    assert len({record["subject"] for record in records}) == 7  # None for what was never about a person.


def test_the_data_of_a_reply_are_in_no_record(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    reply = world.ask(SSIN)
    enterprise = str(reply.payload.findtext("career/selfEmployedEnterpriseNumber"))
    (record,) = world.records()
    assert enterprise not in in_the_open(record)
    assert enterprise not in repr(world.unseal(record))


def test_the_reply_is_not_sent_before_its_record_is_there(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    for count in range(1, 4):
        world.ask(SSIN)
        assert len(world.records()) == count


def test_strangers_beyond_the_rate_share_one_row_for_an_address_and_minute(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=0)
    for _ in range(STRANGER_RECORDS_PER_MINUTE + 15):
        world.post(envelope(BODY))
    world.post(b"", REMOTE_ADDR="198.51.100.1")
    assert len(world.records()) == STRANGER_RECORDS_PER_MINUTE + 1
    counted = {row["source"]: (row["refusals"], row["last_code"]) for row in world.rows(stranger_refusals)}
    assert counted == {
        CLIENT_ADDRESS: (STRANGER_RECORDS_PER_MINUTE + 15, "wsse:SecurityTokenUnavailable"),
        "198.51.100.1": (1, "GTW00013"),
    }
    world.clock.advance(minutes=1)
    world.post(envelope(BODY))
    assert len(world.records()) == STRANGER_RECORDS_PER_MINUTE + 2


def test_a_client_is_never_counted_as_a_stranger(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    for _ in range(STRANGER_RECORDS_PER_MINUTE + 5):
        world.post(world.sign("<a/>"))
    assert len(world.records()) == STRANGER_RECORDS_PER_MINUTE + 5
    assert world.rows(stranger_refusals) == []


def test_a_replayer_cannot_fill_the_disk_in_the_name_of_a_client(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=0)
    message = world.sign(BODY)
    for _ in range(STRANGER_RECORDS_PER_MINUTE + 5):
        world.post(message)
    records = world.records()
    assert len(records) == STRANGER_RECORDS_PER_MINUTE + 1
    assert {record["code"] for record in records[1:]} == {"wsse:FailedCheck"}
    assert {record["client"] for record in records} == {"pcsa"}


def test_of_a_strangers_message_only_the_beginning_is_kept(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    message = envelope(echo_xml("x" * 100_000))
    world.post(message, TEST_CONNECTION_PATH)
    world.post(b"y" * 300_000)
    cut, oversized = world.records()
    assert world.unseal(cut)["message"] == message[:STRANGER_MESSAGE_BYTES]
    assert world.unseal(oversized)["message"] == b""


def test_a_client_behind_the_proxy_is_recorded_by_its_own_address(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    over_tls = world.handed_over("career-account") | {"HTTP_X_FORWARDED_FOR": "203.0.113.1, 203.0.113.9"}
    payload = request_xml("consultCareer", SSIN, CUSTOMERS["career-account"], CONTEXTS["career-account"])
    world.post(envelope(payload), SELF_EMPLOYED_PATH, **over_tls)
    world.post(world.sign(BODY), HTTP_X_FORWARDED_FOR="203.0.113.1")
    assert [record["source_address"] for record in world.records()] == ["203.0.113.9", CLIENT_ADDRESS]


def test_the_log_has_one_line_for_each_exchange_and_names_nobody(world: World, log_lines: LogLines) -> None:
    begin = len(log_lines.lines)
    world.ask(SSIN, ticket="unmistakable")
    world.ask("78443192888")
    world.ask("123")
    world.post(envelope(BODY))
    lines = [line for line in log_lines.lines[begin:] if '"event": "exchange"' in line]
    assert len(lines) == 4
    assert '"client": "pcsa"' in lines[0]
    assert '"code": "MSG00000"' in lines[0]
    told = "".join(log_lines.lines[begin:])
    for secret in (SSIN, "78443192888", SUCCESSOR, "unmistakable", "0999900150", "Envelope", "pattern"):
        assert secret not in told


def test_records_of_two_months_have_two_pseudonyms(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(SSIN)
    world.clock.now += timedelta(days=32)
    world.ask(SSIN)
    first, second = world.records()
    assert first["subject"] != second["subject"]
    assert first["month"] != second["month"]
