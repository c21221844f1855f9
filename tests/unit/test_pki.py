"""The development authority: what it makes, what it reuses, what it renews."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.demo_pki import REVOKED_SERIAL, DemoClient, prepare_pki, revoke
from gateway.pki import KeyKind, load_identity

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CLIENTS = (DemoClient("pcsa", 1001, KeyKind.EC), DemoClient("inspection", 1007, KeyKind.EC))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    prepare_pki(tmp_path, CLIENTS, NOW, KeyKind.EC)
    return tmp_path


def contents(state: Path) -> dict[str, bytes]:
    files = sorted(path for path in (state / "pki").rglob("*") if path.is_file())
    return {str(path.relative_to(state)): path.read_bytes() for path in files}


def read_crl(state: Path) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((state / "pki" / "crl.pem").read_bytes())


def test_keys_are_for_the_owner_only(state: Path) -> None:
    keys = list((state / "pki").rglob("*.key"))
    assert len(keys) == 7
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    folders = (state / "pki", state / "pki" / "clients")
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


def test_a_client_is_named_by_issuer_serial_and_subject(state: Path) -> None:
    certificate = load_identity(state / "pki" / "clients" / "pcsa").certificate
    assert certificate.issuer.rfc4514_string() == "CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE"
    assert certificate.serial_number == 1001
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "pcsa"
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)


def test_the_gateway_is_a_tls_server_on_loopback(state: Path) -> None:
    certificate = load_identity(state / "pki" / "gateway").certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_second_call_changes_nothing(state: Path) -> None:
    before = contents(state)
    prepare_pki(state, CLIENTS, NOW + timedelta(days=1), KeyKind.EC)
    assert contents(state) == before


def test_a_new_client_is_added_beside_the_others(state: Path) -> None:
    before = contents(state)
    prepare_pki(state, (*CLIENTS, DemoClient("probe", 1006, KeyKind.EC)), NOW, KeyKind.EC)
    after = contents(state)
    assert set(after) - set(before) == {"pki/clients/probe.pem", "pki/clients/probe.key"}
    assert {name: after[name] for name in before} == before


def test_an_expired_certificate_is_renewed_and_the_authority_kept(state: Path) -> None:
    before = contents(state)
    later = NOW + timedelta(days=400)
    prepare_pki(state, CLIENTS, later, KeyKind.EC)
    after = contents(state)
    assert after["pki/ca.pem"] == before["pki/ca.pem"]
    assert after["pki/clients/pcsa.pem"] != before["pki/clients/pcsa.pem"]
    assert load_identity(state / "pki" / "clients" / "pcsa").certificate.not_valid_after_utc > later
    next_update = read_crl(state).next_update_utc
    assert next_update is not None
    assert next_update > later


@pytest.mark.parametrize("damage", ["clients/pcsa.pem", "clients/pcsa.key", "gateway.key", "crl.pem"])
def test_a_damaged_file_is_made_anew(state: Path, damage: str) -> None:
    (state / "pki" / damage).write_bytes(b"not a PEM file")
    prepare_pki(state, CLIENTS, NOW, KeyKind.EC)
    assert load_identity(state / "pki" / "clients" / "pcsa").certificate.serial_number == 1001
    assert load_identity(state / "pki" / "gateway").certificate.serial_number == 1
    assert read_crl(state).get_revoked_certificate_by_serial_number(REVOKED_SERIAL) is not None


def test_certificates_follow_a_new_authority(state: Path) -> None:
    (state / "pki" / "ca.key").unlink()
    prepare_pki(state, CLIENTS, NOW, KeyKind.EC)
    authority = load_identity(state / "pki" / "ca").certificate
    load_identity(state / "pki" / "clients" / "pcsa").certificate.verify_directly_issued_by(authority)
    assert read_crl(state).is_signature_valid(load_identity(state / "pki" / "ca").key.public_key())


def test_a_serial_that_changed_is_certified_again(state: Path) -> None:
    prepare_pki(state, (DemoClient("pcsa", 2001, KeyKind.EC),), NOW, KeyKind.EC)
    assert load_identity(state / "pki" / "clients" / "pcsa").certificate.serial_number == 2001


def test_a_revoked_serial_stays_revoked_when_the_list_is_renewed(state: Path) -> None:
    revoke(state, 1007, NOW)
    prepare_pki(state, CLIENTS, NOW + timedelta(days=400), KeyKind.EC)
    listed = {revoked.serial_number for revoked in read_crl(state)}
    assert listed == {1007, REVOKED_SERIAL}


def test_a_key_of_another_certificate_is_refused(state: Path) -> None:
    pki = state / "pki"
    (pki / "gateway.key").write_bytes((pki / "ca.key").read_bytes())
    with pytest.raises(ValueError, match="is not the key of"):
        load_identity(pki / "gateway")


def test_rsa_keys_have_2048_bits(tmp_path: Path) -> None:
    prepare_pki(tmp_path, (), NOW)
    assert load_identity(tmp_path / "pki" / "gateway").key.key_size == 2048
