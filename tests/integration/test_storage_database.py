"""The database: migrations that give exactly the tables, one writer, readers that never wait.

Files, their permissions and pragmas are SQLite's alone; what a server or its settings can do is PostgreSQL's.
"""

import multiprocessing
import os
import stat
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from databases import Databases, sqlite_url
from postgresql_server import PostgresServer
from sqlalchemy import Connection, Engine, create_engine, func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError, StatementError

import gateway.storage
from gateway.storage.database import Database, WrongEncoding
from gateway.storage.tables import metadata, persons, replay_keys

PERSON: dict[str, Any] = {"ssin": "00000000097", "replaced_by": None, "cancelled": False, "deceased_on": None}


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """Of a database without tables."""
    with databases.empty(tmp_path) as empty:
        yield empty


@pytest.fixture
def database(databases: Databases, tmp_path: Path) -> Iterator[Database]:
    """One at the newest schema."""
    with databases.migrated(tmp_path) as migrated:
        database = Database(migrated)
        yield database
        database.close()


# Every module of tables adds its own to the metadata that is compared.
for module in iter_modules(gateway.storage.__path__, "gateway.storage."):
    if module.name.endswith("_tables"):
        import_module(module.name)


def _difference(database: Database) -> list[object]:
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_a_file_that_is_away_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "a #1"
    folder.mkdir()
    file, database = folder / "ksz.db", Database(sqlite_url(folder))
    database.migrate()
    database.close()
    away = file.rename(tmp_path / "away.db")
    for use in (database.read, database.write):
        with pytest.raises(OperationalError), use():
            pass
    assert not file.exists()
    assert not database.is_current()
    away.rename(file)
    assert database.is_current()
    database.close()


def test_migrations_give_exactly_the_tables_that_the_code_uses(url: str) -> None:
    database = Database(url)
    database.migrate()
    assert _difference(database) == []
    with database.write() as connection:
        connection.execute(text("ALTER TABLE persons ADD COLUMN stray INTEGER"))
    assert _difference(database) != []
    database.close()


def test_constraints_of_the_migrations_have_the_names_of_the_tables(
    url: str, databases: Databases, tmp_path: Path
) -> None:
    with databases.empty(tmp_path / "created") as other:
        (tmp_path / "created").mkdir()
        migrated, created = Database(url), create_engine(other)
        migrated.migrate()
        metadata.create_all(created)
        _compare_constraints(migrated, created)
        created.dispose()
        migrated.close()


def _compare_constraints(migrated: Database, created: Engine) -> None:
    with migrated.read() as ours, created.connect() as theirs:
        for name in metadata.tables:
            for read in ("get_pk_constraint", "get_unique_constraints", "get_indexes", "get_foreign_keys"):
                assert getattr(inspect(ours), read)(name) == getattr(inspect(theirs), read)(name)


def test_downgrade_to_base_leaves_no_table(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.downgrade("base")
    with database.read() as connection:
        names = set(inspect(connection).get_table_names())
    assert names - {"sqlite_sequence"} == {"alembic_version"}
    database.migrate()
    assert database.is_current()
    database.close()


def test_database_is_current_only_after_migration(url: str) -> None:
    database = Database(url)
    assert not database.is_current()
    database.migrate()
    assert database.is_current()
    database.downgrade("0001")
    assert not database.is_current()
    database.close()


def test_asking_whether_a_sqlite_database_is_current_makes_no_file(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    assert not database.is_current()
    assert list(tmp_path.iterdir()) == []


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


def test_processes_that_migrate_at_once_do_not_break_each_other(url: str) -> None:
    processes = multiprocessing.get_context("spawn")
    starting = [processes.Process(target=_migrate, args=(url,)) for _ in range(3)]
    for process in starting:
        process.start()
    for process in starting:
        process.join()
    assert [process.exitcode for process in starting] == [0, 0, 0]
    database = Database(url)
    assert database.is_current()
    database.close()


def test_files_of_a_sqlite_database_are_closed_to_others(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    database.migrate()
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("ksz.db", "ksz.db-wal", "ksz.db-shm", "ksz.db.lock"), 0o600)
    database.close()


def test_sqlite_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    database.migrate()
    with database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 5000]
    database.close()


def test_readers_see_one_state_and_do_not_wait_for_the_writer(database: Database) -> None:
    count = select(func.count()).select_from(persons)
    with database.read() as reader:
        assert reader.scalar(count) == 0
        with database.write() as writer:
            writer.execute(insert(persons), PERSON)
            assert reader.scalar(count) == 0
        assert reader.scalar(count) == 0
    with database.read() as reader:
        assert reader.scalar(count) == 1


def test_writers_take_turns(database: Database) -> None:
    inside, most = 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(5):
            with database.write():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_failed_write_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(persons)) == 0


def _write_and_fail(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
        raise ZeroDivisionError


def test_errors_quote_neither_parameters_nor_rows(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.write() as connection:
        connection.execute(insert(persons).values([PERSON, PERSON]))
    assert PERSON["ssin"] not in "".join(traceback.format_exception(caught.value))


def test_times_come_back_aware_and_naive_ones_are_refused(database: Database) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    with database.write() as connection:
        connection.execute(insert(replay_keys), {"replay_key": b"k" * 32, "forget_at": moment})
        assert connection.scalar(select(replay_keys.c.forget_at)) == moment
    with pytest.raises(StatementError, match="without a time zone"), database.write() as connection:
        connection.execute(insert(replay_keys), {"replay_key": b"n" * 32, "forget_at": moment.replace(tzinfo=None)})


def used(connection: Connection) -> object:
    return connection.connection.dbapi_connection


def test_who_asks_again_gets_the_connection_as_it_was_left(database: Database) -> None:
    with database.ask() as first:
        before = used(first)
    with database.ask() as second:
        assert used(second) is before
        assert second.scalar(select(func.count()).select_from(persons)) == 0
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
    with database.ask() as third:
        assert used(third) is before
        assert third.scalar(select(func.count()).select_from(persons)) == 1


def test_who_asks_while_another_does_gets_another_connection(database: Database) -> None:
    with database.ask() as one, database.ask() as other:
        assert used(one) is not used(other)


def test_a_question_that_failed_spoils_no_other(database: Database) -> None:
    with pytest.raises(SQLAlchemyError), database.ask() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    with database.ask() as connection:
        assert connection.scalar(select(func.count()).select_from(persons)) == 0


def test_a_kept_connection_that_the_server_closed_is_not_used(databases: Databases, tmp_path: Path) -> None:
    """SQLite's are never closed by anybody else: there they were closed before the file went away."""
    with databases.migrated(tmp_path) as url:
        database = Database(url)
        with database.ask() as connection:
            assert connection.scalar(select(func.count()).select_from(persons)) == 0
        if databases.kind == "sqlite":
            database.close()
        with databases.away(url):
            pass
        with database.ask() as connection:
            assert connection.scalar(select(func.count()).select_from(persons)) == 0
        database.close()


def test_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a file"):
        Database("sqlite://")


def test_forked_child_opens_connections_of_its_own(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
    child = os.fork()
    if child == 0:
        with database.read() as connection:
            os._exit(int(connection.scalar(select(func.count()).select_from(persons)) or 0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    with database.read() as connection:
        assert connection.scalar(select(persons.c.ssin)) == PERSON["ssin"]


def test_postgresql_database_that_cannot_keep_all_text_is_refused(postgresql_server: PostgresServer) -> None:
    """Of PostgreSQL alone: SQLite has no other encoding."""
    name = postgresql_server.create_database(encoding="SQL_ASCII")
    database = Database(postgresql_server.url(name))
    with pytest.raises(WrongEncoding, match="UTF8, and has SQL_ASCII"):
        database.migrate()
    database.close()
    postgresql_server.drop_database(name)
