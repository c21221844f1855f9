"""The file in which a person's session token lies between two commands: readable by that person alone.

A file that others could read or have put there is refused, never repaired: its token may be known to them.
"""

import os
import stat
from pathlib import Path

_LONGEST = 1024


class SessionFileRefused(Exception):
    """The file cannot be trusted or used; the message says why and what to do."""


class SessionFile:
    """One person's token, at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str | None:
        """Return the token, None when there is no file; SessionFileRefused when it cannot be trusted."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SessionFileRefused(f"{self.path}: {error.strerror}") from None
        try:
            self._check(os.fstat(descriptor))
            return os.read(descriptor, _LONGEST).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise SessionFileRefused(f"{self.path} is no file: remove it, and log in again")
        if found.st_uid != os.geteuid():
            raise SessionFileRefused(f"{self.path} belongs to somebody else: remove it, and log in again")
        if found.st_mode & 0o077:
            raise SessionFileRefused(
                f"{self.path} can be read by others, who may know its token: remove it, and log in again"
            )

    def write(self, token: str) -> None:
        """Replace the file by one that holds this token; SessionFileRefused when it cannot be written."""
        draft = self.path.with_name(f".{self.path.name}.draft")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{token}\n")
            draft.replace(self.path)
        except OSError as error:
            raise SessionFileRefused(f"{self.path} cannot be written: {error.strerror}") from None

    def remove(self) -> None:
        """Forget the token."""
        self.path.unlink(missing_ok=True)
