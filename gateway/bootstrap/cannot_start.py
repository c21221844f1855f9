"""What is told when a gateway cannot start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

from gateway.storage.naming import reason_of

PREPARE = "run ksz-gateway migrate, or ksz-gateway demo for a world to try things in"


class CannotStart(Exception):
    """A part that the gateway needs is missing or broken; the message says which and what to do."""


def read_file(path: Path) -> bytes:
    """Return what is in the file; CannotStart."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}: put the file there, or name another in the settings.") from None


@contextmanager
def database_answering() -> Iterator[None]:
    """Raise CannotStart, with one line, when the database does not answer: no data was sent, so none can be in it."""
    try:
        yield
    except OperationalError as error:
        reason = reason_of(error)
        raise CannotStart(f"the database does not answer ({reason}): check database_url, and the server.") from None
