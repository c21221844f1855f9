"""What honest clients send is accepted, and only what was signed is passed on."""

from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import wss_world
import xmlsec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from wss_world import BODY, NOW
from zeep.wsse.signature import BinarySignature

from fixtures.attacks.material import Edit, edited, get
from fixtures.attacks.wrapping import void
from fixtures.messages import EXCLUSIVE_C14N, NODE, NSSO, SOAP, WSSE, WSU, ZEEP, Shape, envelope, sign
from fixtures.messages import canonical as canonical_text
from gateway.pki import KeyKind, issue
from gateway.wss.faults import SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.verify import find_security_header, verify_envelope

SHAPES = {
    "zeep": ZEEP,
    "node": NODE,
    "nsso": NSSO,
    "prefix list": Shape(prefixes=("soap", "wsse", "unknown")),
    "no expires": Shape(expires_in=None),
    "distant expires": Shape(expires_in=timedelta(days=3650)),
    "no value type": Shape(reference_value_type=None, token_attributes={}),
    "other offset": Shape(created_text="2026-03-02T11:00:00+01:00"),
    "nanoseconds": Shape(created_text="2026-03-02T10:00:00.123456789Z"),
    "no fraction": Shape(created_text="2026-03-02T09:59:59Z"),
    "within the skew": Shape(created_offset=timedelta(seconds=59)),
    "almost too old": Shape(created_offset=timedelta(seconds=-299), expires_in=timedelta(days=1)),
}


@pytest.mark.parametrize("kind", list(KeyKind))
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_honest_message_is_accepted(shape: Shape, kind: KeyKind) -> None:
    verified = wss_world.verify(sign(envelope(BODY), wss_world.client(kind), NOW, shape))
    assert (
        verified.certificate.der == wss_world.verify(sign(envelope(BODY), wss_world.client(kind), NOW)).certificate.der
    )
    assert verified.token_signed is shape.sign_token


@pytest.mark.parametrize("kind", list(KeyKind))
def test_what_zeep_itself_signs_is_accepted(kind: KeyKind, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(wss_world.client(kind).key_pem)
    (tmp_path / "pem").write_bytes(wss_world.client(kind).certificate_pem)
    method = {
        KeyKind.RSA: xmlsec.constants.TransformRsaSha256,
        KeyKind.EC: xmlsec.constants.TransformEcdsaSha256,
    }
    plugin = BinarySignature(
        str(tmp_path / "key"),
        str(tmp_path / "pem"),
        signature_method=method[kind],
        digest_method=xmlsec.constants.TransformSha256,
    )
    timestamp = f'<u:Timestamp xmlns:u="{WSU}"><u:Created>2026-03-02T10:00:00Z</u:Created></u:Timestamp>'
    security = f'<s:Security xmlns:s="{WSSE}">{timestamp}</s:Security>'
    root, _headers = plugin.apply(etree.fromstring(envelope(BODY, security)), {})
    assert wss_world.verify(etree.tostring(root)).certificate.serial == 1001


def test_the_certificate_names_the_client() -> None:
    certificate = wss_world.verify(sign(envelope(BODY), wss_world.client(), NOW)).certificate
    assert certificate.issuer == "CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE"
    assert (certificate.serial, certificate.key_bits) == (1001, 2048)
    assert certificate.pem.encode() == wss_world.client().certificate_pem


def test_the_body_child_is_that_of_the_envelope() -> None:
    root = etree.fromstring(sign(envelope(BODY), wss_world.client(), NOW))
    verified = verify_envelope(root, wss_world.trust(), SecurityPolicy(), NOW)
    assert verified.body_child is root[1][0]


def test_a_message_is_forgotten_when_it_is_fresh_nowhere() -> None:
    verified = wss_world.verify(sign(envelope(BODY), wss_world.client(), NOW))
    assert verified.created == NOW
    assert verified.expires_at == NOW + timedelta(minutes=6)


def test_the_signature_value_is_what_the_reply_confirms() -> None:
    message = sign(envelope(BODY), wss_world.client(), NOW)
    text = etree.fromstring(message).findtext(".//{*}SignatureValue")
    assert wss_world.verify(message).signature_value == b64decode(text)


def test_comments_do_not_split_the_text_that_was_signed() -> None:
    message = sign(envelope(BODY), wss_world.client(), NOW)
    split = message.replace(b"PCSA:SOCIAL_INQUIRY", b"PCSA<!-- -->:SOCIAL<!---->_INQUIRY")
    assert split != message
    legal_context = wss_world.verify(split).body_child[0]
    assert legal_context.text == "PCSA:SOCIAL_INQUIRY"
    assert len(legal_context) == 0


def test_default_namespace_in_a_prefix_list_is_obeyed() -> None:
    # WSS4J lists the prefixes in scope, #default among them. The Body does not use the default namespace here, so
    # exclusive C14N renders it only because it is listed. lxml knows the word per thread, hence the two threads.
    default = f'<soap:Envelope xmlns:soap="{SOAP}" xmlns="urn:default"><soap:Header/><soap:Body>{BODY}</soap:Body>'
    message = (default + "</soap:Envelope>").encode()

    def sign_it() -> bytes:
        for _event in etree.iterparse(BytesIO(b"<a/>"), tag="#default"):
            pass
        return sign(message, wss_world.client(), NOW, Shape(prefixes=("#default",)))

    with ThreadPoolExecutor(1) as theirs, ThreadPoolExecutor(1) as ours:
        signed = theirs.submit(sign_it).result()
        assert ours.submit(wss_world.verify, signed).result().certificate.serial == 1001
    body = etree.fromstring(signed)[1]
    assert not canonical_text(body).startswith(b'<soap:Body xmlns="urn:default"')


def test_other_headers_may_be_signed_and_are_then_protected() -> None:
    action = '<wsa:Action xmlns:wsa="http://www.w3.org/2005/08/addressing">urn:a</wsa:Action>'
    message = sign(envelope(BODY, action), wss_world.client(), NOW, Shape(signed_headers=("Action",)))
    wss_world.verify(message)
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(message.replace(b"urn:a<", b"urn:b<"))
    assert refusal.value.code == "wsse:FailedCheck"


def test_security_header_for_another_actor_is_left_alone() -> None:
    theirs = f'<wsse:Security xmlns:wsse="{WSSE}" soap:actor="urn:somebody"/>'
    wss_world.verify(sign(envelope(BODY, theirs), wss_world.client(), NOW))
    assert find_security_header(etree.fromstring(envelope(BODY, theirs))) is None


def test_an_unsigned_message_has_no_security_header() -> None:
    assert find_security_header(etree.fromstring(envelope(BODY))) is None
    without_header = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body/></soap:Envelope>'
    assert find_security_header(etree.fromstring(without_header)) is None


def test_replay_key_survives_every_change_that_the_signature_allows() -> None:
    message = sign(envelope(BODY), wss_world.client(KeyKind.EC), NOW)

    def vary(root: etree._Element) -> None:
        etree.SubElement(root[0], "{urn:other}Unsigned").text = "more"
        value = get(root, ".//ds:SignatureValue")
        value.text = "\n" + (value.text or "") + "\n"
        get(root, ".//ds:SignedInfo").insert(1, etree.Comment("not covered"))

    varied = edited(message, vary)
    assert wss_world.verify(varied).replay_key == wss_world.verify(message).replay_key


def test_replay_key_does_not_depend_on_the_value_of_an_ecdsa_signature() -> None:
    """(r, s) and (r, n - s) are both valid: whoever sees a message can write the other one."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    message = sign(envelope(BODY), wss_world.client(KeyKind.EC), NOW)

    def mirror(root: etree._Element) -> None:
        value = get(root, ".//ds:SignatureValue")
        octets = b64decode(value.text or "")
        s = order - int.from_bytes(octets[32:], "big")
        value.text = b64encode(octets[:32] + s.to_bytes(32, "big")).decode()

    mirrored = wss_world.verify(edited(message, mirror))
    original = wss_world.verify(message)
    assert mirrored.signature_value != original.signature_value
    assert mirrored.replay_key == original.replay_key


def test_replay_key_is_that_of_the_key_not_of_its_certificate() -> None:
    """A renewed certificate for the same key must not give a captured message a second life."""
    renewed = issue(wss_world.authority(), "pcsa", 2001, NOW, key=wss_world.client().key)
    message = sign(envelope(BODY), wss_world.client(), NOW)
    theirs = etree.fromstring(sign(envelope(BODY), renewed, NOW))

    def swap(root: etree._Element) -> None:
        get(root, ".//wsse:BinarySecurityToken").text = get(theirs, ".//wsse:BinarySecurityToken").text

    verified = wss_world.verify(edited(message, swap))
    assert verified.certificate.serial == 2001
    assert verified.replay_key == wss_world.verify(message).replay_key


def test_two_messages_have_two_replay_keys() -> None:
    one = sign(envelope(BODY), wss_world.client(), NOW)
    two = sign(envelope(BODY), wss_world.client(), NOW + timedelta(milliseconds=1))
    assert wss_world.verify(one).replay_key != wss_world.verify(two).replay_key


@pytest.mark.parametrize("field", ["max_references", "max_security_children", "max_header_children"])
def test_limits_of_the_policy_are_obeyed(field: str) -> None:
    policy = replace(SecurityPolicy(), **{field: 0})
    root = etree.fromstring(sign(envelope(BODY), wss_world.client(), NOW))
    with pytest.raises(SecurityFault, match="too many"):
        verify_envelope(root, wss_world.trust(), policy, NOW)


def test_algorithms_of_the_policy_are_obeyed() -> None:
    policy = replace(SecurityPolicy(), signature_algorithms=frozenset())
    root = etree.fromstring(sign(envelope(BODY), wss_world.client(), NOW))
    with pytest.raises(SecurityFault, match="wsse:UnsupportedAlgorithm"):
        verify_envelope(root, wss_world.trust(), policy, NOW)


@pytest.mark.parametrize(
    "inside",
    [
        '<InclusiveNamespaces xmlns="urn:not-ec" PrefixList="soap"/>',
        f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE_C14N}"/><ec:x xmlns:ec="{EXCLUSIVE_C14N}"/>',
    ],
)
def test_unknown_parameters_of_canonicalization_are_refused(inside: str) -> None:
    def edit(root: etree._Element) -> None:
        for child in etree.fromstring(f"<x>{inside}</x>"):
            get(root, ".//ds:CanonicalizationMethod").append(child)

    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(edited(sign(envelope(BODY), wss_world.client(), NOW), edit))
    assert refusal.value.code == "wsse:UnsupportedAlgorithm"


def refusal_of(edit: Edit, shape: Shape = ZEEP) -> SecurityFault:
    with pytest.raises(SecurityFault) as refusal:
        wss_world.verify(edited(sign(envelope(BODY), wss_world.client(), NOW, shape), edit))
    return refusal.value


def test_a_second_security_header_is_refused_though_it_is_empty() -> None:
    def edit(root: etree._Element) -> None:
        etree.SubElement(root[0], f"{{{WSSE}}}Security")

    assert "More than one Security" in refusal_of(edit).reason


def test_a_security_header_for_the_next_node_is_ours() -> None:
    def edit(root: etree._Element) -> None:
        extra = etree.SubElement(root[0], f"{{{WSSE}}}Security")
        extra.set(f"{{{SOAP}}}actor", "http://schemas.xmlsoap.org/soap/actor/next")

    assert "More than one Security" in refusal_of(edit).reason


def test_two_headers_are_refused_before_either_is_read() -> None:
    def edit(root: etree._Element) -> None:
        root.insert(0, etree.Element(f"{{{SOAP}}}Header"))

    assert "more than one Header" in refusal_of(edit).reason


@pytest.mark.parametrize("path", ["soap:Body/*", "soap:Header/wsse:Security", "soap:Header/*/wsu:Timestamp/*", "."])
def test_a_reference_may_not_point_elsewhere(path: str) -> None:
    """Each octet is canonicalised at most once, and the Signature is never inside of what it signs."""

    def edit(root: etree._Element) -> None:
        get(root, path).set(f"{{{WSU}}}Id", "elsewhere")
        reference = get(root, ".//ds:Reference")
        copy = etree.fromstring(etree.tostring(reference))
        copy.set("URI", "#elsewhere")
        reference.addnext(copy)

    assert "and no further" in refusal_of(edit).reason


def test_a_reference_without_number_sign_points_outside() -> None:
    assert "inside the message" in refusal_of(lambda root: get(root, ".//ds:Reference").set("URI", "xbody")).reason


def test_the_str_transform_gets_a_reason_of_its_own() -> None:
    algorithm = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
    fault = refusal_of(lambda root: get(root, ".//ds:Transform").set("Algorithm", algorithm))
    assert "Refer to the token itself" in fault.reason


def test_the_enveloped_transform_takes_no_parameters() -> None:
    fault = refusal_of(lambda root: void(etree.SubElement(get(root, ".//ds:Transform"), "x")), NODE)
    assert "no parameters" in fault.reason


def test_a_transform_of_another_namespace_is_no_transform() -> None:
    def edit(root: etree._Element) -> None:
        get(root, ".//ds:Transform").tag = "{urn:other}Transform"

    assert refusal_of(edit).code == "wsse:InvalidSecurity"


HONEST = {
    shape: etree.fromstring(sign(envelope(BODY), wss_world.client(KeyKind.EC), NOW, SHAPES[shape]))
    for shape in ("zeep", "node", "nsso", "prefix list")
}
NASTY = st.sampled_from(
    [
        *("", "#", "#body", "#token", "é", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 30, "A" * 3000, "AAAA", "\n"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", EXCLUSIVE_C14N, "#default"),
    ]
) | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HONEST)), st.data())
def test_no_change_to_a_message_gives_anything_but_a_security_fault(shape: str, data: st.DataObject) -> None:
    root = etree.fromstring(etree.tostring(HONEST[shape]))
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(root.iter("*"))
        element = data.draw(st.sampled_from(elements))
        parent = element.getparent()
        match data.draw(st.integers(0, 7)):
            case 0:
                element.text = data.draw(NASTY)
            case 1 if element.attrib:
                element.set(data.draw(st.sampled_from(sorted(element.attrib))), data.draw(NASTY))
            case 2 if parent is not None:
                parent.remove(element)
            case 3:
                copy = etree.fromstring(etree.tostring(data.draw(st.sampled_from(elements))))
                element.insert(data.draw(st.integers(0, 3)), copy)
            case 4:
                element.insert(0, etree.Comment("comment"))
            case 5:
                element.insert(0, etree.ProcessingInstruction("target", "content"))
            case 6:
                element.append(etree.Element(data.draw(st.sampled_from(["{relative}x", "x", "{urn:x}Id"]))))
            case _:
                element.set(data.draw(st.sampled_from(["Id", "ID", "URI", "Algorithm"])), data.draw(NASTY))
    try:
        verified = verify_envelope(root, wss_world.trust(), SecurityPolicy(), NOW)
    except SecurityFault:
        return
    # Whatever was changed, the Body that is passed on is the one that was signed.
    assert canonical_text(verified.body_child.getparent()) == canonical_text(HONEST[shape][1])
