"""All workers switch to a new annex at its instant, under load and without a restart; no answer is the wrong one's."""

import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures.messages import envelope, moment, sign
from gateway.audit.keys import MonthKeys
from gateway.audit.reading_key import load_auditor_key
from gateway.audit.sealing import unseal
from gateway.demo_world import demo_annexes
from gateway.pki import load_identity
from gateway.storage.database import Database
from gateway.storage.tables import annex_revisions, audit_records
from tests.e2e.conftest import RunningGateway, run_command, serving, wait_until
from tests.e2e.test_serving import SELF_EMPLOYED, career_request, text_of

CLIENTS = 4


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    assert run_command("demo", "--state", tmp_path).returncode == 0
    with serving(tmp_path, KSZ_WORKERS="3") as running:
        yield running


def test_every_worker_switches_at_the_announced_instant(gateway: RunningGateway) -> None:
    answers: dict[str, str | None] = {}
    over = threading.Event()
    numbers = itertools.count()

    def ask_on() -> None:
        identity = load_identity(gateway.state / "pki" / "clients" / "pcsa")
        while not over.is_set():
            ticket = f"switch {next(numbers)}"
            payload = career_request().replace(
                "<informationCustomer>", f"<informationCustomer><ticket>{ticket}</ticket>", 1
            )
            reply = gateway.post(SELF_EMPLOYED, sign(envelope(payload), identity, moment()))
            answers[ticket] = text_of(reply, "code")
            # Within the client's quota, and with a core left for the commands.
            over.wait(0.1)

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask_on) for _ in range(CLIENTS)]
        try:
            wait_until(lambda: len(answers) >= 3 * CLIENTS)
            instant = announce_narrower_annex(gateway.state)
            wait_until(lambda: datetime.now(UTC) > instant + timedelta(seconds=1))
        finally:
            over.set()
        for each in asking:
            each.result()
    decided = read_decisions(gateway.state)
    assert decided.keys() == answers.keys()
    assert {ticket: code for ticket, (_, code) in decided.items()} == answers
    for at, code in decided.values():
        assert code == ("MSG00000" if at < instant else "MSG00013"), f"{at} {code}, switched at {instant}"
    assert {"MSG00000", "MSG00013"} == set(answers.values())


def announce_narrower_annex(state: Path) -> datetime:
    """Have pcsa's annex lose the legal context that is asked under; return when it does."""
    (text,) = (each for each in demo_annexes() if "client: pcsa\n" in each)
    (state / "pcsa.yaml").write_text(text.replace("PCSA:SOCIAL_INQUIRY", "PCSA:ANOTHER"), "utf-8")
    keys = state / "pki" / "operators"
    run = run_command("annex", "import", state / "pcsa.yaml", "--key", keys / "an.key", "--state", state)
    assert run.returncode == 0, run.stderr
    run = run_command("annex", "approve", "pcsa", "--yes", "--key", keys / "bram.key", "--state", state)
    assert run.returncode == 0, run.stderr
    (told,) = re.findall(r"in force from (\S+),", run.stdout)
    database = Database(f"sqlite:///{state / 'ksz.db'}")
    instant = newest_instant(database)
    database.close()
    assert abs(instant - datetime.fromisoformat(told)) < timedelta(milliseconds=1)
    return instant


def newest_instant(database: Database) -> datetime:
    """Return when the newest activation comes into force."""
    with database.read() as connection:
        query = select(annex_revisions.c.active_from).order_by(annex_revisions.c.sequence.desc()).limit(1)
        instant = connection.execute(query).scalar_one()
    assert isinstance(instant, datetime)
    return instant


def read_decisions(state: Path) -> dict[str, tuple[datetime, str]]:
    """Return when each exchange was decided, and its code, by the client's ticket."""
    keys = MonthKeys(state / "keys" / "audit")
    database = Database(f"sqlite:///{state / 'ksz.db'}")
    with database.read() as connection:
        rows = connection.execute(select(audit_records).where(audit_records.c.kind == "exchange")).mappings().all()
    database.close()
    auditor = load_auditor_key(state / "pki" / "auditor.key")
    return {row["customer_ticket"]: (unseal(row, keys, auditor)["decidedAt"], row["code"]) for row in rows}
