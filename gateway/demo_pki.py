"""The keys, certificates and revocation list of a demo world: the files under `DIR/pki`, created, reused and renewed.

Not for production, where keys come from a real authority: the gateway itself reads files and never calls this module
while serving.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from gateway.annexes.operators import private_pem, public_pem
from gateway.audit.reading_key import make_pair
from gateway.pki import (
    Identity,
    KeyKind,
    create_authority,
    create_key,
    create_revocation_list,
    distinguished_name,
    issue,
    load_identity,
)
from gateway.users.means import MEANS

GATEWAY_SERIAL = 1
REVOKED_SERIAL = 6666
"""Stands on every revocation list made here, so that a demo world has something revoked."""

OPERATORS = ("an", "bram")
"""Who activates the annexes of a demo world, four eyes."""

_RENEWAL_MARGIN = timedelta(days=30)


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
                subject = distinguished_name(
                    person.name, (NameOID.SERIAL_NUMBER, person.ssin), (NameOID.ORGANIZATIONAL_UNIT_NAME, person.means)
                )
                key = create_key(KeyKind.EC)
                _keep(path, issue(authority, person.name, serial, now, key=key, subject=subject))


def revoke(directory: Path, serial: int, now: datetime) -> None:
    """Add `serial` to the revocation list under `directory`, which `prepare_pki` has made."""
    pki = directory / "pki"
    with _locked(pki / ".lock"):
        listed = _revoked_serials(x509.load_pem_x509_crl((pki / "crl.pem").read_bytes()))
        content = create_revocation_list(load_identity(pki / "ca"), {*listed, serial}, now)
        _write(pki / "crl.pem", content, 0o644)


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
