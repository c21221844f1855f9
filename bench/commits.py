"""Audited requests per second, with group commit and with a commit for each: `python -m bench.commits`.

So many threads record exchange after exchange, as large as a consultation's, through the gateway's own audit trail;
once as the gateway does it, once with batches of one. On SQLite and PostgreSQL, with this disk as it is and with one
whose flushes take 2 ms more (`slow_disk.c`, preloaded into the server or, for SQLite, into a process of its own).
"""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from authz.integration import Inscription, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from bench.world import prepare
from fixtures.persons import make_ssin
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.audit.trail import AuditTrail
from gateway.bootstrap import migrate, open_storage
from gateway.settings import load_settings
from tests.postgresql_server import running_server

AT_A_TIME = (1, 8, 32)
_SOURCE = Path(__file__).with_name("slow_disk.c")
_SSIN = make_ssin(date(1970, 5, 17), 7)
_MESSAGE = b"x" * 4_700


@dataclass(frozen=True, slots=True)
class Commits:
    """How many exchanges a second were recorded: with a commit for each, and grouped."""

    database: str
    fsync: str
    at_a_time: int
    single: float
    grouped: float


def measure(state: Path, seconds: float) -> list[Commits]:
    """Measure each combination for so many seconds a way, with the keys of a state and databases of its own."""
    with ExitStack() as stack:
        slow = stack.enter_context(_slow_disk())
        measured = []
        for fsync, preload in (("this disk's", None), ("2 ms more", slow)):
            folder = Path(stack.enter_context(TemporaryDirectory()))
            measured += _in_own_process("SQLite", fsync, f"sqlite:///{folder / 'ksz.db'}", state, seconds, preload)
            server = stack.enter_context(running_server(durable=True, preload=preload))
            url = server.url(server.create_database())
            measured += _in_own_process("PostgreSQL", fsync, url, state, seconds, None)
        return measured


@contextmanager
def _slow_disk() -> Iterator[Path]:
    """Compile the library, to where the account that runs PostgreSQL can read it."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - that account must enter
        library = Path(folder, "slow_disk.so")
        subprocess.run([_compiler(), "-shared", "-fPIC", "-O2", "-o", library, _SOURCE, "-ldl"], check=True)
        yield library


def _compiler() -> str:
    found = shutil.which("cc")
    if found is None:
        raise RuntimeError("no C compiler: bench/install.sh installs one")
    return found


def _in_own_process(
    database: str, fsync: str, url: str, state: Path, seconds: float, preload: Path | None
) -> list[Commits]:
    environment = os.environ | ({"LD_PRELOAD": str(preload)} if preload else {})
    command = [sys.executable, "-m", "bench.commits", url, str(state), str(seconds)]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    return [Commits(database, fsync, *each) for each in json.loads(told)]


def _measure_one(url: str, state: Path, seconds: float) -> list[tuple[int, float, float]]:
    settings = load_settings(state=state, database_url=url)
    migrate(settings)
    grouping, single = open_storage(settings), open_storage(settings)
    # No setting: nobody should want it.
    single.commit._largest_batch = 1
    measured = []
    for at_a_time in AT_A_TIME:
        # The two ways take turns, so that whatever else the machine does strikes both.
        turns = [[_rate(way.trail, at_a_time, seconds / 2) for way in (single, grouping)] for _ in range(2)]
        measured.append((at_a_time, mean(turn[0] for turn in turns), mean(turn[1] for turn in turns)))
    single.close()
    grouping.close()
    return measured


def _rate(trail: AuditTrail, at_a_time: int, seconds: float) -> float:
    """Return how many records a second so many threads get durable."""
    trail.record(_make_record())
    until = time.perf_counter() + seconds

    def keep_recording(_: int) -> int:
        recorded = 0
        while time.perf_counter() < until:
            trail.record(_make_record())
            recorded += 1
        return recorded

    started = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as threads:
        recorded = sum(threads.map(keep_recording, range(at_a_time)))
    return recorded / (time.perf_counter() - started)


def _make_record() -> AuditRecord:
    now = datetime.now(UTC)
    customer = Organisation.from_values({"cbeNumber": "0999900150"})
    person = PersonFacts(
        known=True, client_inscriptions=(Inscription(customer.key, "BENCH:FILE", date(2000, 1, 1), None),)
    )
    request = AccessRequest(
        service="SelfEmployedService/v2",
        operation="consultContributions",
        customer=customer,
        legal_context="BENCH:CONTRIBUTIONS",
        parameters={"criteria/ssin": _SSIN, "criteria/period/beginQuarter": "2023Q1"},
        subjects=(_SSIN,),
    )
    return AuditRecord(
        ticket_cbss=str(uuid.uuid4()),
        received_at=now,
        outcome=RecordOutcome.REPLY,
        code="MSG00000",
        value="DATA_FOUND",
        client="bench",
        annex_revision="0" * 64,
        annex_clause="operations[0]",
        certificate="0" * 64,
        source_address="127.0.0.1",
        authentication_method="x509Token",
        organisation=customer.key,
        service=request.service,
        operation=request.operation,
        legal_context=request.legal_context,
        deliberation="Deliberation of the benchmark",
        customer_ticket="BENCH-000000001",
        criteria=tuple(request.parameters),
        delivered=("ssin", "contributions"),
        subject=_SSIN,
        message=_MESSAGE,
        request=request,
        facts=AccessFacts({_SSIN: person}),
        decided_at=now,
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(_measure_one(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
    else:
        for each in measure(prepare(100_000, 10), 2.0):
            print(f"{each.database:10} {each.fsync:12} {each.at_a_time:3} {each.single:7.0f} {each.grouped:7.0f}")
