"""A certificate that somebody registers, read from a PEM file."""

from pathlib import Path

from cryptography import x509

from authz.user_management.model import Certificate, CertificateKind
from gateway.cli.output import Problem
from gateway.users.certificates import register


def read_certificate(file: Path, kind: CertificateKind) -> Certificate:
    """Return the certificate in the file; Problem when there is none."""
    try:
        return register(x509.load_pem_x509_certificate(file.read_bytes()), kind)
    except (OSError, ValueError) as error:
        raise Problem(f"{file} holds no PEM certificate: {error}") from None
