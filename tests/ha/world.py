"""The whole deployment on loopback: three database machines, the proxy to their primary, two nodes of the gateway."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import RunningGateway, end, free_port, run_command, serving
from tests.ha.cluster import Cluster
from tests.ha.machine import DEPLOY, Machine, Ports

NAMES = ("db1", "db2", "db3")
_PASSWORDS = {"PATRONI_REPLICATION_PASSWORD": "replicator's", "PATRONI_REWIND_PASSWORD": "rewind's"}
_GATEWAYS_PASSWORD = "gateway's"  # noqa: S105 - of a database that lasts for minutes
_START_SECONDS = 90
# Of each machine's log, when something went wrong.
_SHOWN = 10_000


@dataclass(frozen=True, slots=True)
class World:
    """What runs."""

    cluster: Cluster
    nodes: Sequence[RunningGateway]


@contextmanager
def running_world() -> Iterator[World]:
    """Run all of it, in a directory of its own that is removed, until the block ends; when it fails, show the logs."""
    directory = Path(tempfile.mkdtemp(prefix="ksz-ha-"))
    # The database's account passes through it, to what is its own.
    directory.chmod(0o711)
    try:
        with ExitStack() as stack:
            cluster = stack.enter_context(_running_cluster(directory))
            url = stack.enter_context(_proxying(cluster, directory))
            state = directory / "gateway"
            for command in ("migrate", "demo"):
                state.mkdir(exist_ok=True)
                made = run_command(command, "--state", state, KSZ_DATABASE_URL=url)
                assert made.returncode == 0, made.stderr
            nodes = [stack.enter_context(serving(state, KSZ_DATABASE_URL=url)) for _ in range(2)]
            yield World(cluster, nodes)
    finally:
        shutil.rmtree(directory)


@contextmanager
def _running_cluster(directory: Path) -> Iterator[Cluster]:
    pki = directory / "pki"
    machines = [f"{name}=127.0.0.1" for name in NAMES]
    subprocess.run([DEPLOY / "postgresql/certificates.sh", pki, *machines], check=True, capture_output=True)
    all_ports = {name: Ports() for name in NAMES}
    cluster = Cluster({name: _make_machine(directory, name, all_ports) for name in NAMES}, pki / "ca.pem")
    try:
        # Not side by side: the kernel would end them with the threads that started them.
        for start in (Machine.start_etcd, Machine.start_patroni):
            for machine in cluster.machines.values():
                start(machine)
        cluster.wait(cluster.is_whole, _START_SECONDS, "the cluster is made")
        primary = cluster.find_member("leader")
        primary.run_sql(DEPLOY / "postgresql/database.sql", database="postgres", password=_GATEWAYS_PASSWORD)
        yield cluster
    except Exception:
        for machine in cluster.machines.values():
            print(f"--- {machine.name}\n{machine.log[-_SHOWN:]}", file=sys.stderr)
        raise
    finally:
        with ThreadPoolExecutor(len(NAMES)) as pool:
            list(pool.map(Machine.stop, cluster.machines.values()))


def _make_machine(directory: Path, name: str, all_ports: dict[str, Ports]) -> Machine:
    home = directory / name
    home.mkdir(mode=0o700)
    for file, placed in (("ca.pem", "ca.pem"), (f"{name}.pem", "node.pem"), (f"{name}.key", "node.key")):
        shutil.copy(directory / "pki" / file, home / placed)
    return Machine(name, home, all_ports, _PASSWORDS)


@contextmanager
def _proxying(cluster: Cluster, directory: Path) -> Iterator[str]:
    """Run the proxy, and give the database's address as the documentation writes it."""
    authority, port = directory / "pki" / "ca.pem", free_port()
    passwords = directory / "pgpass"
    passwords.touch(0o600)
    passwords.write_text(f"*:*:ksz:ksz:{_GATEWAYS_PASSWORD}\n")
    settings = {"DATABASE_BIND": f"127.0.0.1:{port}", "DATABASE_CA": str(authority)}
    for number, machine in enumerate(cluster.machines.values(), 1):
        settings[f"DATABASE_{number}"] = f"127.0.0.1:{machine.ports.postgresql}"
        settings[f"DATABASE_{number}_PATRONI"] = f"127.0.0.1:{machine.ports.patroni}"
    with (directory / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/haproxy", "-db", "-f", DEPLOY / "postgresql/proxy.cfg"],
            env=os.environ | settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        tls = f"sslmode=verify-full&sslrootcert={authority}"
        yield f"postgresql://ksz@ksz-database:{port}/ksz?hostaddr=127.0.0.1&{tls}&passfile={passwords}"
    finally:
        end(process)
