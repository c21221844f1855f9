"""A development certificate authority: makes keys, certificates and revocation lists.

Not for production, where they come from a real authority; `gateway.demo_pki` keeps the files of a demo world.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUTHORITY_NAME = "KSZ Gateway Development CA"
_VALIDITY = timedelta(days=397)
_AUTHORITY_VALIDITY = timedelta(days=3650)
_BACKDATING = timedelta(hours=1)


class KeyKind(StrEnum):
    """RSA of 2048 bits, which every SOAP library can verify; EC is P-256."""

    RSA = "rsa"
    EC = "ec"


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
    subject = distinguished_name(name)
    builder = _builder(subject, subject, key, 1, now - _BACKDATING, now + _AUTHORITY_VALIDITY)
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
    builder = _builder(subject or distinguished_name(name), authority.certificate.subject, key, serial, begin, end)
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


def distinguished_name(common_name: str, *more: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """Return the name of a subject, with what else it says of itself."""
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
