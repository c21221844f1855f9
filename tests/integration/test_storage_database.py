"""The database: migrations that give exactly the tables, one writer, readers that never wait."""

import multiprocessing
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from storage_world import database_url

import gateway.storage.arza_tables
import gateway.storage.dmfa_tables  # noqa: F401 - their tables are part of the metadata that is compared
from gateway.storage.database import Database
from gateway.storage.tables import metadata, persons, replay_keys

PERSON = {"ssin": "00000000097", "replaced_by": None, "cancelled": False, "deceased_on": None}


def _difference(database: Database) -> list[object]:
    with database.read() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_migrations_give_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    assert _difference(database) == []
    with database.write() as connection:
        connection.execute(text("ALTER TABLE persons ADD COLUMN stray INTEGER"))
    assert _difference(database) != []
    database.close()


def test_constraints_of_the_migrations_have_the_names_of_the_tables(tmp_path: Path) -> None:
    migrated, created = Database(database_url(tmp_path)), create_engine("sqlite://")
    migrated.migrate()
    metadata.create_all(created)
    with migrated.read() as ours, created.connect() as theirs:
        for name in metadata.tables:
            for read in ("get_pk_constraint", "get_unique_constraints", "get_indexes", "get_foreign_keys"):
                assert getattr(inspect(ours), read)(name) == getattr(inspect(theirs), read)(name)
    created.dispose()
    migrated.close()


def test_downgrade_to_base_leaves_no_table(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    database.downgrade("base")
    with database.read() as connection:
        names = set(inspect(connection).get_table_names())
    assert names - {"sqlite_sequence"} == {"alembic_version"}
    database.migrate()
    assert database.is_current()
    database.close()


def test_database_is_current_only_after_migration(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    assert not database.is_current()
    assert not (tmp_path / "ksz.db").exists()
    database.migrate()
    assert database.is_current()
    database.downgrade("0001")
    assert not database.is_current()
    database.close()


def _migrate(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()


def test_processes_that_migrate_at_once_do_not_break_each_other(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    starting = [processes.Process(target=_migrate, args=(database_url(tmp_path),)) for _ in range(3)]
    for process in starting:
        process.start()
    for process in starting:
        process.join()
    assert [process.exitcode for process in starting] == [0, 0, 0]
    database = Database(database_url(tmp_path))
    assert database.is_current()
    database.close()


def test_files_of_the_database_are_closed_to_others(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("ksz.db", "ksz.db-wal", "ksz.db-shm", "ksz.db.lock"), 0o600)
    database.close()


def test_sqlite_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    with database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 5000]
    database.close()


def test_readers_see_one_state_and_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    count = select(func.count()).select_from(persons)
    with database.read() as reader:
        assert reader.scalar(count) == 0
        with database.write() as writer:
            writer.execute(insert(persons), PERSON)
            assert reader.scalar(count) == 0
        assert reader.scalar(count) == 0
    with database.read() as reader:
        assert reader.scalar(count) == 1
    database.close()


def test_writers_take_turns(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
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
    database.close()


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(persons)) == 0
    database.close()


def _write_and_fail(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
        raise ZeroDivisionError


def test_errors_do_not_quote_parameters(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    with pytest.raises(IntegrityError) as caught, database.write() as connection:
        connection.execute(insert(persons).values([PERSON, PERSON]))
    assert PERSON["ssin"] not in str(caught.value)
    database.close()


def test_times_come_back_aware_and_naive_ones_are_refused(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    with database.write() as connection:
        connection.execute(insert(replay_keys), {"replay_key": b"k" * 32, "forget_at": moment})
        assert connection.scalar(select(replay_keys.c.forget_at)) == moment
    with pytest.raises(StatementError, match="without a time zone"), database.write() as connection:
        connection.execute(insert(replay_keys), {"replay_key": b"n" * 32, "forget_at": moment.replace(tzinfo=None)})
    database.close()


def test_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a file"):
        Database("sqlite://")


def test_forked_child_opens_connections_of_its_own(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path))
    database.migrate()
    with database.write() as connection:
        connection.execute(insert(persons), PERSON)
    child = os.fork()
    if child == 0:
        with database.read() as connection:
            os._exit(int(connection.scalar(select(func.count()).select_from(persons)) or 0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    with database.read() as connection:
        assert connection.scalar(select(persons.c.ssin)) == PERSON["ssin"]
    database.close()
