"""Checkpoints: signed roots of the log, as C2SP's tlog-checkpoint writes them in a signed-note, with Ed25519.

    ksz-gateway/audit                             the log's origin, which is also the name of its key
    20852163                                      how many entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=  the root over them
    time 2026-11-22T04:29:00.123456Z              when it was signed

    — ksz-gateway/audit Az3grlgtzPICa5OS8npVmf…   the signature of the lines above the blank one

The key's public half travels as a vkey: `name+key id in hex+base64 of the kind and the key`.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.audit.tree import HASH_BYTES

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class CheckpointBroken(Exception):
    """The text is no checkpoint that this key has signed; the message says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root over the first `size` entries of the log called `origin`; `time` is aware."""

    origin: str
    size: int
    root: bytes
    time: datetime

    @property
    def text(self) -> str:
        """The lines that are signed, each with its end."""
        root = base64.b64encode(self.root).decode()
        time = self.time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{self.origin}\n{self.size}\n{root}\ntime {time}Z\n"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """Return the checkpoint with its signature."""
    return _sign_text(checkpoint.text, checkpoint.origin, key)


def is_own(text: str, origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> bool:
    """Tell whether this is what `sign` makes of this size and root with this key, at whatever time.

    Ed25519 signs the same text the same way each time (RFC 8032 §5.1.6), so to sign again and compare proves as much as
    to verify, and costs a third. False is no proof of anything: `open` tells then.
    """
    signed, blank, _ = text.rpartition("\n\n")
    begin = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\ntime "
    return (
        bool(blank)
        and signed.startswith(begin)
        and hmac.compare_digest(_sign_text(f"{signed}\n", origin, key).encode(), text.encode())
    )


def open(text: str, public_key: Ed25519PublicKey) -> Checkpoint:
    """Return the checkpoint whose text this is; CheckpointBroken unless this key signed it under its origin.

    Lines of other signers may stand beside, as witnesses add them.
    """
    signed, blank, signatures = text.rpartition("\n\n")
    if not signatures.endswith("\n"):
        raise CheckpointBroken("it ends before its last line does")
    checkpoint = _read(f"{signed}\n" if blank else "")
    key_id = _key_id(checkpoint.origin, public_key)
    for line in signatures.removesuffix("\n").split("\n"):
        signature = _signature(line, checkpoint.origin)
        if signature[:_KEY_ID_BYTES] == key_id:
            try:
                public_key.verify(signature[_KEY_ID_BYTES:], checkpoint.text.encode())
            except InvalidSignature:
                raise CheckpointBroken("the signature is not that of these lines") from None
            return checkpoint
    raise CheckpointBroken("the log's key did not sign it")


def make_vkey(origin: str, public_key: Ed25519PublicKey) -> str:
    """Return the public half of the log's key as a vkey."""
    kind_and_key = base64.b64encode(_ED25519 + public_key.public_bytes_raw()).decode()
    return f"{origin}+{_key_id(origin, public_key).hex()}+{kind_and_key}"


def read_vkey(vkey: str) -> tuple[str, Ed25519PublicKey]:
    """Return the origin and the key of a vkey; ValueError when it is none."""
    origin, key_id, encoded = vkey.strip().split("+", 2)
    octets = base64.b64decode(encoded, validate=True)
    if octets[:1] != _ED25519:
        raise ValueError("the vkey holds another kind of key than Ed25519")
    public_key = Ed25519PublicKey.from_public_bytes(octets[1:])
    if _key_id(origin, public_key).hex() != key_id:
        raise ValueError("the vkey's id is not that of its key")
    return origin, public_key


def _read(text: str) -> Checkpoint:
    """Return the checkpoint of the signed lines, which are the only ones it can be written as."""
    try:
        origin, size, root, time = text.removesuffix("\n").split("\n")
        checkpoint = Checkpoint(
            origin,
            int(size),
            base64.b64decode(root, validate=True),
            datetime.strptime(time, f"time {_TIME}").replace(tzinfo=UTC),
        )
    except ValueError:
        raise CheckpointBroken("it has not the lines of a checkpoint") from None
    if checkpoint.text != text or len(checkpoint.root) != HASH_BYTES:
        raise CheckpointBroken("it has not the lines of a checkpoint")
    return checkpoint


def _signature(line: str, name: str) -> bytes:
    """Return key id and signature of a signer's line, nothing of another's."""
    dash, _, rest = line.partition(" ")
    signer, _, encoded = rest.partition(" ")
    if (dash, signer) != ("—", name):
        return b""
    try:
        octets = base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
    # Base64 has more than one text for the same octets: only the one that is written counts.
    return octets if base64.b64encode(octets).decode() == encoded else b""


def _sign_text(text: str, origin: str, key: Ed25519PrivateKey) -> str:
    signature = _signer_id(origin, key) + key.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


@lru_cache(maxsize=8)
def _signer_id(name: str, key: Ed25519PrivateKey) -> bytes:
    """Return the id of a signing key, of which a process has one: to work it out costs half as much as to sign."""
    return _key_id(name, key.public_key())


def _key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()).digest()[:_KEY_ID_BYTES]
