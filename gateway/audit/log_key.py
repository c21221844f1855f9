"""The key that signs the log's checkpoints: Ed25519, as PEM, with its public half beside it for whoever verifies."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.audit import checkpoint
from gateway.audit.checkpoint import Checkpoint, CheckpointBroken, make_vkey, read_vkey
from gateway.key_file import KeyFileUnusable, make_key, put_once, read_key


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of the log called `origin`."""

    origin: str
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, origin: str) -> Self:
        """Return a new key, which is in no file."""
        return cls(origin, Ed25519PrivateKey.generate())

    @classmethod
    def make(cls, path: Path, origin: str) -> Self:
        """Use the key in the file, making it and its public half if nobody has; KeyFileUnusable."""
        make_key(path, _make_pem)
        key = cls.from_file(path, origin)
        key.publish(path)
        return key

    @classmethod
    def from_file(cls, path: Path, origin: str) -> Self:
        """Use the key in the file, which belongs to the public half beside it if one is there; KeyFileUnusable."""
        pem = read_key(path)
        try:
            private = load_pem_private_key(pem, None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileUnusable(f"{path}: not an Ed25519 key in PEM; restore the file from its backup")
        key = cls(origin, private)
        key._check_published(public_file(path))
        return key

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self._private.public_key()

    def sign(self, size: int, root: bytes, time: datetime) -> str:
        """Return a signed checkpoint of the log."""
        return checkpoint.sign(Checkpoint(self.origin, size, root, time), self._private)

    def open(self, text: str) -> Checkpoint:
        """Return the checkpoint of the log that the text is; CheckpointBroken."""
        opened = checkpoint.open(text, self.public)
        if opened.origin != self.origin:
            raise CheckpointBroken(f"it is of the log {opened.origin}")
        return opened

    def is_own(self, text: str, size: int, root: bytes) -> bool:
        """Tell, at less cost than `open`, whether the text is just what `sign` makes of this size and root."""
        return checkpoint.is_own(text, self.origin, size, root, self._private)

    def publish(self, path: Path) -> None:
        """Put the public half beside the key's file, if it is not there; KeyFileUnusable."""
        public = public_file(path)
        try:
            if not public.exists():
                put_once(public, f"{make_vkey(self.origin, self.public)}\n".encode(), 0o644)
        except OSError as error:
            raise KeyFileUnusable(f"{public}: {error.strerror}") from error
        self._check_published(public)

    def _check_published(self, path: Path) -> None:
        vkey = make_vkey(self.origin, self.public)
        try:
            published = path.read_text("utf-8").strip() if path.exists() else vkey
        except OSError as error:
            raise KeyFileUnusable(f"{path}: {error.strerror}") from error
        if published != vkey:
            raise KeyFileUnusable(f"{path}: is not the public half of the log's key under the name {self.origin}")


def public_file(path: Path) -> Path:
    """Return where the public half of the key in the file lies, as one vkey line."""
    return path.with_suffix(".pub")


def read_public_file(path: Path) -> tuple[str, Ed25519PublicKey]:
    """Return the log's origin and public key from its public file; OSError, ValueError."""
    return read_vkey(path.read_text("utf-8"))


def _make_pem() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
