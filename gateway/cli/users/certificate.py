"""A certificate as User Management registers it, read from a PEM file."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from authz.brussels import brussels_day
from authz.user_management.model import Certificate, CertificateKind
from gateway.cli.output import Problem


def read_certificate(file: Path, kind: CertificateKind) -> Certificate:
    """Return the certificate in the file; Problem when there is none."""
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Problem(f"{file} holds no PEM certificate: {error}") from None
    return Certificate(certificate.fingerprint(SHA256()).hex(), kind, brussels_day(certificate.not_valid_after_utc))
