"""What answers a message over mutual TLS leaves unsigned where the client's annex says so, and nothing else does."""

import pytest
from gateway_world import SELF_EMPLOYED, OpenWorld, World, assert_valid, envelope, request_xml, signed_names

from fixtures.messages import WSSE

MAIN, CLIENT = "75631290176", "pcsa"
PAYLOAD = request_xml("consultCareer", MAIN, {"cbeNumber": "0999900150"}, "PCSA:SOCIAL_INQUIRY")
BOTH = ("methods: [x509Token]", "methods: [x509Token, mutualTLS]")
UNSIGNED = ("methods: [x509Token]", "methods: [x509Token, mutualTLS]\n  unsignedReplies: true")


@pytest.fixture
def world(open_own_world: OpenWorld) -> World:
    """A gateway whose annex of the client says so."""
    world = open_own_world()
    world.change_annex(CLIENT, UNSIGNED)
    return world


def test_a_reply_over_mutual_tls_is_whole_and_without_a_security_header(world: World) -> None:
    reply = world.over_tls(PAYLOAD, CLIENT)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert reply.envelope.find(f".//{{{WSSE}}}Security") is None
    assert reply.payload.tag == f"{{{SELF_EMPLOYED}}}consultCareerResponse"
    assert_valid(reply.payload)
    assert world.records()[-1]["authentication_method"] == "mutualTLS"


def test_its_receipt_is_that_of_its_record(world: World) -> None:
    reply = world.over_tls(PAYLOAD, CLIENT)
    position = reply.envelope.findtext("{*}Header/{urn:ksz-gateway:receipt:v1}Receipt/position")
    assert position == str(world.records()[-1]["position"])


@pytest.mark.parametrize(
    "payload",
    [PAYLOAD.replace("PCSA:SOCIAL_INQUIRY", "PPSSI:SOCIAL_FRAUD"), PAYLOAD.replace(MAIN, "1"), "<x/>"],
    ids=["refused", "invalid", "unknown"],
)
def test_neither_is_a_refusal_nor_a_fault(world: World, payload: str) -> None:
    reply = world.over_tls(payload, CLIENT)
    assert reply.outcome[0] in ("NO_RESULT", "fault")
    assert not reply.is_signed


def test_a_signed_message_has_a_signed_answer_all_the_same(world: World) -> None:
    message = world.sign(PAYLOAD, CLIENT)
    for reply in (world.post(message), world.post(world.sign("<x/>", CLIENT), **world.handed_over(CLIENT))):
        assert {"Body", "Timestamp", "SignatureConfirmation"} <= signed_names(reply, world.own_identity)


def test_another_client_has_signed_answers_over_mutual_tls(world: World, open_own_world: OpenWorld) -> None:
    assert world.ask(MAIN, "career-account").is_signed
    other = open_own_world()
    other.change_annex(CLIENT, BOTH)
    assert other.over_tls(PAYLOAD, CLIENT).is_signed


def test_a_stranger_over_tls_is_as_unsigned_as_ever(world: World) -> None:
    reply = world.post(envelope(PAYLOAD))
    assert reply.faultcode == "wsse:SecurityTokenUnavailable"
    assert not reply.is_signed
