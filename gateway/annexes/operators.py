"""The operators who may activate annexes: their public keys in a directory that every process reads.

`NAME.pub` (PEM, Ed25519) is an operator, who may propose and approve. `retired/NAME.NUMBER.pub` was one: what that key
signed up to and including activation NUMBER stays valid, and nothing else. A key in neither place proves nothing.
"""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.file_watch import FileWatch

log = structlog.get_logger(__name__)

OPERATOR_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CURRENT = re.compile(rf"(?P<name>{OPERATOR_NAME.pattern})\.pub")
_RETIRED = re.compile(rf"(?P<name>{OPERATOR_NAME.pattern})\.(?P<until>[0-9]{{1,18}})\.pub")
RETIRED = "retired"


class OperatorUnknown(Exception):
    """The key is no operator's, or cannot be used; the message says why and names no secret."""


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """A public key, good for activations up to number `until`; None for one that is an operator's now."""

    name: str
    public_key: Ed25519PublicKey
    until: int | None = None

    @property
    def octets(self) -> bytes:
        """The key's 32 bytes: by which two names are seen to be one person."""
        return self.public_key.public_bytes_raw()

    def has_signed(self, signature: bytes, octets: bytes) -> bool:
        """Tell whether the signature is this key's, over these octets."""
        try:
            self.public_key.verify(signature, octets)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator with the private key, in the command that he runs."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    def sign(self, octets: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self.key.sign(octets)


KnownKeys = Mapping[str, tuple[OperatorKey, ...]]
"""The keys that each operator has or had."""


class OperatorKeys:
    """The keys in the directory. `known` is replaced, never changed, when the files are others."""

    def __init__(self, directory: Path) -> None:
        """Read the directory; one that is not there has no operators."""
        self.directory = directory
        self._watch = FileWatch((directory, directory / RETIRED), self._read)
        self.known: KnownKeys = {}
        self._read()

    def look(self) -> None:
        """Read the directory again if anything in it changed."""
        self._watch.look()

    def list_current(self) -> list[OperatorKey]:
        """Return the keys of who is an operator now, by name."""
        return [key for _, keys in sorted(self.known.items()) for key in keys if key.until is None]

    def find_signer(self, signature: bytes, octets: bytes, name: str, number: int | None) -> OperatorKey | None:
        """Return the key of this operator that signed, if it is good for an activation of this number.

        None for a number asks for a key that is good for a new one.
        """
        for key in self.known.get(name, ()):
            good = key.until is None or (number is not None and number <= key.until)
            if good and key.has_signed(signature, octets):
                return key
        return None

    def identify(self, key: Ed25519PrivateKey) -> Operator:
        """Return the operator whose key this is; OperatorUnknown for nobody's, or one that two names share."""
        octets = key.public_key().public_bytes_raw()
        names = [each.name for each in self.list_current() if each.octets == octets]
        if not names:
            raise OperatorUnknown(f"it is the key of no operator in {self.directory}")
        if len(names) > 1:
            raise OperatorUnknown(f"{' and '.join(names)} have the same key: each needs one of its own")
        return Operator(names[0], key)

    def _read(self) -> None:
        known: dict[str, tuple[OperatorKey, ...]] = {}
        for key in _read_keys(self.directory):
            known[key.name] = (*known.get(key.name, ()), key)
        self.known = known


def _read_keys(directory: Path) -> Iterator[OperatorKey]:
    for folder, form in ((directory, _CURRENT), (directory / RETIRED, _RETIRED)):
        for path in sorted(folder.glob("*.pub")):
            named = form.fullmatch(path.name)
            try:
                if named is None:
                    raise ValueError("the name of the file is none of an operator")
                if (folder.stat().st_mode | path.stat().st_mode) & stat.S_IWOTH:
                    raise ValueError("anybody may write it, or its directory (chmod o-w)")
                public_key = load_pem_public_key(path.read_bytes())
                if not isinstance(public_key, Ed25519PublicKey):
                    raise ValueError("it is no Ed25519 key")
            except (OSError, ValueError) as error:
                log.error("operator_key_unusable", file=str(path), error=str(error))
                continue
            until = named.groupdict().get("until")
            yield OperatorKey(named["name"], public_key, None if until is None else int(until))


def load_private_key(pem: bytes, passphrase: str | None) -> Ed25519PrivateKey:
    """Read an operator's private key. TypeError when a passphrase is missing or one too many, ValueError otherwise."""
    key = load_pem_private_key(pem, passphrase.encode() if passphrase is not None else None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is no Ed25519 key")
    return key


def private_pem(key: Ed25519PrivateKey, passphrase: str | None) -> bytes:
    """Return the private key as PEM (PKCS#8), encrypted under the passphrase if there is one."""
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the public key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
