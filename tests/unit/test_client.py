"""Our own client: it signs the header blocks of a call, and believes none that the gateway did not sign."""

from pathlib import Path

import pytest
import wss_world
from lxml import etree
from wss_world import BODY, NOW

from authz.annex import AuthenticationMethod
from fixtures.messages import envelope
from gateway.client import ClientIdentity, MessageSecurity, ReplyNotTrusted
from gateway.dry_run import DRY_RUN_TAG, find_dry_run, make_dry_run
from gateway.wss.sign import HeaderBlock, Signer

BLOCK = HeaderBlock.identify(
    "explanation", '<dry:explanation xmlns:dry="urn:ksz-gateway:dry-run:v1"></dry:explanation>'
)


@pytest.fixture
def security(tmp_path: Path) -> MessageSecurity:
    """The client's; the gateway signs with the key of `wss_world.other`."""
    files = {"key": wss_world.client().key_pem, "certificate": wss_world.client().certificate_pem}
    files["gateway"] = wss_world.other().certificate_pem
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    paths = (tmp_path / name for name in ("certificate", "key", "certificate", "gateway"))
    return MessageSecurity(ClientIdentity(*paths, method=AuthenticationMethod.X509_TOKEN), lambda: NOW)


def send(security: MessageSecurity) -> etree._Element:
    """Sign a call with a dryRun block."""
    request = etree.fromstring(envelope(BODY))
    request[0].append(make_dry_run())
    sent, _ = security.apply(request, {})
    return sent


def reply(security: MessageSecurity, *blocks: HeaderBlock) -> bytes:
    confirmed = wss_world.verify(etree.tostring(send(security))).signature_value
    signer = Signer(wss_world.other().key_pem, wss_world.other().certificate_pem)
    return signer.sign(BODY, confirmed, NOW, blocks)


def test_a_header_block_of_the_call_is_signed(security: MessageSecurity) -> None:
    sent = etree.fromstring(etree.tostring(send(security)))
    verified = wss_world.verify(etree.tostring(sent))
    assert [block.tag for block in verified.headers] == [DRY_RUN_TAG]
    (block,) = verified.headers
    assert find_dry_run(block.getroottree().getroot(), verified.headers) is block


def test_a_signed_header_block_is_believed(security: MessageSecurity) -> None:
    envelope_ = etree.fromstring(reply(security, BLOCK))
    assert security.verify(envelope_) is envelope_


@pytest.mark.parametrize("block", [BLOCK.canonical.replace("explanation", "other"), "<unheardOf/>"])
def test_a_header_block_that_nobody_signed_is_not(security: MessageSecurity, block: str) -> None:
    forged = reply(security).replace(b"</soapenv:Header>", f"{block}</soapenv:Header>".encode())
    with pytest.raises(ReplyNotTrusted, match="or a header block"):
        security.verify(etree.fromstring(forged))
