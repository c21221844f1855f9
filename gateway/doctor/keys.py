"""Checks of keys and certificates, ours and those that we believe."""

from collections.abc import Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from cryptography import x509

from authz.ssin import Environment
from gateway.annexes.operators import OperatorKeys
from gateway.audit.reading_key import load_reading_key
from gateway.bootstrap import open_client_trust
from gateway.doctor.deployment import Deployment
from gateway.health.expiry import judge_authorities, judge_revocation_lists, judge_validity
from gateway.health.measure import Finding
from gateway.key_file import check_private
from gateway.wss.sign import Signer
from services.health import State

_FEWEST_OPERATORS = 2


def signing_key(deployment: Deployment) -> Finding:
    """Judge the key that replies are signed with: usable, of its certificate, and the certificate valid."""
    settings = deployment.settings
    signer = Signer(settings.signing_key.read_bytes(), settings.signing_certificate.read_bytes())
    return judge_validity(signer.validity, deployment.now)


def tls_certificate(deployment: Deployment) -> Finding:
    """Judge the certificate that TLS is served with, and its key."""
    settings = deployment.settings
    if not settings.tls:
        return Finding(State.OK, "TLS is a proxy's")
    SSLContext(PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key)
    certificate = x509.load_pem_x509_certificate(settings.tls_certificate.read_bytes())
    return judge_validity((certificate.not_valid_before_utc, certificate.not_valid_after_utc), deployment.now)


def private_files(deployment: Deployment) -> Finding:
    """Judge who may read the files that hold secrets; KeyFileUnusable for one that others may."""
    for path in _secrets(deployment):
        if path.exists():
            check_private(path)
    return Finding()


def _secrets(deployment: Deployment) -> Iterator[Path]:
    settings, database = deployment.settings, deployment.database_file
    yield from (settings.signing_key, settings.paging_key, settings.audit_log_key)
    yield from (settings.audit_keys, *settings.audit_keys.glob("*.key"))
    if settings.tls:
        yield settings.tls_key
    if database is not None:
        yield from (database, database.with_name(f"{database.name}-wal"))


def client_authorities(deployment: Deployment) -> Finding:
    """Judge the authorities of the clients' certificates."""
    return judge_authorities(open_client_trust(deployment.settings), deployment.now)


def revocation_lists(deployment: Deployment) -> Finding:
    """Judge the revocation list of each authority."""
    if deployment.settings.client_crl is None:
        return Finding(State.DEGRADED, "no revocation lists are configured")
    return judge_revocation_lists(open_client_trust(deployment.settings), deployment.now)


def auditor_key(deployment: Deployment) -> Finding:
    """Judge the auditor's public key, and whether the private one lies where the gateway could read it."""
    public = deployment.settings.audit_reading_key
    load_reading_key(public)
    private = public.with_suffix(".key")
    if private.exists() and deployment.settings.environment is Environment.PRODUCTION:
        return Finding(State.NOK, f"{private} lies beside it: whoever reads this machine reads the audit")
    return Finding()


def operators(deployment: Deployment) -> Finding:
    """Judge the keys with which operators activate annexes."""
    directory = deployment.settings.annex_operators
    names = {key.name for key in OperatorKeys(directory).list_current()}
    if len(names) < _FEWEST_OPERATORS:
        return Finding(State.NOK, f"{len(names)} operators in {directory}: nobody can activate an annex")
    return Finding(State.OK, f"{len(names)} operators")
