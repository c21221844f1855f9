"""The tokens of pages (`services.paging`): sealed with a key that all nodes share and that outlives a restart.

AES-SIV (RFC 5297) is made for this: its tag is a keyed hash over the question and the position, so that a token
proves both and is the same whenever the same page is asked; and the position itself cannot be read. The key lies
outside the database, in a file of its own.
"""

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.key_file import KeyFileUnusable, make_key, read_key
from services.paging import PageScope

KEY_BYTES = 64


class SealedPageTokens:
    """Issues and reads tokens; thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Use the key in the file, making it if nobody has; KeyFileUnusable when neither can be done."""
        make_key(path, lambda: secrets.token_bytes(KEY_BYTES))
        key = read_key(path)
        if len(key) != KEY_BYTES:
            raise KeyFileUnusable(f"{path}: not a key of {KEY_BYTES} bytes; remove it, and a new one is made")
        return cls(key)

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
