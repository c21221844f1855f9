"""The second key: what the audit seals is read with the month's file and the auditor's private key, never with one.

X25519 in PEM files. The gateway has the public key alone, so it cannot read what it sealed; the private key is the
auditor's, and best kept away from every machine of the gateway, under a passphrase.
"""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_MAKE_ONE = "make a pair with ksz-gateway audit key"


class ReadingKeyUnusable(Exception):
    """A file of the pair is missing or is no such key; the message says what to do."""


class PassphraseWrong(ReadingKeyUnusable):
    """The private key is under a passphrase, which was not given or is another one."""


def load_reading_key(path: Path) -> X25519PublicKey:
    """Read the auditor's public key; ReadingKeyUnusable when there is none."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise ReadingKeyUnusable(f"{path}: no X25519 public key in PEM: {_MAKE_ONE}") from None
    if not isinstance(key, X25519PublicKey):
        raise ReadingKeyUnusable(f"{path}: a public key, but not an X25519 one: {_MAKE_ONE}")
    try:
        X25519PrivateKey.generate().exchange(key)
    except ValueError:
        # A point of low order, with which everybody agrees on the same: better not to start than to record nothing.
        raise ReadingKeyUnusable(f"{path}: a public key that no private key has: {_MAKE_ONE}") from None
    return key


def load_auditor_key(path: Path, passphrase: str | None = None) -> X25519PrivateKey:
    """Read the auditor's private key; PassphraseWrong when it takes another passphrase, else ReadingKeyUnusable."""
    content = _read(path)
    try:
        key = load_pem_private_key(content, None if passphrase is None else passphrase.encode())
    except TypeError:
        told = "needs no passphrase" if passphrase is not None else "needs its passphrase"
        raise PassphraseWrong(f"{path}: {told}") from None
    except (ValueError, UnsupportedAlgorithm):
        if passphrase is not None:
            raise PassphraseWrong(f"{path}: not under this passphrase, or damaged") from None
        raise ReadingKeyUnusable(f"{path}: no X25519 private key in PEM") from None
    if not isinstance(key, X25519PrivateKey):
        raise ReadingKeyUnusable(f"{path}: a private key, but not an X25519 one")
    return key


def make_pair(private: Path, public: Path, passphrase: str | None = None) -> None:
    """Write a new pair, the private key readable by its owner alone; FileExistsError rather than replace a file."""
    key = X25519PrivateKey.generate()
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection), 0o600)
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReadingKeyUnusable(f"{path}: {error.strerror}: {_MAKE_ONE}, or give the file its place") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
