"""A database machine of the test: etcd and Patroni with its PostgreSQL, from the files in deploy/, on loopback.

It can be lost (every process killed at once), frozen (as if cut off: connections stay, nothing answers) and put back.
"""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.e2e.conftest import free_port, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
ACCOUNT = "postgres"
_CONFIGURED = "/etc/ksz-postgresql"
_SOCKETS = "/var/run/postgresql"
_STOP_SECONDS = 40
_COMMAND_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class CommandFailed(Exception):
    """A command of PostgreSQL's or Patroni's failed; the text is what it said."""


def read_environment(file: str, changes: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment file in deploy/; what differs here must stand in it."""
    lines = (DEPLOY / file).read_text("utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert changes.keys() <= found.keys(), changes.keys() - found.keys()
    return found | changes


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts of a machine listen."""

    postgresql: int = field(default_factory=free_port)
    patroni: int = field(default_factory=free_port)
    etcd: int = field(default_factory=free_port)
    peers: int = field(default_factory=free_port)


class Machine:
    """One of several, whose names and ports are `all_ports`; its files lie in `directory`, owned by `postgres`."""

    def __init__(self, name: str, directory: Path, all_ports: Mapping[str, Ports], secrets: Mapping[str, str]) -> None:
        """Write the configuration; `directory` holds ca.pem, node.pem and node.key already. Start nothing yet."""
        self.name = name
        self.ports = all_ports[name]
        self.directory = directory
        self._etcd: subprocess.Popen[bytes] | None = None
        self._patroni: subprocess.Popen[bytes] | None = None
        (directory / "patroni.yml").write_text(self._placed((DEPLOY / "postgresql/patroni.yml").read_text("utf-8")))
        peers = ",".join(f"{each}=https://127.0.0.1:{ports.peers}" for each, ports in all_ports.items())
        client, peer = (f"https://127.0.0.1:{port}" for port in (self.ports.etcd, self.ports.peers))
        self._etcd_environment = read_environment(
            "postgresql/etcd.env",
            {
                "ETCD_NAME": name,
                "ETCD_DATA_DIR": str(directory / "etcd"),
                "ETCD_LISTEN_CLIENT_URLS": client,
                "ETCD_ADVERTISE_CLIENT_URLS": client,
                "ETCD_LISTEN_PEER_URLS": peer,
                "ETCD_INITIAL_ADVERTISE_PEER_URLS": peer,
                "ETCD_INITIAL_CLUSTER": peers,
            },
        )
        etcds = sorted(all_ports, key=lambda each: each != name)
        postgresql, patroni = (f"127.0.0.1:{port}" for port in (self.ports.postgresql, self.ports.patroni))
        self._patroni_environment = read_environment(
            "postgresql/patroni.env",
            {
                "PATRONI_NAME": name,
                "PATRONI_ETCD_HOSTS": ",".join(f"127.0.0.1:{all_ports[each].etcd}" for each in etcds),
                "PATRONI_RESTAPI_LISTEN": patroni,
                "PATRONI_RESTAPI_CONNECT_ADDRESS": patroni,
                "PATRONI_POSTGRESQL_LISTEN": postgresql,
                "PATRONI_POSTGRESQL_CONNECT_ADDRESS": postgresql,
                "PATRONI_POSTGRESQL_BIN_DIR": str(find_binaries()),
                "PATRONI_POSTGRESQL_DATA_DIR": str(directory / "data"),
                **secrets,
            },
        )
        self._own(directory)

    @property
    def log(self) -> str:
        """What etcd, Patroni and PostgreSQL have written."""
        return (self.directory / "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start all of it again."""
        self.start_etcd()
        self.start_patroni()

    def start_etcd(self) -> None:
        """Start etcd, which is ready when it has found the others."""
        self._etcd = self._launch(self._etcd_environment, "/usr/bin/etcd")

    def start_patroni(self) -> None:
        """Start Patroni and, as systemd does, only when etcd is ready. Patroni starts PostgreSQL."""
        wait_until(self._is_etcd_ready, lambda: self.log)
        self._patroni = self._launch(self._patroni_environment, "/usr/bin/patroni", self.directory / "patroni.yml")

    def stop(self) -> None:
        """Stop in good order: Patroni stops its PostgreSQL first. What does not stop in time is killed."""
        for process in filter(None, (self._patroni, self._etcd)):
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                break
        self.lose()

    def lose(self) -> None:
        """Kill every process of this machine at once."""
        self._signal(signal.SIGKILL)
        for process in filter(None, (self._patroni, self._etcd)):
            process.wait()
        self._patroni = self._etcd = None

    def freeze(self) -> None:
        """Stop every process in the middle of what it does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on, as if no time had passed."""
        self._signal(signal.SIGCONT)

    def run_patronictl(self, *arguments: str) -> None:
        """Run a command of Patroni's, as an operator does."""
        command = ("/usr/bin/patronictl", "-c", self.directory / "patroni.yml", *arguments)
        self._run(self._patroni_environment, *command)

    def run_sql(self, *statements: str | Path, database: str = "ksz", **variables: str) -> list[str]:
        """Run statements, or files of them, as the administrator, over this machine's own socket; return the rows."""
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", database]
        options += ["--host", str(self.directory), "--port", str(self.ports.postgresql)]
        options += [part for name, value in variables.items() for part in ("--set", f"{name}={value}")]
        for each in statements:
            options += ["--file", str(each)] if isinstance(each, Path) else ["--command", each]
        return self._run({}, find_binaries() / "psql", *options).splitlines()

    def _run(self, environment: Mapping[str, str], *command: str | Path) -> str:
        done = subprocess.run(
            command,
            env=self._environment(environment),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            **_identity(),
        )
        if done.returncode != 0:
            raise CommandFailed(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _signal(self, number: signal.Signals) -> None:
        started = [process.pid for process in (self._patroni, self._etcd) if process is not None]
        for pid in list_descendants({*started, *self._postmaster()}):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _is_etcd_ready(self) -> bool:
        certificate = (str(self.directory / "node.pem"), str(self.directory / "node.key"))
        url, authority = f"https://127.0.0.1:{self.ports.etcd}/health", str(self.directory / "ca.pem")
        try:
            return requests.get(url, verify=authority, cert=certificate, timeout=3).ok
        except requests.RequestException:
            return False

    def _postmaster(self) -> set[int]:
        """PostgreSQL detaches itself from the Patroni that started it. The file may be of one that is gone."""
        try:
            pid = int((self.directory / "data" / "postmaster.pid").read_text().splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return set()
        return {pid} if str(self.directory).encode() in command else set()

    def _launch(self, environment: Mapping[str, str], *command: str | Path) -> subprocess.Popen[bytes]:
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment(environment),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C is for the test, which ends the machines when it has ended what uses them.
                start_new_session=True,
                preexec_fn=_stop_with_parent,
                **_identity(),
            )

    def _environment(self, added: Mapping[str, str]) -> dict[str, str]:
        placed = {name: self._placed(value) for name, value in added.items()}
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "LC_ALL": "C.UTF-8", "TZ": "UTC"} | placed

    def _placed(self, text: str) -> str:
        """Put the paths of a deployment into this machine's directory."""
        return text.replace(_CONFIGURED, str(self.directory)).replace(_SOCKETS, str(self.directory))

    def _own(self, directory: Path) -> None:
        account = pwd.getpwnam(ACCOUNT)
        for path in (directory, *directory.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)


def find_binaries() -> Path:
    """Return the directory of the newest PostgreSQL that Debian has installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


def list_descendants(pids: set[int]) -> list[int]:
    """Return these processes and all that they have started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in parentheses, may hold anything.
            parent = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found, open_ends = [], list(pids)
    while open_ends:
        pid = open_ends.pop()
        if pid not in found:
            found.append(pid)
            open_ends += children.get(pid, [])
    return found


def _identity() -> dict[str, Any]:
    return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": [], "umask": 0o077}


def _stop_with_parent() -> None:
    """Have the kernel stop what we started when we are gone without a chance to."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
