"""The databases that tests run on: what uses `databases` runs once on SQLite and once on PostgreSQL.

A test of what only one of the two has uses `sqlite_url` or `postgresql_server` instead, and says so; one that would be
too long for both names its database with `@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)`.
"""

from collections.abc import Iterator

import pytest
from databases import Databases, PostgresqlDatabases, SqliteDatabases
from postgresql_server import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """One server for the whole run, started when the first test needs it."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    if request.param == "sqlite":
        return SqliteDatabases(lambda: tmp_path_factory.mktemp("template"))
    return PostgresqlDatabases(request.getfixturevalue("postgresql_server"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of the PostgreSQL run the cases that `databases.sampled` marks."""
    items[:] = [item for item in items if not (_is_on_postgresql(item) and item.get_closest_marker("sqlite_only"))]


def _is_on_postgresql(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("databases") == "postgresql"
