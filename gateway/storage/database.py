"""One database, SQLite or PostgreSQL: connections for reading, the one lock for writing, and the schema.

Everything that writes does so through `write()`, in practice through `GroupCommit`: writers are serial,
across threads, processes and nodes. On SQLite an flock on a file beside the database keeps the order,
because waiting in SQLite's own busy handler is polling and unfair; on PostgreSQL an advisory lock does,
which also makes deadlocks between the batches of two nodes impossible. Readers never wait for writers. A
commit is durable when it returns: SQLite runs in WAL mode with synchronous FULL; on PostgreSQL each
transaction demands synchronous_commit for itself, and fsync must not be switched off.

No setting of a PostgreSQL server, database or role is relied on: isolation is demanded with each
transaction. A server that has vanished without a word is given up within seconds; so is, by the server, a
node that vanished while it held the lock.

Statements are never logged with their parameters, nor are values put into error messages: PostgreSQL's would
quote the row that it refuses.
"""

import fcntl
import json
import os
import select
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    PoolProxiedConnection,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
)

from gateway.storage.forking import call_in_child
from gateway.storage.hot_statement import HotStatement
from gateway.storage.naming import file_of

# Any number that no other application of the same PostgreSQL database uses for its advisory locks.
_ADVISORY_LOCK = 0x4B535A47

# libpq's names; what the URL says instead is left alone. Without the times a lost server is noticed after hours.
_UNLESS_SAID: Mapping[str, str | int] = {
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

# The SQLSTATE classes of data exceptions and of violated constraints.
_ABOUT_VALUES = {"22", "23"}

# One round trip, and each for this transaction alone. At READ COMMITTED what follows sees all that earlier
# writers have committed. A time limit would cut short a commit's wait for the standby, and the server would
# then say that it is committed.
_BEGIN_WRITING = HotStatement(
    sqlalchemy.select(
        func.set_config("synchronous_commit", "on", True).label("durability"),
        func.set_config("statement_timeout", "0", True).label("time_limit"),
        func.set_config("idle_in_transaction_session_timeout", bindparam("silence"), True).label("silence"),
        func.pg_advisory_xact_lock(_ADVISORY_LOCK).label("lock"),
    )
)

_ANY = sqlalchemy.select(sqlalchemy.literal(1))

IDLE_SHARE = 8
"""One connection of so many is kept idle for those that ask, and as many for those that write."""

# Where a connection's `info` says how its next transaction begins.
_BEGIN = "ksz_begin"

_MIGRATIONS = Path(__file__).parent / "migrations"

# Alembic keeps the migration that is running in module-level state: one at a time in a process.
_migrating = threading.Lock()


class WrongEncoding(Exception):
    """The database was created with an encoding in which not every text can be kept."""


class Database:
    """The database at an SQLAlchemy URL: `sqlite:////path/ksz.db` or `postgresql+psycopg://…`."""

    def __init__(self, url: str, *, connections: int = 16, longest_silence: str = "10s") -> None:
        """Prepare, without connecting, a pool of at most `connections`, opened when they are first needed.

        `longest_silence` is for how long, in PostgreSQL's words, a process may say nothing while it holds the lock
        that all others wait for; the server then ends its transaction.

        ValueError for SQLite in memory, which no two connections would share.
        """
        address = make_url(url)
        self._file = file_of(url)
        self._is_sqlite = self._file is not None
        if self._is_sqlite and address.database in {None, "", ":memory:"}:
            raise ValueError("the database must be a file: sqlite:////absolute/path")
        self._lock = self._file.with_name(self._file.name + ".lock") if self._file is not None else None
        self._engine = create_engine(
            _existing(address, self._file) if self._file is not None else address,
            hide_parameters=True,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=5,
            # Tells a connection that the server closed before a batch is lost on it. A file closes none.
            pool_pre_ping=not self._is_sqlite,
            connect_args={} if self._is_sqlite else _defaults(address),
            json_serializer=json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode,
        )
        if self._is_sqlite:
            event.listen(self._engine, "connect", _configure_sqlite)
            # Not by an event of the engine: one of those makes every execution go through the machinery of all.
            setattr(self._engine.dialect, "do_begin", _begin_sqlite)  # noqa: B010 - mypy knows methods only
            self._asking = self._reading = self._writing = self._engine
        else:
            event.listen(self._engine, "handle_error", _forget_values)
            setattr(self._engine.dialect, "do_ping", partial(_ping, self._engine.dialect.do_ping))  # noqa: B010 - as above
            self._asking = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writing = self._engine.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=False)
        self._longest_silence = longest_silence
        self._most_idle = connections // IDLE_SHARE
        self._idle: dict[Engine, deque[Connection]] = {self._asking: deque(), self._writing: deque()}
        self._inherited: list[Any] = []
        self._token = call_in_child(self._forget_connections)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading: they all see one state, and nothing written is kept."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def ask(self) -> Iterator[Connection]:
        """Give a connection for reading with one statement: no transaction, or each statement would see its own state.

        On PostgreSQL that saves two of three round trips.
        """
        with self._held(self._asking) as connection:
            if not self._is_sqlite:
                yield connection
                return
            information = connection.connection.info
            information[_BEGIN] = ""
            try:
                yield connection
            finally:
                information.pop(_BEGIN, None)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the connection of the only writer, and commit durably when the block ends without an error.

        Waits without limit for the writer before it; who must not wait uses `GroupCommit`.
        """
        with self._lock_file(), self._held(self._writing) as connection:
            if self._is_sqlite:
                connection.connection.info[_BEGIN] = "BEGIN IMMEDIATE"
            with connection.begin():
                if not self._is_sqlite:
                    _BEGIN_WRITING.run(connection, {"silence": self._longest_silence})
                yield connection

    def is_current(self) -> bool:
        """Tell whether the schema is that of the newest migration."""
        if self._file is not None and not self._file.exists():
            return False
        # Not asked of Alembic: that takes longer than all else that a starting worker does.
        newest = max(path.name for path in _MIGRATIONS.glob("versions/0*.py")).partition("_")[0]
        with self._reading.connect() as connection:
            if not sqlalchemy.inspect(connection).has_table("alembic_version"):
                return False
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == [newest]

    def has_rows(self, table: str) -> bool:
        """Tell whether the table is there and has rows."""
        if self._file is not None and not self._file.exists():
            return False
        with self._reading.connect() as connection:
            if not sqlalchemy.inspect(connection).has_table(table):
                return False
            return connection.execute(_ANY.select_from(sqlalchemy.table(table)).limit(1)).first() is not None

    def migrate(self, **given: Any) -> None:
        """Bring the schema to the newest migration, all of it or nothing; processes take turns.

        `given` is what migrations take from the gateway, by the names that they say. WrongEncoding for a PostgreSQL
        database that cannot keep all text.
        """
        if not self._is_sqlite:
            with self._reading.connect() as connection:
                encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if encoding != "UTF8":
                raise WrongEncoding(f"the database must have the encoding UTF8, and has {encoding}")
        self._run_alembic("upgrade", "head", given)

    def downgrade(self, revision: str) -> None:
        """Take the schema back to a revision (`base` is empty), losing what newer tables held."""
        self._run_alembic("downgrade", revision)

    def close(self) -> None:
        """Close the connections that are not in use; the next use opens new ones."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()
        self._engine.dispose()

    @contextmanager
    def _held(self, engine: Engine) -> Iterator[Connection]:
        """Give a connection that was kept as it was left: the pool, which resets each, costs more than a statement.

        One that met an error goes back to the pool, which finds out what it is worth.
        """
        connection = self._take(self._idle[engine]) or engine.connect()
        try:
            yield connection
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        if len(self._idle[engine]) < self._most_idle:
            self._idle[engine].append(connection)
        else:
            connection.close()

    def _take(self, idle: deque[Connection]) -> Connection | None:
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                return None
            if self._is_sqlite or not _has_arrivals(connection.connection):
                return connection
            connection.close()
        return None

    def _run_alembic(self, command: str, revision: str, given: Mapping[str, Any] | None = None) -> None:
        # Imported here because only a starting process needs it, and it costs a fifth of a second.
        from alembic import command as commands

        if self._file is not None:
            # SQLite gives its other files the permissions of this one, and personal data is in them.
            os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            with self._lock_file(), closing(sqlite3.connect(self._file)) as connection_to_file:
                connection_to_file.execute("PRAGMA journal_mode=WAL")
        config = _alembic_config()
        with _migrating, self.write() as connection:
            config.attributes.update(given or {}, connection=connection)
            getattr(commands, command)(config, revision)

    def _lock_file(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lock is None else _flock(self._lock)

    def _forget_connections(self) -> None:
        # The parent goes on using them. They are kept, unused, because closing a SQLite connection that was
        # inherited through a fork can harm the parent's.
        self._inherited += [self._engine.pool, self._idle]
        self._idle = {engine: deque() for engine in self._idle}
        self._engine.dispose(close=False)


@contextmanager
def _flock(path: Path) -> Iterator[None]:
    """Hold the file's lock. Opened anew each time, so that threads exclude each other as processes do."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Said explicitly: a child forked meanwhile shares the lock, and closing our copy would not end
            # it.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _existing(address: URL, file: Path) -> URL:
    """Name a file that must be there: a new one, empty, would pass for the database, and stand in the way of it."""
    return address.set(database=f"file:{quote(str(file.absolute()))}").update_query_dict({"mode": "rw", "uri": "true"})


def _defaults(address: URL) -> dict[str, str | int]:
    return {name: value for name, value in _UNLESS_SAID.items() if name not in address.query}


def _forget_values(context: ExceptionContext) -> None:
    """Leave of an error about values its class, its code and the constraint that it met."""
    error, told = context.original_exception, context.sqlalchemy_exception
    sqlstate = getattr(error, "sqlstate", None) or ""
    if told is not None and sqlstate[:2] in _ABOUT_VALUES:
        constraint = error.diag.constraint_name  # type: ignore[attr-defined]
        error.args = (f"{sqlstate} {constraint or ''}".rstrip(),)
        told.args = (f"{type(error).__name__} {error}",)


def _configure_sqlite(dbapi_connection: Any, _record: Any) -> None:
    """Make a new SQLite connection durable, and leave BEGIN to `_begin_sqlite`."""
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in ("busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _ping(ask_the_server: Callable[[Any], bool], dbapi_connection: Any) -> bool:
    """Tell whether the server still has the connection."""
    return not _has_arrivals(dbapi_connection) or ask_the_server(dbapi_connection)


def _has_arrivals(dbapi_connection: Any) -> bool:
    """Tell whether there is something to be read: if the server closed the connection, the end of it is."""
    arrivals = select.poll()
    arrivals.register(dbapi_connection.fileno(), select.POLLIN)
    return bool(arrivals.poll(0))


def _begin_sqlite(connection: PoolProxiedConnection) -> None:
    """Begin a transaction, unless `ask` needs none; a writer's takes the lock at once, and says so before each one."""
    if begin := connection.info.pop(_BEGIN, "BEGIN"):
        connection.cursor().execute(begin)


def _alembic_config() -> Any:
    """Build in code what alembic.ini would say, so that it works from an installed package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
