"""`annex replay` of many records: as fast as it must be, in little memory, and deciding each as it was decided.

A few hundred in the test suite; `make replay` makes 100,000 and prints what they cost.
"""

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from gateway_world import STARTED, OpenWorld, World
from sqlalchemy import Connection

from authz.annex import Annex
from authz.answer import Permit
from authz.decision import decide
from authz.integration import Inscription, Period, PersonFacts
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from fixtures.persons import make_ssin
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.bootstrap import list_annexes
from gateway.demo_world import ANNEXES
from gateway.refusal import reason_of

COUNT = int(os.environ.get("REPLAY_RECORDS", "600"))
BATCH = 1000
PEAK_MEGABYTES = 250
# Runs the command and tells its own peak at the end; the kernel's count for children begins with what their parent had.
TELLING_MEMORY = """
import atexit, runpy, sys
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
runpy.run_module("gateway", run_name="__main__")
"""


def record_of(annex: Annex, number: int) -> AuditRecord:
    """Return the record of a consultation: one person in three left the file, one request in five goes too far back."""
    ssin = make_ssin(date(1950 + number % 50, 3, 15), 1 + number % 400)
    begin = date(STARTED.year - (20 if number % 5 == 0 else 2), 1, 1)
    closed = date(begin.year - 1, 1, 1) if number % 3 == 0 else None
    request = AccessRequest(
        service="SelfEmployedService/v2",
        operation="consultCareer",
        customer=annex.identity,
        legal_context="FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED",
        parameters={"criteria/ssin": ssin, "criteria/period/beginDate": begin},
        subjects=(ssin,),
        period=Period(begin),
    )
    inscription = Inscription(annex.identity.key, "FPSECO:APPLICANT", date(2000, 1, 1), closed)
    facts = AccessFacts({ssin: PersonFacts(True, client_inscriptions=(inscription,))})
    moment = STARTED - timedelta(seconds=number)
    decision = decide(annex, request, facts, moment, Environment.TEST)
    is_permit = isinstance(decision, Permit)
    return AuditRecord(
        ticket_cbss=str(UUID(int=number)),
        received_at=moment,
        outcome=RecordOutcome.REPLY if is_permit else RecordOutcome.REFUSAL,
        client=annex.client,
        annex_revision=annex.revision,
        annex_clause=decision.clause,
        service=request.service,
        operation=request.operation,
        deliberation=decision.deliberation if isinstance(decision, Permit) else None,
        withheld=decision.withheld if isinstance(decision, Permit) else (),
        subject=ssin,
        message=b"<soapenv:Envelope/>" * 100,
        request=request,
        facts=facts,
        decided_at=moment,
        reason="" if isinstance(decision, Permit) else reason_of(decision),
    )


def fill(world: World) -> None:
    trail, commit = world.gateway.storage.trail, world.gateway.storage.commit
    (annex,) = (each for each in list_annexes(world.gateway.storage, STARTED) if each.client == "economy")
    for first in range(0, COUNT, BATCH):
        sealed = [trail.seal(record_of(annex, number)) for number in range(first, min(first + BATCH, COUNT))]

        def write(connection: Connection, batch: list[object] = sealed) -> None:
            for each in batch:
                trail.append(connection, each)

        commit.run(write)


def test_many_are_decided_again_in_little_memory(open_own_world: OpenWorld, tmp_path: Path) -> None:
    world = open_own_world()
    fill(world)
    draft = tmp_path / "draft.yaml"
    draft.write_text((ANNEXES / "economy.yaml").read_text("utf-8").replace("maxYearsBack: 5", "maxYearsBack: 30"))
    state = world.settings.state
    command = [sys.executable, "-c", TELLING_MEMORY, "annex", "replay", "--draft", str(draft), "--json"]
    options = ["--since", "2000-01-01", "--auditor-key", str(state / "pki" / "auditor.key")]
    environment = os.environ | {"KSZ_STATE": str(state), "KSZ_DATABASE_URL": world.settings.database_url}
    begun = time.perf_counter()
    done = subprocess.run([*command, *options], env=environment, capture_output=True, check=True, text=True)
    took = time.perf_counter() - begun
    peak = int(done.stderr.rpartition("VmHWM:")[2].split()[0]) / 1024
    print(f"{COUNT} records in {took:.1f} s, {COUNT / took:.0f} a second, {peak:.0f} MB at the most")
    document = json.loads(done.stdout)
    far, closed = ({n for n in range(COUNT) if n % each == 0} for each in (5, 3))
    expected = {"deny to permit": len(far - closed), "denied for another reason": len(far & closed)}
    expected["same"] = COUNT - len(far)
    assert {verdict: count for verdict, count in document["verdicts"].items() if count} == expected
    assert len(document["listed"]) == 20
    assert peak < PEAK_MEGABYTES
