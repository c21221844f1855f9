"""An X.509 certificate as the gateway uses it: who it names, until when, and the key that verifies."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.names import ECDSA_SHA256, RSA_SHA256
from gateway.wss.policy import SecurityPolicy

_WEAK_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. `issuer` and `subject` are RFC 4514 text, times aware UTC, `sha256` lower-case hex.

    `algorithm` is the one signature algorithm that its key can verify; `public_key_sha256` names the key
    itself, whatever certificate it stands in; `verifying_key` is an xmlsec key, which threads may share.
    """

    der: bytes
    pem: str
    sha256: str
    issuer: str
    serial: int
    subject: str
    not_before: datetime
    not_after: datetime
    algorithm: str
    key_bits: int
    public_key_sha256: bytes
    verifying_key: Any


def read_certificate(der: bytes, policy: SecurityPolicy) -> Certificate:
    """Read a DER certificate; SecurityFault if it cannot be read, or is too weak."""
    try:
        return _read(der, policy)
    except SecurityFault:
        raise
    except Exception:
        # A stranger chose these octets, and the parsers have no common class for what they cannot read.
        raise _invalid("The certificate cannot be read. Send one X.509 v3 certificate, DER in base64.") from None


def _read(der: bytes, policy: SecurityPolicy) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    public_key = certificate.public_key()
    if certificate.signature_hash_algorithm is None or certificate.signature_hash_algorithm.name in _WEAK_HASHES:
        raise _invalid("The certificate is signed with a hash that is too weak. Ask for one signed with SHA-256.")
    _check_key_usage(certificate)
    algorithm, key_bits = _check_key(public_key, policy)
    key_octets = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        der=der,
        pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
        sha256=sha256(der).hexdigest(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        algorithm=algorithm,
        key_bits=key_bits,
        public_key_sha256=sha256(key_octets).digest(),
        # From the key alone: xmlsec copies its key for every signature, and with a certificate in it that takes
        # as long as the verification itself.
        verifying_key=xmlsec.Key.from_memory(key_octets, xmlsec.constants.KeyDataFormatDer),
    )


def _check_key(public_key: object, policy: SecurityPolicy) -> tuple[str, int]:
    """Return the algorithm that the key verifies, and its size in bits."""
    if isinstance(public_key, rsa.RSAPublicKey):
        if not policy.min_rsa_bits <= public_key.key_size <= policy.max_rsa_bits:
            raise _invalid(f"The certificate's RSA key must have {policy.min_rsa_bits} to {policy.max_rsa_bits} bits.")
        return RSA_SHA256, public_key.key_size
    if isinstance(public_key, ec.EllipticCurvePublicKey) and isinstance(public_key.curve, ec.SECP256R1):
        return ECDSA_SHA256, public_key.key_size
    raise _invalid("The certificate's key must be RSA, or elliptic on the curve P-256.")


def _check_key_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.digital_signature:
        raise _invalid("The certificate's keyUsage does not allow digitalSignature. Ask for one that does.")


def _invalid(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.INVALID_CERTIFICATE, reason)
