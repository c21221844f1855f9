"""The development certificate authority: keys, certificates and a revocation list for a demo world.

It owns the files under `DIR/pki` and creates, reuses and renews them. It is not for production, where keys
come from a real authority: the gateway itself reads files and never calls this module while serving.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.annexes.operators import private_pem, public_pem
from gateway.audit.reading_key import make_pair

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUTHORITY_NAME = "KSZ Gateway Development CA"
GATEWAY_SERIAL = 1
REVOKED_SERIAL = 6666
"""Stands on every revocation list made here, so that a demo world has something revoked."""

OPERATORS = ("an", "bram")
"""Who activates the annexes of a demo world, four eyes."""

MEANS = ("eid", "itsme", "app")
_UNIT = NameOID.ORGANIZATIONAL_UNIT_NAME
_VALIDITY = timedelta(days=397)
_AUTHORITY_VALIDITY = timedelta(days=3650)
_RENEWAL_MARGIN = timedelta(days=30)
_BACKDATING = timedelta(hours=1)


class KeyKind(StrEnum):
    """RSA of 2048 bits, which every SOAP library can verify; EC is P-256."""

    RSA = "rsa"
    EC = "ec"


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A client to certify: `name` becomes the common name and the file's name; `serial` never changes."""

    name: str
    serial: int
    key_kind: KeyKind = KeyKind.RSA


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person with a means of logging in (eid, itsme or app); `name` becomes the file's name."""

    name: str
    ssin: str
    means: str = "eid"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def prepare_pki(
    directory: Path, clients: Iterable[DemoClient], now: datetime, gateway_key: KeyKind = KeyKind.RSA
) -> None:
    """Create under `directory` whatever is missing, damaged or near its end, and leave the rest untouched.

    Makes `pki/ca.pem|.key`, `pki/crl.pem`, `pki/gateway.pem|.key`, `pki/clients/NAME.pem|.key`, the operators'
    `pki/operators/NAME.pub|.key` and the auditor's `pki/auditor.pub|.key`; keys are 0600, directories 0700. `now` is
    aware, UTC. Two processes may call it at once. OSError if it cannot write.
    """
    pki = directory / "pki"
    for folder in (pki, pki / "clients", pki / "operators"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(pki / ".lock"):
        authority = _reuse(pki / "ca", None, 0, now) or _keep(pki / "ca", create_authority(now))
        _renew_revocation_list(pki / "crl.pem", authority, now)
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        names += [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
        if _reuse(pki / "gateway", authority, GATEWAY_SERIAL, now) is None:
            key = create_key(gateway_key)
            _keep(pki / "gateway", issue(authority, "gateway", GATEWAY_SERIAL, now, key=key, names=names))
        if not (pki / "auditor.pub").exists():
            (pki / "auditor.key").unlink(missing_ok=True)
            make_pair(pki / "auditor.key", pki / "auditor.pub")
        for name in OPERATORS:
            _prepare_operator(pki / "operators" / name)
        for client in clients:
            path = pki / "clients" / client.name
            if _reuse(path, authority, client.serial, now) is None:
                key = create_key(client.key_kind)
                _keep(path, issue(authority, client.name, client.serial, now, key=key))


def certify_persons(directory: Path, persons: Iterable[DemoPerson], now: datetime) -> None:
    """Make `pki/persons/NAME.pem|.key` under `directory`, which `prepare_pki` has made, as far as they are missing.

    The national number is the subject's serialNumber, as in a Belgian citizen certificate, and the means its unit.
    """
    pki = directory / "pki"
    (pki / "persons").mkdir(mode=0o700, exist_ok=True)
    with _locked(pki / ".lock"):
        authority = load_identity(pki / "ca")
        for person in persons:
            path = pki / "persons" / person.name
            # Longer than any other serial number of this authority.
            serial = int(person.ssin) * 10 + MEANS.index(person.means)
            if _reuse(path, authority, serial, now) is None:
                subject = _name(person.name, (NameOID.SERIAL_NUMBER, person.ssin), (_UNIT, person.means))
                key = create_key(KeyKind.EC)
                _keep(path, issue(authority, person.name, serial, now, key=key, subject=subject))


def load_identity(path: Path) -> Identity:
    """Read `path.pem` and `path.key`; OSError if one is missing, ValueError if one is damaged."""
    certificate = x509.load_pem_x509_certificate(path.with_name(path.name + ".pem").read_bytes())
    key = load_pem_private_key(path.with_name(path.name + ".key").read_bytes(), None)
    if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError(f"{path}.key is not the key of {path}.pem")
    return Identity(certificate, key)


def create_key(kind: KeyKind, rsa_bits: int = 2048) -> PrivateKey:
    """Make a new private key."""
    return rsa.generate_private_key(65537, rsa_bits) if kind is KeyKind.RSA else ec.generate_private_key(ec.SECP256R1())


def create_authority(now: datetime, name: str = AUTHORITY_NAME) -> Identity:
    """Make a self-signed authority, valid for ten years."""
    key = create_key(KeyKind.EC)
    builder = _builder(_name(name), _name(name), key, 1, now - _BACKDATING, now + _AUTHORITY_VALIDITY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return Identity(builder.sign(key, SHA256()), key)


def issue(
    authority: Identity,
    name: str,
    serial: int,
    now: datetime,
    *,
    key: PrivateKey | None = None,
    names: Iterable[x509.GeneralName] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    may_sign: bool = True,
    subject: x509.Name | None = None,
) -> Identity:
    """Certify `key` (a new RSA key if None) as CN=`name`, or as `subject`; with `names` it is a TLS server too."""
    key = key or create_key(KeyKind.RSA)
    begin, end = not_before or now - _BACKDATING, not_after or now + _VALIDITY
    builder = _builder(subject or _name(name), authority.certificate.subject, key, serial, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs=may_sign), critical=True)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if alternatives := list(names):
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return Identity(builder.sign(authority.key, SHA256()), key)


def create_revocation_list(
    authority: Identity,
    serials: Iterable[int],
    now: datetime,
    next_update: datetime | None = None,
) -> bytes:
    """Return a signed revocation list, PEM, of these serials, valid to `next_update` (397 days if None)."""
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=authority.certificate.subject,
        last_update=now - _BACKDATING,
        next_update=next_update or now + _VALIDITY,
    )
    for serial in sorted(set(serials)):
        revoked = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=now - _BACKDATING)
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(authority.key, SHA256()).public_bytes(Encoding.PEM)


def revoke(directory: Path, serial: int, now: datetime) -> None:
    """Add `serial` to the revocation list under `directory`, which `prepare_pki` has made."""
    pki = directory / "pki"
    with _locked(pki / ".lock"):
        listed = _revoked_serials(x509.load_pem_x509_crl((pki / "crl.pem").read_bytes()))
        content = create_revocation_list(load_identity(pki / "ca"), {*listed, serial}, now)
        _write(pki / "crl.pem", content, 0o644)


def _name(common_name: str, *more: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    parts = (
        (NameOID.COUNTRY_NAME, "BE"),
        (NameOID.ORGANIZATION_NAME, "KSZ Gateway"),
        (NameOID.COMMON_NAME, common_name),
        *more,
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, serial: int, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs: bool = True, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _reuse(path: Path, authority: Identity | None, serial: int, now: datetime) -> Identity | None:
    """Return what stands at `path` if it is whole, ours and not near its end; None if it must be made anew.

    `authority` None asks for a self-signed certificate, whatever its serial.
    """
    try:
        identity = load_identity(path)
        certificate = identity.certificate
        certificate.verify_directly_issued_by((authority or identity).certificate)
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature):
        return None
    if authority is not None and certificate.serial_number != serial:
        return None
    fresh = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEWAL_MARGIN
    return identity if fresh else None


def _renew_revocation_list(path: Path, authority: Identity, now: datetime) -> None:
    """Make a revocation list unless there is a good one; what the former one listed stays revoked."""
    serials: set[int] = {REVOKED_SERIAL}
    try:
        former = x509.load_pem_x509_crl(path.read_bytes())
    except (FileNotFoundError, ValueError):
        former = None
    if former is not None and former.is_signature_valid(authority.key.public_key()):
        end = former.next_update_utc
        if end is not None and former.last_update_utc <= now < end - _RENEWAL_MARGIN:
            return
        serials |= _revoked_serials(former)
    _write(path, create_revocation_list(authority, serials, now), 0o644)


def _revoked_serials(revocation_list: x509.CertificateRevocationList) -> set[int]:
    return {revoked.serial_number for revoked in revocation_list}


def _keep(path: Path, identity: Identity) -> Identity:
    _write(path.with_name(path.name + ".key"), identity.key_pem, 0o600)
    _write(path.with_name(path.name + ".pem"), identity.certificate_pem, 0o644)
    return identity


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace the file at once, so that no reader sees half of it and no key is ever readable by others."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)


def _prepare_operator(path: Path) -> None:
    """Make an operator's pair, without a passphrase, unless it is there."""
    if path.with_suffix(".key").exists() and path.with_suffix(".pub").exists():
        return
    key = Ed25519PrivateKey.generate()
    _write(path.with_suffix(".key"), private_pem(key, None), 0o600)
    _write(path.with_suffix(".pub"), public_pem(key), 0o644)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
