"""Trust: which certificates are believed, and how long that is remembered."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from wss_world import NOW, authority, client, trust

from gateway.pki import Identity, KeyKind, create_authority, create_key, create_revocation_list, issue
from gateway.wss.certificate import Certificate, read_certificate
from gateway.wss.faults import SecurityFault
from gateway.wss.names import ECDSA_SHA256, RSA_SHA256
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust


def der(identity: Identity) -> bytes:
    return identity.certificate.public_bytes(Encoding.DER)


def refusal(checker: Trust, octets: bytes, now: datetime = NOW) -> SecurityFault:
    with pytest.raises(SecurityFault) as refused:
        checker.authenticate(octets, now)
    return refused.value


def crl(serials: set[int], next_update: datetime | None = None, now: datetime = NOW) -> bytes:
    return create_revocation_list(authority(), serials, now, next_update)


def certify(key: KeyKind = KeyKind.EC, **knobs: object) -> Identity:
    return issue(authority(), "someone", 4711, NOW, key=create_key(key), **knobs)


@pytest.mark.parametrize(("kind", "algorithm"), [(KeyKind.RSA, RSA_SHA256), (KeyKind.EC, ECDSA_SHA256)])
def test_a_certificate_of_the_authority_is_believed(kind: KeyKind, algorithm: str) -> None:
    certificate = trust().authenticate(der(client(kind)), NOW)
    assert certificate.serial == 1001
    assert certificate.algorithm == algorithm
    assert certificate.subject == "CN=pcsa,O=KSZ Gateway,C=BE"
    assert certificate.sha256 == client(kind).certificate.fingerprint(SHA256()).hex()


def test_an_intermediate_authority_may_be_the_end_of_the_chain() -> None:
    root = create_authority(NOW, "Root")
    builder = x509.CertificateBuilder(
        issuer_name=root.certificate.subject,
        subject_name=authority().certificate.subject,
        public_key=authority().key.public_key(),
        serial_number=12,
        not_valid_before=NOW - timedelta(days=1),
        not_valid_after=NOW + timedelta(days=2),
        extensions=list(authority().certificate.extensions)[1:2],
    )
    intermediate = builder.sign(root.key, SHA256()).public_bytes(Encoding.PEM)
    checker = Trust(intermediate)
    assert checker.authenticate(der(client()), NOW).serial == 1001
    # What is remembered ends with the first certificate of the chain, though the client's own lasts longer.
    assert remembered_until(checker) == NOW + timedelta(days=2)
    assert "itself not valid" in refusal(checker, der(client()), NOW + timedelta(days=3)).reason


def test_one_of_several_authorities_is_enough() -> None:
    several = create_authority(NOW, "Another").certificate_pem + authority().certificate_pem
    assert Trust(several).authenticate(der(client()), NOW).serial == 1001


def test_validity_is_that_of_the_given_time() -> None:
    certificate = client().certificate
    checker = Trust(authority().certificate_pem)
    early, late = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    assert checker.authenticate(der(client()), early).serial == 1001
    assert checker.authenticate(der(client()), late - timedelta(seconds=1)).serial == 1001
    assert "not valid yet" in refusal(checker, der(client()), early - timedelta(seconds=1)).reason
    assert "expired" in refusal(checker, der(client()), late).reason
    assert checker.authenticate(der(client()), NOW).serial == 1001


def test_a_revoked_certificate_is_refused() -> None:
    fault = refusal(Trust(authority().certificate_pem, crl({1001})), der(client()))
    assert fault.code == "wsse:FailedAuthentication"
    assert "revoked" in fault.reason


def test_a_new_list_is_obeyed_at_once() -> None:
    checker = Trust(authority().certificate_pem, crl(set()))
    checker.authenticate(der(client()), NOW)
    checker.replace_crl(crl({1001}))
    assert "revoked" in refusal(checker, der(client())).reason
    checker.replace_crl(crl(set()))
    checker.authenticate(der(client()), NOW)


def test_what_was_good_under_the_former_list_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    checker = Trust(authority().certificate_pem, crl(set()))

    def read_while_the_list_is_replaced(octets: bytes, policy: SecurityPolicy) -> Certificate:
        checker.replace_crl(crl({1001}))
        return read_certificate(octets, policy)

    monkeypatch.setattr("gateway.wss.trust.read_certificate", read_while_the_list_is_replaced)
    checker.authenticate(der(client()), NOW)
    assert "revoked" in refusal(checker, der(client())).reason


def test_a_list_past_its_next_update_refuses_everybody_even_who_is_remembered() -> None:
    end = NOW + timedelta(hours=1)
    checker = Trust(authority().certificate_pem, crl(set(), end))
    checker.authenticate(der(client()), NOW)
    fault = refusal(checker, der(client()), end + timedelta(seconds=1))
    assert fault.code == "wsse:FailedAuthentication"
    assert "revocation list" in fault.reason


def test_a_list_of_another_authority_is_no_list() -> None:
    theirs = create_revocation_list(create_authority(NOW, "Another"), set(), NOW)
    assert "revocation list" in refusal(Trust(authority().certificate_pem, theirs), der(client())).reason


def test_a_list_that_another_authority_of_the_same_name_signed_is_no_list() -> None:
    forged = create_revocation_list(create_authority(NOW), set(), NOW)
    assert "revocation list" in refusal(Trust(authority().certificate_pem, forged), der(client())).reason


def test_an_issuer_that_is_spelt_otherwise_has_no_list() -> None:
    """OpenSSL compares names without regard to case; when a list ends is looked up by the name as it stands."""
    loud = x509.Name([x509.NameAttribute(part.oid, part.value.upper()) for part in authority().certificate.subject])
    lists = (
        x509.CertificateRevocationListBuilder(issuer_name=loud)
        .last_update(NOW - timedelta(days=9))
        .next_update(NOW - timedelta(days=8))
        .sign(authority().key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    assert "revocation list" in refusal(Trust(authority().certificate_pem, lists), der(client())).reason


def test_the_newest_list_of_an_authority_counts() -> None:
    earlier = NOW - timedelta(days=2)
    former = crl(set(), NOW - timedelta(days=1), earlier)
    for lists in (former + crl({1001}), crl({1001}) + former):
        assert "revoked" in refusal(Trust(authority().certificate_pem, lists), der(client())).reason
    Trust(authority().certificate_pem, former + crl(set())).authenticate(der(client()), NOW)


def test_lists_of_several_authorities_are_read_together() -> None:
    another = create_authority(NOW, "Another")
    lists = crl({4711}) + create_revocation_list(another, {5}, NOW)
    checker = Trust(authority().certificate_pem + another.certificate_pem, lists)
    checker.authenticate(der(client()), NOW)
    assert "revoked" in refusal(checker, der(certify())).reason
    five = issue(another, "five", 5, NOW, key=create_key(KeyKind.EC))
    assert "revoked" in refusal(checker, der(five)).reason


def test_what_is_remembered_ends_with_the_first_certificate_or_list_that_ends() -> None:
    end = NOW + timedelta(hours=2)
    by_list = Trust(authority().certificate_pem, crl(set(), end))
    by_list.authenticate(der(client()), NOW)
    assert remembered_until(by_list) == end
    brief = certify(not_after=NOW + timedelta(hours=1))
    by_certificate = Trust(authority().certificate_pem, crl(set(), end))
    by_certificate.authenticate(der(brief), NOW)
    assert remembered_until(by_certificate) == NOW + timedelta(hours=1)


def remembered_until(checker: Trust) -> datetime:
    ((_certificate, until),) = checker._known.values()
    return until


def test_a_certificate_is_checked_once() -> None:
    checker = trust()
    assert checker.authenticate(der(client()), NOW) is checker.authenticate(der(client()), NOW)


def test_the_least_recently_used_is_forgotten_first() -> None:
    checker = trust(replace(SecurityPolicy(), max_cached_certificates=2))
    first, second, third = (der(certify()) for _ in range(3))
    kept = checker.authenticate(first, NOW)
    dropped = checker.authenticate(second, NOW)
    assert checker.authenticate(first, NOW) is kept
    checker.authenticate(third, NOW)
    assert checker.authenticate(first, NOW) is kept
    assert checker.authenticate(second, NOW) is not dropped


def test_threads_share_it() -> None:
    checker = trust(replace(SecurityPolicy(), max_cached_certificates=3))
    pool = [der(certify()) for _ in range(6)]

    def authenticate(number: int) -> Certificate:
        if number % 50 == 0:
            checker.replace_crl(crl({1}))
        return checker.authenticate(pool[number % 6], NOW)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(authenticate, range(400)))
    assert [certificate.der for certificate in found] == [pool[number % 6] for number in range(400)]


def test_weak_and_unknown_keys_are_refused() -> None:
    keys = (
        create_key(KeyKind.RSA, rsa_bits=1024),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
    )
    for key in keys:
        fault = refusal(trust(), der(issue(authority(), "weak", 9, NOW, key=key)))
        assert fault.code == "wsse:InvalidSecurityToken"
        assert "key must" in fault.reason


def test_a_certificate_signed_with_sha1_is_refused() -> None:
    # cryptography makes no such certificate any more, so the identifier of its algorithm is changed: from
    # sha256WithRSAEncryption to sha1WithRSAEncryption. The hash is looked at before the signature.
    rsa_authority = Identity(authority().certificate, client().key)
    strong = der(issue(rsa_authority, "weak", 9, NOW, key=create_key(KeyKind.EC)))
    weak = strong.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    assert "hash" in refusal(trust(), weak).reason
    assert "no authority" in refusal(trust(), strong).reason


def test_the_longest_rsa_key_is_that_of_the_policy() -> None:
    policy = replace(SecurityPolicy(), max_rsa_bits=2047)
    assert "RSA key" in refusal(trust(policy), der(client())).reason


def test_a_certificate_without_key_usage_may_sign() -> None:
    plain = (
        x509.CertificateBuilder()
        .issuer_name(authority().certificate.subject)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plain")]))
        .public_key(client().key.public_key())
        .serial_number(77)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(authority().key, SHA256())
    )
    assert trust().authenticate(plain.public_bytes(Encoding.DER), NOW).serial == 77


def test_a_certificate_that_may_not_sign_is_refused() -> None:
    assert "digitalSignature" in refusal(trust(), der(certify(may_sign=False))).reason


@pytest.mark.parametrize("octets", [b"", b"0", b"0\x82\xff\xff", b"junk" * 100])
def test_what_is_no_certificate_is_refused(octets: bytes) -> None:
    assert refusal(trust(), octets).code == "wsse:InvalidSecurityToken"


def test_no_damage_to_a_certificate_gets_through() -> None:
    good = der(client(KeyKind.EC))
    checker = trust()
    for position in range(0, len(good), 3):
        damaged = bytearray(good)
        damaged[position] ^= 0x55
        with pytest.raises(SecurityFault):
            checker.authenticate(bytes(damaged), NOW)
    with pytest.raises(SecurityFault):
        checker.authenticate(good + b"\0", NOW)


def test_files_that_hold_no_certificate_or_list_are_refused_at_start() -> None:
    with pytest.raises(ValueError, match="Unable to load PEM"):
        Trust(b"nothing")
    with pytest.raises(ValueError, match="no revocation list"):
        Trust(authority().certificate_pem, b"nothing")
