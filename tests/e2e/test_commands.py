"""The command line as an operator uses it, against a prepared state and, for `call`, a running gateway."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
from datetime import UTC, date, datetime
from itertools import takewhile
from pathlib import Path

import pytest

from fixtures.dimona_world import load_world
from fixtures.personas import load_personas
from gateway.bootstrap import list_annexes, opened_storage
from gateway.demo_world import annex_files, demo_annexes
from gateway.notifications import AnnexSubscribers, Notifier
from gateway.settings import load_settings
from gateway.sources.dimona_sql import SqlDimonaRepository
from services.dimona.declaration import Accepted, Action, Declaration, Submission
from services.employer import EmployerReference
from tests.e2e.conftest import COMMAND, PATIENCE, RunningGateway, end, free_port, run_command, wait_until

ROOT = Path(__file__).parents[2]
SSIN = {persona.name: persona.ssin for persona in load_personas()}


def call(gateway: RunningGateway, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_command("call", *arguments, "--state", gateway.state, "--url", gateway.url)


@pytest.mark.parametrize("arguments", [(), ("annex",), ("inscriptions",), ("notifications",), ("contract",)])
def test_a_command_that_is_not_whole_shows_its_help(arguments: tuple[str, ...]) -> None:
    assert "Usage: ksz-gateway" in run_command(*arguments).stdout


def test_a_demo_world_is_prepared_once_and_then_reused(state: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in (state / "pki").rglob("*.pem")}
    again = run_command("demo", "--state", state)
    assert again.returncode == 0
    assert f"{len(demo_annexes())} clients, " in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (state / "pki").rglob("*.pem")} == files


def test_keys_are_readable_by_their_owner_alone(state: Path) -> None:
    secret = [*(state / "pki").rglob("*.key"), *(state / "keys" / "audit").iterdir(), state / "ksz.db"]
    assert len(secret) > 8
    assert {path.stat().st_mode & 0o077 for path in secret} == {0}


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run_command("demo", "--state", tmp_path / "file" / "state")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "--state" in refused.stderr


def test_a_demo_world_has_no_place_in_production(tmp_path: Path) -> None:
    refused = run_command("demo", "--state", tmp_path, KSZ_ENVIRONMENT="production")
    assert refused.returncode == 1
    assert "production" in refused.stderr


def test_personas_say_who_is_answered_what() -> None:
    listed = json.loads(run_command("personas", "--json").stdout)
    assert len(listed) >= 60
    assert all({"ssin", "description", "operations"} <= set(persona) for persona in listed)
    codes = {operation["code"] for persona in listed for operation in persona["operations"]}
    assert {"MSG00000", "MSG00005", "MSG00006", "MSG00007", "MSG00009", "MSG00011", "MSG00012"} <= codes
    assert SSIN["main-occupation"] in run_command("personas").stdout


def test_clients_say_what_each_may_do(state: Path) -> None:
    clients = {
        client["name"]: client for client in json.loads(run_command("clients", "--state", state, "--json").stdout)
    }
    assert clients["pcsa"]["cbeNumber"] == "0999900150"
    assert (clients["career-account"]["sector"], clients["career-account"]["institution"]) == (21, 0)
    assert clients["economy"]["operations"] == [
        {
            "service": "SelfEmployedService/v2",
            "operation": "consultCareer",
            "legalContexts": ["FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED"],
        }
    ]
    assert {each["operation"] for each in clients["probe"]["operations"]} == {"HealthCheck"}
    assert "economy" in run_command("clients", "--state", state).stdout


def test_call_prints_the_reply(gateway: RunningGateway) -> None:
    found = call(gateway, "SelfEmployedService", "consultCareer", "--client", "pcsa", "--ssin", SSIN["main-occupation"])
    assert found.returncode == 0, found.stderr
    assert "code: MSG00000" in found.stdout


def test_call_prints_json_for_programs(gateway: RunningGateway) -> None:
    arguments = (
        "--client",
        "pcsa",
        "--ssin",
        SSIN["main-occupation"],
        "--begin",
        "2018Q1",
        "--end",
        "2018Q2",
        "--json",
    )
    found = json.loads(call(gateway, "SelfEmployedService/v2", "consultContributions", *arguments).stdout)
    assert [each["quarter"] for each in found["contributions"]["contribution"]] == ["2018Q1", "2018Q2"]


def test_the_examples_of_the_dmfa_page_run(gateway: RunningGateway) -> None:
    page = (ROOT / "docs/services/dmfa-consultation.md").read_text("utf-8")
    lines = re.findall(r"^\.venv/bin/ksz-gateway call (.+)$", page, re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        shown = call(gateway, *shlex.split(line))
        assert shown.returncode == 0, shown.stderr
        assert "code: MSG00000" in shown.stdout
        assert "attestationId: " in shown.stdout


def test_the_examples_of_the_dimona_page_run(gateway: RunningGateway) -> None:
    page = (ROOT / "docs/services/dimona.md").read_text("utf-8")
    lines = re.findall(r"^\.venv/bin/ksz-gateway call (.+)$", page, re.MULTILINE)
    assert len(lines) == 5
    for line, told in zip(
        lines, ("ACCEPTED", "dimonaPeriodId", "dimonaPeriodId", "declarationNumber", "inService: true"), strict=True
    ):
        shown = call(gateway, *shlex.split(line))
        assert shown.returncode == 0, shown.stderr
        assert told in shown.stdout


def test_what_cannot_be_set_is_said(gateway: RunningGateway) -> None:
    asked = ("DmfaConsultationService", "consultDmfaAttestationsBySsin", "--client", "pensions", "--set")
    for setting, said in (
        ("nothing=1", "latestSituationOnly"),
        ("latestSituationOnly", "write path=value"),
        ("sectorIndicators=PRI", "sectorIndicators/sectorIndicator"),
        ("attestationId=many", "many is no long"),
    ):
        refused = call(gateway, *asked, setting)
        assert refused.returncode == 1
        assert said in refused.stderr


def test_call_shows_both_messages(gateway: RunningGateway) -> None:
    shown = call(
        gateway, "TestConnectionService", "sendTestMessage", "--client", "probe", "--text", "hello", "--show-xml"
    ).stdout
    sent, received = shown.partition("Sent\n")[2].split("Received\n")
    assert "sendTestMessageRequest" in sent
    assert "sendTestMessageResponse" in received


def test_call_speaks_for_the_organisation_that_is_named(gateway: RunningGateway) -> None:
    ssin = SSIN["file-of-the-integrators-pcsa"]
    for organisation, code in (("0999900447", "MSG00000"), ("0999900546", "MSG00012"), ("0999900150", "MSG00014")):
        arguments = ("--client", "integrator", "--ssin", ssin, "--on-behalf-of", organisation, "--json")
        context = ("--legal-context", "PCSA:SOCIAL_INQUIRY")
        reply = json.loads(call(gateway, "SelfEmployedService", "consultCareer", *arguments, *context).stdout)
        assert reply["status"]["code"] == code


def test_an_elliptic_key_and_a_signed_token_do_as_well(gateway: RunningGateway) -> None:
    arguments = ("--client", "inspection", "--ssin", SSIN["main-occupation"], "--json")
    reply = json.loads(call(gateway, "SelfEmployedService", "consultCareer", *arguments).stdout)
    assert reply["status"]["code"] == "MSG00000"


def test_a_fault_is_printed_and_told_by_the_exit_code(gateway: RunningGateway) -> None:
    failed = call(gateway, "SelfEmployedService", "consultCareer", "--client", "pcsa", "--ssin", "123")
    assert failed.returncode == 2
    assert "MSG00004" in failed.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("NoService", "x", "--client", "pcsa"), "SelfEmployedService/v2"),
        (("SelfEmployedService", "x", "--client", "pcsa"), "consultCareer"),
        (("SelfEmployedService", "consultCareer", "--client", "nobody"), "pcsa"),
        (("SelfEmployedService", "consultCareer", "--client", "probe"), "--legal-context"),
        (("SelfEmployedService", "consultCareer", "--client", "pcsa", "--begin", "yesterday"), "2026-06-30"),
        (("SelfEmployedService", "consultCareer", "--client", "pcsa", "--text", "x"), "--text"),
        (("SelfEmployedService", "consultCareer", "--client", "pcsa", "--on-behalf-of", "x/y"), "sector/institution"),
        (("SelfEmployedService", "consultCareer", "--client", "pcsa"), "ssin"),
    ],
)
def test_a_call_that_cannot_be_made_says_what_there_is(
    gateway: RunningGateway, arguments: tuple[str, ...], told: str
) -> None:
    refused = call(gateway, *arguments)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert told in refused.stderr


def test_a_gateway_that_does_not_answer_is_said_in_one_line(state: Path) -> None:
    refused = run_command(
        "call",
        "TestConnectionService",
        "sendTestMessage",
        "--client",
        "pcsa",
        "--state",
        state,
        "--url",
        f"https://127.0.0.1:{free_port()}",
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "is the gateway running?" in refused.stderr


def test_a_database_that_is_none_is_one_line(gateway: RunningGateway, tmp_path: Path) -> None:
    (tmp_path / "none.db").write_bytes(b"no database" * 1000)
    for command in (("annex", "list"), ("audit", "verify"), ("audit", "search")):
        refused = run_command(*command, "--state", gateway.state, KSZ_DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert "the database failed (file is not a database): check database_url" in refused.stderr


def test_the_demo_annexes_are_in_order() -> None:
    annexes = annex_files()
    checked = run_command("annex", "check", *annexes)
    assert (checked.returncode, checked.stdout) == (0, f"In order: {', '.join(map(str, annexes))}.\n")


def test_a_wrong_annex_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    text = Path("fixtures/annexes/pcsa.yaml").read_text()
    file.write_text(text.replace("kind: institution", "kind: ministry").replace("consultCareer", "consultCarer"))
    checked = run_command("annex", "check", file)
    assert checked.returncode == 1
    assert f"{file}:3: kind: " in checked.stdout
    assert "consultCareer" in checked.stdout
    problems = json.loads(run_command("annex", "check", file, "--json").stdout)
    assert problems[0].keys() == {"file", "line", "path", "message", "remedy"}


def activate(state: Path, client: str, file: Path) -> None:
    """Have one operator propose the annex, and the other approve it."""
    keys = state / "pki" / "operators"
    proposed = run_command("annex", "import", file, "--key", keys / "an.key", "--state", state)
    assert proposed.returncode == 0, proposed.stderr
    approved = run_command("annex", "approve", client, "--key", keys / "bram.key", "--yes", "--state", state)
    assert approved.returncode == 0, approved.stderr


def test_an_approved_annex_comes_into_force_without_a_restart(gateway: RunningGateway, tmp_path: Path) -> None:
    """The support application has nothing of this service: the annex that it is given here grants one operation."""
    granted = Path("fixtures/annexes/economy.yaml").read_text()
    file = tmp_path / "support.yaml"
    file.write_text(
        granted.replace("client: economy", "client: support")
        .replace("0999900249", "0999900744")
        .replace("serial: 1002", "serial: 1005")
    )
    activate(gateway.state, "support", file)
    arguments = ("--client", "support", "--ssin", SSIN["main-occupation"], "--begin", "2025-01-01", "--json")
    context = ("--legal-context", "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED")
    codes = []

    def is_granted() -> bool:
        answer = call(gateway, "SelfEmployedService", "consultCareer", *arguments, *context)
        codes.append(json.loads(answer.stdout)["status"]["code"])
        return codes[-1] == "MSG00012"  # Granted now; but the support application has nobody in its file.

    wait_until(is_granted, lambda: str(codes))
    activate(gateway.state, "support", Path("fixtures/annexes/support.yaml"))


def test_an_annex_with_the_certificate_of_another_client_is_refused(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "thief.yaml"
    file.write_text(Path("fixtures/annexes/pcsa.yaml").read_text().replace("client: pcsa", "client: thief"))
    key = state / "pki" / "operators" / "an.key"
    refused = run_command("annex", "import", file, "--key", key, "--state", state)
    assert refused.returncode == 1
    assert "pcsa" in refused.stderr


def test_inscriptions_are_imported_listed_and_closed(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "inscriptions.csv"
    ssin = SSIN["not-in-the-file"]
    file.write_text(f"ssin,organisation,context,begin,end\n{ssin},0999900645,PPSSI:INQUIRY,2024-01-01,\n")
    at = ("--state", state)
    first = json.loads(run_command("inscriptions", "import", file, *at, "--json").stdout)
    assert (first["added"], first["unchanged"], first["problems"]) == (1, 0, [])
    assert "1 were there already" in run_command("inscriptions", "import", file, *at).stdout
    closing = ("--ssin", ssin, "--organisation", "0999900645", "--context", "PPSSI:INQUIRY", "--end", "2024-12-31")
    assert run_command("inscriptions", "close", *closing, *at).returncode == 0
    assert run_command("inscriptions", "close", *closing, *at).returncode == 1
    listed = json.loads(run_command("inscriptions", "list", "--ssin", ssin, *at, "--json").stdout)
    assert {
        "ssin": ssin,
        "organisation": "cbe:0999900645",
        "context": "PPSSI:INQUIRY",
        "begin": "2024-01-01",
        "end": "2024-12-31",
    } in listed
    assert run_command("inscriptions", "list", *at).returncode == 1


def declare_end(state: Path, ticket: str) -> str:
    """Have the brewery declare the end of a demo period, and return the SSIN of its worker."""
    period = load_world().periods["lotte-brewery"]
    declaration = Declaration(Action.OUT, period_id=period.period_id, end_date=date(2026, 3, 31))
    employer = EmployerReference(period.employer.register, period.employer.registration_number)
    with opened_storage(load_settings(state=state)) as storage:
        subscribers = AnnexSubscribers(lambda now: list_annexes(storage, now))
        repository = SqlDimonaRepository(storage.database.read, storage.commit, Notifier(subscribers))
        submission = Submission("brewery", ticket, bytes(32), employer, (declaration,), datetime.now(UTC))
        (answer,) = repository.submit(submission)
    assert isinstance(answer, Accepted)
    return period.ssin


def test_notifications_wait_until_they_are_acknowledged(state: Path) -> None:
    at = ("--client", "unemployment", "--state", state)
    assert "Nothing waits for unemployment" in run_command("notifications", "pull", *at).stdout
    ssin = declare_end(state, "first")
    declare_end(state, "second")
    (one, other) = json.loads(run_command("notifications", "pull", *at, "--json").stdout)
    assert (one["action"], one["employmentPeriod"]["worker"]["ssin"]) == ("OUT", ssin)
    assert one["employmentPeriod"]["endingDate"] == "2026-03-31"
    assert "late" not in one["employmentPeriod"]
    table = run_command("notifications", "pull", *at, COLUMNS="200").stdout
    assert one["declarationNumber"] in table
    assert other["declarationNumber"] in table
    assert other["id"] not in [each["id"] for each in pulled(*at, "--limit", "1")]
    assert "1 acknowledged" in run_command("notifications", "acknowledge", str(one["id"]), *at).stdout
    assert "1 were already" in run_command("notifications", "acknowledge", str(one["id"]), *at).stdout
    assert pulled(*at) == [other]
    refused = run_command("notifications", "acknowledge", str(other["id"]), "999", *at)
    assert refused.returncode == 1
    assert "unemployment has no notification 999" in refused.stderr
    assert pulled(*at) == [other]


def pulled(*arguments: str | Path) -> list[dict[str, object]]:
    return list(json.loads(run_command("notifications", "pull", *arguments, "--json").stdout))


@pytest.mark.parametrize("arguments", [("pull",), ("acknowledge", "1")])
def test_notifications_of_a_client_that_there_is_not_are_refused(state: Path, arguments: tuple[str, ...]) -> None:
    refused = run_command("notifications", *arguments, "--client", "nobody", "--state", state)
    assert refused.returncode == 1
    assert "there is no client nobody" in refused.stderr


def test_every_bad_line_of_inscriptions_is_reported_and_none_imported(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "inscriptions.csv"
    good = f"{SSIN['not-in-the-file']},0999900744,PCSA:FILE,2024-01-01,"
    file.write_text(f"ssin,organisation,context,begin,end\n{good}\n75631290177,0999900744,PCSA:FILE,2024-01-01,\nx,y\n")
    refused = run_command("inscriptions", "import", file, "--state", state, "--json")
    assert refused.returncode == 1
    assert {problem["line"] for problem in json.loads(refused.stdout)["problems"]} == {3, 4}
    assert (
        json.loads(
            run_command("inscriptions", "list", "--organisation", "0999900744", "--state", state, "--json").stdout
        )
        == []
    )


def test_the_contracts_are_whole() -> None:
    checked = run_command("contract", "check", "--json")
    assert checked.returncode == 0
    findings = json.loads(checked.stdout)
    assert len(findings) > 20
    assert {finding["problem"] for finding in findings} == {""}


def tour_environment() -> dict[str, str]:
    port = free_port()
    return {
        "KSZ_BIND": f"127.0.0.1:{port}",
        "KSZ_PUBLIC_URL": f"https://127.0.0.1:{port}",
        "KSZ_MANAGEMENT_BIND": f"127.0.0.1:{free_port()}",
    }


def test_the_tour_shows_an_answer_refusals_and_broken_messages(state: Path) -> None:
    shown = run_command("tour", "--state", state, **tour_environment())
    assert shown.returncode == 0, shown.stderr
    refused = ("code: MSG00027", "code: MSG00012", "GTW00013", "wsse:SecurityTokenUnavailable")
    for told in ("code: MSG00000", "inService: true", "path: MANAGER", "state: OK", *refused):
        assert told in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_tour_keeps_serving_until_it_is_told_to_stop(state: Path, number: int) -> None:
    environment = tour_environment()
    with subprocess.Popen(
        [COMMAND, "tour", "--state", state, "--keep-serving"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            shown = "".join(takewhile(lambda line: line != "Ctrl-C stops the gateway.\n", process.stdout))
            assert process.poll() is None, shown
            process.send_signal(number)
            assert "Stopping" in process.stdout.read()
            assert process.wait(timeout=PATIENCE) == 0
        finally:
            end(process)
    assert "code: MSG00000" in shown
    assert "Try next" in shown
    host, _, port = environment["KSZ_BIND"].partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
