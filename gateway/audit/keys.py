"""The audit's monthly keys: two per month, in a directory kept apart from the database and its backups.

Destroying a month's file makes the month unreadable everywhere, backups and standbys included: nobody can
decrypt its records any more, the auditor neither, nor find a person in them. A key is made only for sealing;
reading never makes one.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gateway.key_file import KeyFileUnusable, check_private, make_durable, put_once

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
        """Use the directory; AuditKeysUnusable if it is not there, or others may enter it."""
        self._directory = directory
        with _usable(directory):
            check_private(directory)

    @classmethod
    def make(cls, directory: Path) -> Self:
        """Use the directory, making it if need be; AuditKeysUnusable."""
        with _usable(directory):
            # Each by itself: of the parents that it makes on the way, mkdir closes none.
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
        return cls(directory)

    def get_for_sealing(self, month: str) -> MonthKey:
        """Return the month's keys, making them if nobody has; AuditKeysUnusable when neither can be done."""
        with _usable(self._path(month)):
            return self._read(month) or self._make(month)

    def find(self, month: str) -> MonthKey | None:
        """Return the month's keys as they are on disk, None when they were destroyed or never made."""
        with _usable(self._path(month)):
            return self._read(month)

    def list_months(self) -> list[str]:
        """Return the months that have keys, the earliest first."""
        return sorted(path.stem for path in self._directory.glob("[0-9]*-[0-9][0-9].key"))

    def destroy(self, month: str) -> None:
        """Take the month's keys away for good; KeyError when there are none, AuditKeysUnusable when it cannot be done.

        A copy of the file in a backup is not ours to reach.
        """
        with _usable(self._path(month)):
            try:
                self._path(month).unlink()
            except FileNotFoundError:
                raise KeyError(month) from None
            make_durable(self._directory)

    def _path(self, month: str) -> Path:
        return self._directory / f"{month}.key"

    def _read(self, month: str) -> MonthKey | None:
        path = self._path(month)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        check_private(path)
        if len(content) != 2 * _KEY_BYTES:
            raise AuditKeysUnusable(f"{path}: not a pair of audit keys; restore the file from its backup")
        return MonthKey(month, content[:_KEY_BYTES], content[_KEY_BYTES:])

    def _make(self, month: str) -> MonthKey:
        """Make the month's file, if no other process is first; never the directory, which may be another's disk."""
        check_private(self._directory)
        put_once(self._path(month), secrets.token_bytes(2 * _KEY_BYTES), 0o600)
        key = self._read(month)
        if key is None:
            raise AuditKeysUnusable(f"{self._path(month)}: vanished while it was made")
        return key


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Say what to mend of what cannot be used."""
    try:
        yield
    except KeyFileUnusable as unusable:
        raise AuditKeysUnusable(str(unusable)) from None
    except OSError as error:
        raise AuditKeysUnusable(f"{path}: {error.strerror}") from error
