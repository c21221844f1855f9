"""Certificates as User Management registers them."""

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from authz.brussels import brussels_day
from authz.user_management.model import Certificate, CertificateKind


def register(certificate: x509.Certificate, kind: CertificateKind = CertificateKind.PERSONALSIGN_3_PRO) -> Certificate:
    """Return what is registered of a certificate."""
    return Certificate(
        certificate.fingerprint(SHA256()).hex(),
        kind,
        brussels_day(certificate.not_valid_after_utc),
    )
