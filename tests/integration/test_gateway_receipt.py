"""The receipt in the header: of every reply and fault to a client that was let in, signed, and true."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gateway_world import (
    HEALTH_PATH,
    ROOT,
    OpenWorld,
    Reply,
    World,
    envelope,
    request_xml,
    signed_names,
)
from lxml import etree
from sqlalchemy import update
from test_health_check import health_xml

from gateway.audit import checkpoint
from gateway.audit.log_key import read_public_file
from gateway.audit.tree import Frontier
from gateway.storage.tables import audit_head, audit_records

RECEIPT = "{urn:ksz-gateway:receipt:v1}Receipt"
MAIN = "75631290176"


def receipt_of(reply: Reply) -> etree._Element:
    """Return the receipt, valid against its XSD."""
    (block,) = reply.envelope.findall(f"{{*}}Header/{RECEIPT}")
    etree.XMLSchema(etree.parse(ROOT / "xsd" / "ReceiptV1.xsd")).assertValid(etree.fromstring(etree.tostring(block)))
    return block


def check_receipt(world: World, reply: Reply) -> None:
    """Check the receipt against the records, and the root in it against all leaves before."""
    block = receipt_of(reply)
    row = world.records()[-1]
    assert block.findtext("position") == str(row["position"])
    assert base64.b64decode(str(block.findtext("leafHash"))) == row["leaf"]
    origin, public_key = read_public_file(world.settings.audit_log_key.with_suffix(".pub"))
    signed = checkpoint.open(str(block.findtext("checkpoint")), public_key)
    assert (signed.origin, signed.size) == (origin, row["position"] + 1)
    assert abs(signed.time - world.clock()) < timedelta(seconds=1)
    leaves = [each["leaf"] for each in all_records(world)]
    assert signed.root == Frontier.of(leaves[: signed.size]).root


def all_records(world: World) -> list[Mapping[str, Any]]:
    return sorted(world.rows(audit_records), key=lambda row: row["position"])


def test_a_reply_a_denial_and_a_fault_have_a_receipt_that_is_signed(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    replies = {
        "DATA_FOUND": world.ask(MAIN),
        "NO_RESULT": world.ask(MAIN, legal_context="PPSSI:SOCIAL_FRAUD"),
        "fault": world.post(world.sign("<x/>")),
    }
    for outcome, reply in replies.items():
        assert reply.outcome[0] == outcome
        assert "Receipt" in signed_names(reply, world.own_identity)
    check_receipt(world, replies["fault"])
    check_receipt(world, world.ask(MAIN))


def test_a_client_over_tls_has_one_too(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    check_receipt(world, world.ask(MAIN, "career-account"))


def test_strangers_and_health_checks_have_none(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    payload = request_xml("consultCareer", MAIN, {"cbeNumber": "0999900150"}, "PCSA:SOCIAL_INQUIRY")
    stranger = world.post(envelope(payload))
    probe = world.post(world.sign(health_xml("PING"), "probe"), HEALTH_PATH)
    message = world.sign(payload)
    world.post(message)
    replayed = world.post(message)
    assert (stranger.is_fault, probe.is_fault, replayed.is_fault) == (True, False, True)
    for reply in (stranger, probe, replayed):
        assert reply.envelope.find(f".//{RECEIPT}") is None


def test_a_log_that_was_touched_stops_replies_until_it_is_put_right(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    database = world.gateway.storage.database
    (head,) = world.rows(audit_head)
    with database.write() as connection:
        connection.execute(update(audit_head), {"frontier": bytes(len(head["frontier"]))})
    reply = world.ask(MAIN)
    assert reply.outcome == ("fault", "MSG00001")
    assert reply.envelope.find(f".//{RECEIPT}") is None
    with database.write() as connection:
        connection.execute(update(audit_head), head)
    check_receipt(world, world.ask(MAIN))
