"""Fresh databases for tests, of each kind that the gateway runs on."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pytest
from postgresql_server import PostgresServer
from sqlalchemy import Connection, make_url

from gateway.storage.database import Database


class Databases(Protocol):
    """Gives databases; each lasts until the end of its block, and is nobody else's."""

    @property
    def kind(self) -> str:
        """What `connection.dialect.name` says of them."""
        ...

    def empty(self, directory: Path) -> AbstractContextManager[str]:
        """Give the URL of a database without tables. One that is a file lies in the directory."""
        ...

    def copy(self, url: str, directory: Path) -> AbstractContextManager[str]:
        """Give the URL of a copy of a database that nobody uses now."""
        ...

    def migrated(self, directory: Path) -> AbstractContextManager[str]:
        """Give the URL of a database at the newest schema."""
        ...

    def away(self, url: str) -> AbstractContextManager[None]:
        """Let nobody connect to the database. What is connected to a file must be closed before and after."""
        ...


class SqliteDatabases:
    """Each a file `ksz.db`."""

    kind = "sqlite"

    def __init__(self, make_directory: Callable[[], Path]) -> None:
        self._make_directory = make_directory

    @contextmanager
    def empty(self, directory: Path) -> Iterator[str]:
        yield sqlite_url(directory)

    @contextmanager
    def copy(self, url: str, directory: Path) -> Iterator[str]:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(make_url(url).database or "", directory / "ksz.db")
        yield sqlite_url(directory)

    def migrated(self, directory: Path) -> AbstractContextManager[str]:
        return self.copy(self._template, directory)

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        file = Path(make_url(url).database or "")
        hidden = {each: each.with_name(f"hidden-{each.name}") for each in (file, *file.parent.glob("ksz.db-*"))}
        for each, aside in hidden.items():
            each.rename(aside)
        file.mkdir()
        try:
            yield
        finally:
            file.rmdir()
            for each, aside in hidden.items():
                aside.rename(each)

    @cached_property
    def _template(self) -> str:
        directory = self._make_directory()
        directory.mkdir(exist_ok=True)
        url = sqlite_url(directory)
        migrate(url)
        return url


class PostgresqlDatabases:
    """Each a database of one server. Close all that uses it before the block ends, or it is cut off."""

    kind = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def empty(self, directory: Path) -> AbstractContextManager[str]:
        return self._lent(self._server.create_database())

    def copy(self, url: str, directory: Path) -> AbstractContextManager[str]:
        return self._lent(self._server.create_database(template=make_url(url).database or ""))

    def migrated(self, directory: Path) -> AbstractContextManager[str]:
        return self.copy(self._template, directory)

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        name = make_url(url).database or ""
        self._server.close_database(name)
        try:
            yield
        finally:
            self._server.open_database(name)

    @cached_property
    def _template(self) -> str:
        url = self._server.url(self._server.create_database())
        migrate(url)
        return url

    @contextmanager
    def _lent(self, name: str) -> Iterator[str]:
        try:
            yield self._server.url(name)
        finally:
            self._server.drop_database(name)


def sqlite_url(directory: Path) -> str:
    """Return the address of the directory's SQLite database, there or not."""
    return f"sqlite:///{directory / 'ksz.db'}"


def sampled(names: str, cases: Sequence[Any], every: int) -> pytest.MarkDecorator:
    """Parametrise a test with all the cases on SQLite and, since it depends little on the database, with one in `every`
    on PostgreSQL. Cases are pytest.param; the test's world must rest on `databases`.
    """
    return pytest.mark.parametrize(
        names,
        [
            case if number % every == 0 else pytest.param(*case.values, id=case.id, marks=pytest.mark.sqlite_only)
            for number, case in enumerate(cases)
        ],
    )


@contextmanager
def another_writer(url: str) -> Iterator[None]:
    """Hold the lock of all writers, as another process would."""
    database = Database(url)
    with database.write():
        yield
    database.close()


def explain(connection: Connection, statement: str, parameters: Any = None) -> str:
    """Return how the database would run a statement, were its tables large."""
    if connection.dialect.name == "sqlite":
        return "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
    # What is as small as in tests would be read from one end to the other.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return "; ".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())


def migrate(url: str) -> None:
    """Bring a database to the newest schema."""
    database = Database(url)
    database.migrate()
    database.close()
