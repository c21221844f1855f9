"""The box that a sealed part lies in: closed by the gateway, opened with the month's keys and the auditor's key.

A box is a version byte, the X25519 public key of the process that closed it, a nonce, and AES-256-GCM. Its key is
HKDF-SHA256 over what that process and the auditor agree on, salted with the month's secret. A process makes a pair of
its own for each month and forgets the private half at once: it has the key of its own boxes of that month, and of no
other.
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.audit.keys import MonthKey, MonthKeys
from gateway.storage.forking import call_in_child

_VERSION = b"\x01"
_PUBLIC = slice(1, 33)
_NONCE = slice(33, 45)
_CIPHERTEXT = slice(45, None)


class BoxBroken(Exception):
    """The box was not closed for this key, or not around this record, or was changed."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """What a process seals the records of a month with."""

    month: MonthKey
    _prefix: bytes = field(repr=False)
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def derive(cls, month: MonthKey, reading_key: X25519PublicKey) -> Self:
        """Agree on a key with the auditor."""
        pair = X25519PrivateKey.generate()
        own = pair.public_key().public_bytes_raw()
        key = _derive(pair.exchange(reading_key), month, own, reading_key.public_bytes_raw())
        return cls(month, _VERSION + own, AESGCM(key))

    def close(self, octets: bytes, bound: bytes) -> bytes:
        """Return a box around the octets that opens only together with `bound`."""
        # Random, so that threads need not agree: safe for 2^32 boxes of one process and month (SP 800-38D).
        nonce = secrets.token_bytes(_NONCE.stop - _NONCE.start)
        return self._prefix + nonce + self._cipher.encrypt(nonce, octets, bound)


class SealingKeys:
    """The keys that this process seals with, one a month; thread-safe, and made anew in a forked process."""

    def __init__(self, months: MonthKeys, reading_key: X25519PublicKey) -> None:
        """Seal under the month's keys for whoever has the private half of `reading_key`."""
        self._months = months
        self._reading_key = reading_key
        self._known: dict[str, SealingKey] = {}
        self._forgetting = call_in_child(self._forget)

    def get(self, month: str) -> SealingKey:
        """Return the key of a month (`2026-01`); AuditKeysUnusable without the month's own."""
        known = self._known.get(month)
        if known is None:
            known = SealingKey.derive(self._months.get_for_sealing(month), self._reading_key)
            # Of threads that race, each may keep its own: the box says which.
            self._known[month] = known
        return known

    def _forget(self) -> None:
        self._known = {}


def open_box(box: bytes, month: MonthKey, auditor_key: X25519PrivateKey, bound: bytes) -> bytes:
    """Return what is in a box; BoxBroken when any of the four is not what it was closed with."""
    if box[:1] != _VERSION:
        raise BoxBroken
    own = box[_PUBLIC]
    try:
        return _opening_cipher(own, month, auditor_key).decrypt(box[_NONCE], box[_CIPHERTEXT], bound)
    except (InvalidTag, ValueError):
        # ValueError: cut short, or a point that no pair has.
        raise BoxBroken from None


@lru_cache(maxsize=1024)
def _opening_cipher(own: bytes, month: MonthKey, auditor_key: X25519PrivateKey) -> AESGCM:
    """Agree with the process that closed the box; kept, since a process closes all of a month's boxes with one key."""
    shared = auditor_key.exchange(X25519PublicKey.from_public_bytes(own))
    return AESGCM(_derive(shared, month, own, auditor_key.public_key().public_bytes_raw()))


def _derive(shared: bytes, month: MonthKey, own: bytes, auditor: bytes) -> bytes:
    context = b"ksz-gateway audit\n" + month.month.encode() + b"\n" + own + auditor
    return HKDF(SHA256(), length=32, salt=month.secret, info=context).derive(shared)
