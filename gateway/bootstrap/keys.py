"""Opens keys and certificates: whom the gateway trusts, and with what it serves."""

from datetime import datetime

from cryptography import x509

from gateway.bootstrap.cannot_start import CannotStart, read_file
from gateway.key_file import KeyFileUnusable
from gateway.page_tokens import SealedPageTokens
from gateway.settings import Settings
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust


def open_client_trust(settings: Settings, policy: SecurityPolicy | None = None) -> Trust:
    """Return the authorities that client certificates come from, with their revocation lists; CannotStart."""
    crl = read_file(settings.client_crl) if settings.client_crl is not None else None
    try:
        return Trust(read_file(settings.client_ca), crl, policy)
    except ValueError as error:
        raise CannotStart(f"{settings.client_ca}, {settings.client_crl}: {error}: put PEM there.") from None


def open_page_tokens(settings: Settings) -> SealedPageTokens:
    """Return what seals the tokens of pages; CannotStart."""
    try:
        return SealedPageTokens.from_file(settings.paging_key)
    except KeyFileUnusable as error:
        raise CannotStart(f"the key of page tokens cannot be used: {error}") from None


def read_tls_validity(settings: Settings) -> tuple[datetime, datetime] | None:
    """Return from when until when our TLS certificate is valid: as it was at the start, for so long it is served."""
    if not settings.tls:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(read_file(settings.tls_certificate))
    except ValueError as error:
        raise CannotStart(f"{settings.tls_certificate}: {error}: put PEM there.") from None
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
