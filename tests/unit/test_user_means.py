"""Logging in by a certificate of the person: only who signs the nonce of this very login with a believed key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.demo_pki import DemoPerson, certify_persons, prepare_pki
from gateway.pki import KeyKind, create_authority, create_key, create_revocation_list, issue, load_identity
from gateway.users.means import ProofRefused, load_proving_identity, make_nonce, sign_nonce, verify_proof
from gateway.wss.trust import Trust

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SSIN = "75631290176"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pki")
    prepare_pki(directory, [], NOW)
    certify_persons(directory, [DemoPerson("els", SSIN), DemoPerson("els-app", SSIN, "app")], NOW)
    return directory


@pytest.fixture
def trust(state: Path) -> Trust:
    return Trust((state / "pki" / "ca.pem").read_bytes(), (state / "pki" / "crl.pem").read_bytes())


@pytest.mark.parametrize(("name", "means"), [("els", "eid"), ("els-app", "app")])
def test_signature_over_the_nonce_names_the_person_and_the_means(
    state: Path, trust: Trust, name: str, means: str
) -> None:
    nonce = make_nonce()
    holder = verify_proof(sign_nonce(load_identity(state / "pki" / "persons" / name), nonce), nonce, trust, NOW)
    assert (holder.ssin, holder.means) == (SSIN, means)
    assert SSIN not in repr(holder)


def test_person_is_certified_once(state: Path) -> None:
    file = state / "pki" / "persons" / "els.pem"
    before = file.read_bytes()
    certify_persons(state, [DemoPerson("els", SSIN)], NOW)
    assert file.read_bytes() == before
    assert load_proving_identity(file).certificate == load_proving_identity(file.with_suffix("")).certificate


def test_signature_of_another_login_proves_nothing(state: Path, trust: Trust) -> None:
    identity = load_identity(state / "pki" / "persons" / "els")
    stolen = sign_nonce(identity, make_nonce())
    with pytest.raises(ProofRefused, match="over this login"):
        verify_proof(stolen, make_nonce(), trust, NOW)


def test_signature_of_another_key_proves_nothing(state: Path, trust: Trust) -> None:
    nonce, els = make_nonce(), load_identity(state / "pki" / "persons" / "els")
    thief = sign_nonce(load_identity(state / "pki" / "persons" / "els-app"), nonce)
    with pytest.raises(ProofRefused, match="over this login"):
        verify_proof(replace(thief, certificate=sign_nonce(els, nonce).certificate), nonce, trust, NOW)


def test_certificate_of_an_authority_of_ones_own_is_refused(state: Path, trust: Trust) -> None:
    authority = create_authority(NOW)
    subject = load_identity(state / "pki" / "persons" / "els").certificate.subject
    nonce = make_nonce()
    forged = sign_nonce(issue(authority, "els", 7, NOW, key=create_key(KeyKind.EC), subject=subject), nonce)
    with pytest.raises(ProofRefused):
        verify_proof(forged, nonce, trust, NOW)


@pytest.mark.parametrize("key_kind", KeyKind)
def test_certificate_that_names_no_person_is_refused(state: Path, trust: Trust, key_kind: KeyKind) -> None:
    authority = load_identity(state / "pki" / "ca")
    nonce = make_nonce()
    proof = sign_nonce(issue(authority, "a-client", 8, NOW, key=create_key(key_kind)), nonce)
    with pytest.raises(ProofRefused, match="is no person's"):
        verify_proof(proof, nonce, trust, NOW)


def test_certificate_that_is_revoked_or_has_ended_is_refused(state: Path, trust: Trust) -> None:
    identity = load_identity(state / "pki" / "persons" / "els")
    authority, nonce = load_identity(state / "pki" / "ca"), make_nonce()
    proof = sign_nonce(identity, nonce)
    with pytest.raises(ProofRefused):
        verify_proof(proof, nonce, trust, NOW + timedelta(days=500))
    revoked = create_revocation_list(authority, [identity.certificate.serial_number], NOW)
    with pytest.raises(ProofRefused):
        verify_proof(proof, nonce, Trust((state / "pki" / "ca.pem").read_bytes(), revoked), NOW)


def test_identity_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProofRefused, match="cannot be used"):
        load_proving_identity(tmp_path / "nobody.pem")
