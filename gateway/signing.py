"""The gateway's signing key as files: read at start and again when they change, usable or not.

A gateway whose key cannot be used goes on: it can say so, which it could not if it stopped. What must be signed is
refused.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog

from gateway.key_file import KeyFileUnusable, check_private
from gateway.wss.sign import HeaderBlock, Signer, SigningFailed

log = structlog.get_logger(__name__)


class SigningKey:
    """Signs with the key in the files. Threads may share it."""

    def __init__(self, key: Path, certificate: Path) -> None:
        self.paths = (key, certificate)
        self._signer: Signer | None = None
        self.files_unusable = False
        self.reload()

    def reload(self) -> None:
        """Read the files; a pair that cannot be used, or that others may read, leaves a former one in force."""
        key, certificate = self.paths
        try:
            check_private(key)
            self._signer = Signer(key.read_bytes(), certificate.read_bytes())
        except (KeyFileUnusable, OSError, ValueError, TypeError) as error:
            self.files_unusable = True
            log.error("signing_key_unusable", key=str(key), certificate=str(certificate), error=type(error).__name__)
        else:
            self.files_unusable = False
            log.info("signing_key_read", certificate=str(certificate))

    @property
    def validity(self) -> tuple[datetime, datetime] | None:
        """From when until when the certificate is valid; None while the key cannot be used."""
        signer = self._signer
        return signer.validity if signer is not None else None

    def sign(
        self, body_inner_xml: str, confirm: bytes | None, now: datetime, blocks: Sequence[HeaderBlock] = ()
    ) -> bytes:
        """Sign as `Signer.sign` does; SigningFailed too while the key cannot be used."""
        signer = self._signer
        if signer is None:
            raise SigningFailed("The gateway has no usable signing key")
        return signer.sign(body_inner_xml, confirm, now, blocks)
