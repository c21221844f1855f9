"""The audit's monthly keys: two per month, in a directory kept apart from the database and its backups.

Destroying a month's file makes the month unreadable everywhere, backups and standbys included: nobody can
decrypt its records any more, the auditor neither, nor find a person in them. A key is made only for sealing;
reading never makes one.
"""

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_KEY_BYTES = 32


class AuditKeysUnusable(Exception):
    """The directory or a file of it cannot be trusted or read; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class MonthKey:
    """The keys of a month (`2026-01`): one for the pseudonyms of persons, one without which no sealed part opens."""

    month: str
    pseudonym: bytes = field(repr=False)
    secret: bytes = field(repr=False)


class MonthKeys:
    """The keys in a directory, which several processes and nodes may share; thread-safe."""

    def __init__(self, directory: Path) -> None:
        """Use the directory, making it if need be; AuditKeysUnusable if others may enter it."""
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(directory)
        except OSError as error:
            raise AuditKeysUnusable(f"{directory}: {error.strerror}") from error

    def get_for_sealing(self, month: str) -> MonthKey:
        """Return the month's keys, making them if nobody has; AuditKeysUnusable when neither can be done."""
        try:
            return self._read(month) or self._make(month)
        except OSError as error:
            raise AuditKeysUnusable(f"{self._path(month)}: {error.strerror}") from error

    def find(self, month: str) -> MonthKey | None:
        """Return the month's keys as they are on disk, None when they were destroyed or never made."""
        try:
            return self._read(month)
        except OSError as error:
            raise AuditKeysUnusable(f"{self._path(month)}: {error.strerror}") from error

    def list_months(self) -> list[str]:
        """Return the months that have keys, the earliest first."""
        return sorted(path.stem for path in self._directory.glob("[0-9]*-[0-9][0-9].key"))

    def destroy(self, month: str) -> None:
        """Take the month's keys away for good; KeyError when there are none, AuditKeysUnusable when it cannot be done.

        A copy of the file in a backup is not ours to reach.
        """
        try:
            self._path(month).unlink()
            self._sync()
        except FileNotFoundError:
            raise KeyError(month) from None
        except OSError as error:
            raise AuditKeysUnusable(f"{self._path(month)}: {error.strerror}") from error

    def _path(self, month: str) -> Path:
        return self._directory / f"{month}.key"

    def _read(self, month: str) -> MonthKey | None:
        path = self._path(month)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        _check_private(path)
        if len(content) != 2 * _KEY_BYTES:
            raise AuditKeysUnusable(f"{path}: not a pair of audit keys; restore the file from its backup")
        return MonthKey(month, content[:_KEY_BYTES], content[_KEY_BYTES:])

    def _make(self, month: str) -> MonthKey:
        """Make the file appear whole and once: processes that race all end up with the first one's keys."""
        draft = self._directory / f".{month}.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(2 * _KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            # Where another process was first, its keys are the month's.
            with suppress(FileExistsError):
                os.link(draft, self._path(month))
        finally:
            os.unlink(draft)
        # A record sealed under a key that a power cut takes away could never be read.
        self._sync()
        key = self._read(month)
        if key is None:
            raise AuditKeysUnusable(f"{self._path(month)}: vanished while it was made")
        return key

    def _sync(self) -> None:
        """Make it durable which files there are."""
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _check_private(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise AuditKeysUnusable(f"{path}: must belong to this user, and be closed to all others (chmod go-rwx)")
