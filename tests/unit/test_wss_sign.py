"""What the gateway signs: canonical as written, and verifiable by our own code, by xmlsec and by zeep."""

from base64 import b64decode
from datetime import timedelta, timezone
from pathlib import Path

import pytest
import wss_world
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from wss_world import NOW
from zeep.exceptions import SignatureVerificationFailed
from zeep.wsse.signature import BinarySignature

from gateway.pki import Identity, KeyKind, create_key, issue
from gateway.wss.faults import SecurityFault
from gateway.wss.names import DS, SOAP, WSSE, WSSE11, WSU
from gateway.wss.policy import SecurityPolicy
from gateway.wss.sign import HeaderBlock, Signer, SigningFailed, unsigned
from gateway.wss.verify import verify_envelope

REPLY = (
    '<v2:consultCareerResponse xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2">'
    "<status><value>DATA_FOUND</value></status><name>Rémi &amp; Zoë &lt;3</name></v2:consultCareerResponse>"
)
FAULT = (
    f'<soapenv:Fault xmlns:soapenv="{SOAP}"><faultcode>wsse:FailedCheck</faultcode>'
    "<faultstring>No</faultstring></soapenv:Fault>"
)
SIGNED = ("Body", "Timestamp", "BinarySecurityToken", "SignatureConfirmation", "SignedInfo")


def gateway(kind: KeyKind = KeyKind.RSA) -> Identity:
    return wss_world.client(kind)


def signer(kind: KeyKind = KeyKind.RSA) -> Signer:
    return Signer(gateway(kind).key_pem, gateway(kind).certificate_pem)


def canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False).decode()


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("inner", [REPLY, FAULT])
def test_our_own_verification_accepts_it(kind: KeyKind, inner: str) -> None:
    message = signer(kind).sign(inner, None, NOW)
    verified = wss_world.verify(message)
    assert verified.token_signed
    assert verified.created == NOW
    assert canonical(verified.body_child) == inner


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("inner", [REPLY, FAULT])
@pytest.mark.parametrize("confirm", [None, b"\x00\xff" * 128])
def test_xmlsec_verifies_it(kind: KeyKind, inner: str, confirm: bytes | None) -> None:
    root = etree.fromstring(signer(kind).sign(inner, confirm, NOW))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(gateway(kind).certificate_pem, xmlsec.constants.KeyDataFormatCertPem)
    for element in root.iterfind(f".//*[@{{{WSU}}}Id]"):
        context.register_id(element, "Id", WSU)
    context.verify(root.find(f".//{{{DS}}}Signature"))


@pytest.mark.parametrize("kind", list(KeyKind))
def test_zeep_verifies_it_and_notices_a_change(kind: KeyKind, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(gateway(kind).key_pem)
    (tmp_path / "pem").write_bytes(gateway(kind).certificate_pem)
    plugin = BinarySignature(str(tmp_path / "key"), str(tmp_path / "pem"))
    message = signer(kind).sign(REPLY, b"confirmed", NOW)
    plugin.verify(etree.fromstring(message))
    with pytest.raises(SignatureVerificationFailed):
        plugin.verify(etree.fromstring(message.replace(b"DATA_FOUND", b"NO_RESULT")))


def test_every_signed_part_is_canonical_as_it_is_written() -> None:
    message = signer().sign(REPLY, b"confirmed", NOW)
    root = etree.fromstring(message)
    for name in SIGNED:
        assert canonical(next(root.iter(f"{{*}}{name}"))) in message.decode(), name


def test_a_changed_part_is_noticed() -> None:
    message = signer().sign(REPLY, None, NOW)
    for before, after in ((b"DATA_FOUND", b"NO_RESULT"), (b"10:00:00.000Z", b"10:00:00.001Z")):
        assert before in message
        with pytest.raises(SecurityFault, match="digest"):
            wss_world.verify(message.replace(before, after, 1))


def test_references_cover_body_timestamp_token_and_confirmation() -> None:
    root = etree.fromstring(signer().sign(REPLY, b"x", NOW))
    targets = {reference.get("URI", "")[1:] for reference in root.iter(f"{{{DS}}}Reference")}
    elements = {element.get(f"{{{WSU}}}Id"): element.tag for element in root.iter("*") if element.get(f"{{{WSU}}}Id")}
    assert {elements[target] for target in targets} == {
        f"{{{SOAP}}}Body",
        f"{{{WSU}}}Timestamp",
        f"{{{WSSE}}}BinarySecurityToken",
        f"{{{WSSE11}}}SignatureConfirmation",
    }


def test_the_request_is_confirmed_by_its_signature_value() -> None:
    root = etree.fromstring(signer().sign(REPLY, b"signature of the request", NOW))
    (confirmation,) = root.iter(f"{{{WSSE11}}}SignatureConfirmation")
    assert b64decode(confirmation.get("Value", "")) == b"signature of the request"


def test_nothing_is_confirmed_where_nothing_was_signed() -> None:
    assert b"SignatureConfirmation" not in signer().sign(REPLY, None, NOW)


def test_the_timestamp_is_utc_and_lasts_five_minutes() -> None:
    brussels = NOW.astimezone(timezone(timedelta(hours=1)))
    root = etree.fromstring(signer().sign(REPLY, None, brussels))
    assert root.findtext(f".//{{{WSU}}}Created") == "2026-03-02T10:00:00.000Z"
    assert root.findtext(f".//{{{WSU}}}Expires") == "2026-03-02T10:05:00.000Z"


def test_the_prefixes_of_a_faultcode_are_declared() -> None:
    for message in (signer().sign(FAULT, None, NOW), unsigned(FAULT)):
        faultcode = etree.fromstring(message).find(".//faultcode")
        assert faultcode is not None
        assert {faultcode.nsmap[prefix] for prefix in ("soapenv", "wsse", "wsu")} == {SOAP, WSSE, WSU}


def test_an_unsigned_envelope_carries_the_body_alone() -> None:
    root = etree.fromstring(unsigned(REPLY))
    assert [child.tag for child in root] == [f"{{{SOAP}}}Body"]
    assert canonical(root[0][0]) == REPLY


BLOCKS = tuple(
    HeaderBlock.identify(name, f'<b:{name} xmlns:b="urn:block"><text>Zoë &amp; co</text></b:{name}>')
    for name in ("first", "second")
)


def test_header_blocks_stand_beside_security_each_signed_as_it_is_written() -> None:
    message = signer().sign(REPLY, b"confirmed", NOW, BLOCKS)
    root = etree.fromstring(message)
    security, *blocks = root[0]
    assert [etree.QName(block).localname for block in blocks] == ["first", "second"]
    assert all(canonical(block) == each.canonical for block, each in zip(blocks, BLOCKS, strict=True))
    targets = {reference.get("URI", "")[1:] for reference in security.iter(f"{{{DS}}}Reference")}
    assert {block.get(f"{{{WSU}}}Id") for block in blocks} < targets
    verified = wss_world.verify(signer().sign(REPLY, None, NOW, BLOCKS))
    assert canonical(verified.body_child) == REPLY
    with pytest.raises(SecurityFault, match="digest"):
        wss_world.verify(signer().sign(REPLY, None, NOW, BLOCKS).replace("Zoë".encode(), b"Zoe", 1))


def test_header_blocks_of_an_unsigned_envelope_are_there() -> None:
    header, body = etree.fromstring(unsigned(REPLY, BLOCKS))
    assert [canonical(block) for block in header] == [each.canonical for each in BLOCKS]
    assert canonical(body[0]) == REPLY


def test_key_and_certificate_must_belong_together() -> None:
    stranger = issue(wss_world.authority(), "x", 5, NOW, key=create_key(KeyKind.EC))
    with pytest.raises(ValueError, match="does not belong"):
        Signer(stranger.key_pem, gateway().certificate_pem)


def test_a_key_that_the_profile_does_not_know_is_refused() -> None:
    odd = issue(wss_world.authority(), "x", 6, NOW, key=ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(ValueError, match="P-256"):
        Signer(odd.key_pem, odd.certificate_pem)


def test_a_key_that_does_not_sign_is_told_from_a_signed_answer() -> None:
    broken = signer(KeyKind.EC)
    broken._key = xmlsec.Key.from_memory(gateway().certificate_pem, xmlsec.constants.KeyDataFormatCertPem)
    with pytest.raises(SigningFailed):
        broken.sign(REPLY, None, NOW)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)


@settings(deadline=None, max_examples=150)
@given(TEXT, TEXT, st.binary(max_size=600) | st.none())
def test_whatever_the_body_says_it_is_canonical_and_verifies(text: str, attribute: str, confirm: bytes | None) -> None:
    element = etree.Element("{urn:reply}reply", nsmap={"r": "urn:reply"}, value=attribute)
    etree.SubElement(element, "text").text = text
    inner = canonical(element)
    message = signer(KeyKind.EC).sign(inner, confirm, NOW)
    root = etree.fromstring(message)
    for name in SIGNED:
        found = next(root.iter(f"{{*}}{name}"), None)
        assert found is None or canonical(found) in message.decode()
    if confirm is None:
        assert canonical(verify_envelope(root, wss_world.trust(), SecurityPolicy(), NOW).body_child) == inner
