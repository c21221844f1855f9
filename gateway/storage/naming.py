"""What people are told of a database: how it is called, what it says of a failure, and what to do then."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

MEND_DATABASE = "check database_url, the server and the disk; docs/backup.md tells how to restore it"
"""What to do where the database fails."""


def file_of(url: str) -> Path | None:
    """Return the file of a SQLite database, None for PostgreSQL."""
    address = make_url(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def name_of(url: str) -> str:
    """Return how people call the database: its file, or its address without what may be a secret."""
    address = make_url(url)
    where = {name: value for name, value in address.query.items() if name in ("host", "port")}
    return str(file_of(url) or address.set(query=where).render_as_string(hide_password=True))


def reason_of(error: DBAPIError) -> str:
    """Return what the database says of a failure: its first line, since what PostgreSQL tells further quotes rows."""
    return str(error.orig).partition("\n")[0]
