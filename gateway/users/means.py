"""Logging in with eID, itsme or an authenticator app, as far as a gateway without the federal login service can: the
holder signs a nonce with the key of a certificate that names the person and the means.

Like a Belgian citizen certificate ours has the national number in the subject's serialNumber; the means is its
organisational unit. It must come from the client authority. In production the federal service proves these means, and
this module is not used.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authz.ssin import has_valid_check_digits
from gateway.pki import Identity, load_identity
from gateway.wss.faults import SecurityFault
from gateway.wss.trust import Trust

MEANS = ("eid", "itsme", "app")

# What is signed begins so, so that no signature made for another purpose can serve here, nor the other way round.
_PURPOSE = b"ksz-gateway users login\x00"


class ProofRefused(Exception):
    """The signature or its certificate proves nobody; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A signature over a nonce, with the certificate (DER) of the key that made it."""

    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """The person whom a proof names, and by which means."""

    ssin: str = field(repr=False)
    means: str


def make_nonce() -> bytes:
    """Return what the holder must sign; for one login only."""
    return secrets.token_bytes(32)


def load_proving_identity(path: Path) -> Identity:
    """Read `path.pem` and `path.key`; ProofRefused when they cannot be read."""
    try:
        return load_identity(path.with_suffix("") if path.suffix in {".pem", ".key"} else path)
    except (OSError, ValueError) as error:
        raise ProofRefused(f"{path}.pem and {path}.key cannot be used: {error}") from None


def sign_nonce(identity: Identity, nonce: bytes) -> Proof:
    """Sign as the holder's card or telephone would."""
    data = _PURPOSE + nonce
    if isinstance(identity.key, rsa.RSAPrivateKey):
        signature = identity.key.sign(data, padding.PKCS1v15(), SHA256())
    else:
        signature = identity.key.sign(data, ec.ECDSA(SHA256()))
    return Proof(identity.certificate.public_bytes(Encoding.DER), signature)


def verify_proof(proof: Proof, nonce: bytes, trust: Trust, now: datetime) -> Holder:
    """Return whom the proof names; ProofRefused for a certificate that is not believed or names no person, or a
    signature that is not its key's over this nonce.
    """
    try:
        trust.authenticate(proof.certificate, now)
    except SecurityFault as fault:
        raise ProofRefused(fault.reason) from None
    certificate = x509.load_der_x509_certificate(proof.certificate)
    _verify_signature(certificate, proof.signature, _PURPOSE + nonce)
    ssin, means = (
        _of_subject(certificate, NameOID.SERIAL_NUMBER),
        _of_subject(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME),
    )
    if not has_valid_check_digits(ssin) or means not in MEANS:
        raise ProofRefused("this certificate is no person's: log in with an eID, itsme or app certificate")
    return Holder(ssin, means)


def _verify_signature(certificate: x509.Certificate, signature: bytes, data: bytes) -> None:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(SHA256()))
        else:
            raise ProofRefused("a key of this kind cannot be used here")
    except InvalidSignature:
        raise ProofRefused("the signature is not that of the certificate's key over this login") from None


def _of_subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if len(values) == 1 else ""
