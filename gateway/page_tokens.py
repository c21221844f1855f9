"""The tokens of pages (`services.paging`): sealed with a key that all nodes share and that outlives a restart.

AES-SIV (RFC 5297) is made for this: its tag is a keyed hash over the question and the position, so that a token
proves both and is the same whenever the same page is asked; and the position itself cannot be read. The key lies
outside the database, in a file of its own.
"""

import binascii
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from services.paging import PageScope

KEY_BYTES = 64


class PageTokenKeyUnusable(Exception):
    """The key's file cannot be made, read or trusted; the message says what to mend."""


class SealedPageTokens:
    """Issues and reads tokens; thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Use the key in the file, making it if nobody has; PageTokenKeyUnusable when neither can be done."""
        try:
            if not path.exists():
                _make(path)
            return cls(_read(path))
        except OSError as error:
            raise PageTokenKeyUnusable(f"{path}: {error.strerror}") from error

    def issue(self, scope: PageScope, position: str) -> str:
        """Return the token of a position: four characters for every three bytes of tag and position."""
        sealed = self._cipher.encrypt(position.encode(), _bound_to(scope))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def find_position(self, scope: PageScope, token: str) -> str | None:
        """Return the position that was sealed for this question; None for any other text."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            position = self._cipher.decrypt(sealed, _bound_to(scope)).decode()
        except (binascii.Error, UnicodeError, InvalidTag, ValueError):
            return None
        # Base64 has more than one text for the same bytes: only the one that was issued counts.
        return position if self.issue(scope, position) == token else None


def _bound_to(scope: PageScope) -> list[bytes]:
    return [scope.client.encode(), scope.operation.encode(), scope.question.encode()]


def _read(path: Path) -> bytes:
    status = path.stat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PageTokenKeyUnusable(f"{path}: must belong to this user, and be closed to all others (chmod go-rwx)")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise PageTokenKeyUnusable(f"{path}: not a key of {KEY_BYTES} bytes; remove it, and a new one is made")
    return key


def _make(path: Path) -> None:
    """Make the file appear whole and once: of processes that race, the first one's key is everybody's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
