"""Keys in files of their own, outside the database: made once, whole, and closed to all other accounts."""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# What is not there and must be: nobody makes it anew, for what was signed or sealed with it would be lost.
GONE = "is not there: mount or restore it, or prepare a new state with ksz-gateway migrate or ksz-gateway demo"


class KeyFileUnusable(Exception):
    """A key's file cannot be made, read or trusted; the message says what to mend."""


def read_key(path: Path) -> bytes:
    """Return what is in the file; KeyFileUnusable."""
    try:
        check_private(path)
        return path.read_bytes()
    except OSError as error:
        raise KeyFileUnusable(f"{path}: {error.strerror}") from error


def make_key(path: Path, make: Callable[[], bytes]) -> None:
    """Put in the file what `make` returns, if nobody has; KeyFileUnusable."""
    try:
        if not path.exists():
            put_once(path, make(), 0o600)
    except OSError as error:
        raise KeyFileUnusable(f"{path}: {error.strerror}") from error


def check_private(path: Path) -> None:
    """Raise KeyFileUnusable unless the file or directory is ours, and closed to all others."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise KeyFileUnusable(f"{path}: {GONE}") from None
    except OSError as error:
        raise KeyFileUnusable(f"{path}: {error.strerror}") from error
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileUnusable(f"{path}: must belong to this user, and be closed to all others (chmod go-rwx)")


def put_once(path: Path, content: bytes, mode: int) -> None:
    """Make the file appear whole and once: of processes that race, the first one's content is everybody's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    # What is signed or sealed under a key that a power cut takes away could never be verified or read.
    make_durable(path.parent)


def make_durable(directory: Path) -> None:
    """Make it durable which files there are in the directory; OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
