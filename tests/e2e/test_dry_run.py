"""A dry run over TLS: by the command, and by the example in zeep that the documentation shows."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from fixtures.personas import load_personas
from tests.e2e.conftest import PATIENCE, RunningGateway, run_command
from tests.integration.docs_examples import shown_commands

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/clients/zeep/dry_run.py"
SSIN = {persona.name: persona.ssin for persona in load_personas()}
CONSULT = ("call", "SelfEmployedService", "consultCareer")


def call(gateway: RunningGateway, *arguments: str, client: str = "pcsa") -> "subprocess.CompletedProcess[str]":
    where = ("--state", gateway.state, "--url", gateway.url)
    return run_command(*CONSULT, "--dry-run", "--client", client, *arguments, *where)


def test_the_command_prints_the_explanation(gateway: RunningGateway) -> None:
    done = call(gateway, "--ssin", SSIN["main-occupation"])
    assert done.returncode == 0, done.stderr
    assert "permitted NO_RESULT GTW00004, by operations[0]\n" in done.stdout
    (integration,) = (line for line in done.stdout.splitlines() if "integration" in line)
    assert [cell.strip() for cell in integration.strip("│").split("│")] == [
        "integration",
        SSIN["main-occupation"],
        "passed",
        "operations[0].integration",
    ]
    assert "career" not in done.stdout


def test_the_command_says_what_would_have_been_allowed(gateway: RunningGateway) -> None:
    done = call(gateway, "--ssin", SSIN["not-in-the-file"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "refused NO_RESULT MSG00012, by operations[0].integration\n  allowed: " in done.stdout


def test_the_command_gives_the_explanation_to_programs(gateway: RunningGateway) -> None:
    done = call(gateway, "--ssin", SSIN["not-in-the-file"], "--json")
    document = json.loads(done.stdout)
    assert (document["status"]["code"], document["explanation"]["decision"]) == ("MSG00012", "REFUSED")
    (refused,) = (check for check in document["explanation"]["check"] if check["result"] == "REFUSED")
    assert (refused["name"], refused["clause"]) == ("integration", "operations[0].integration")
    assert "PCSA:FILE" in refused["allowed"]


def test_without_a_signature_the_command_says_what_to_do(gateway: RunningGateway) -> None:
    done = call(gateway, "--ssin", SSIN["main-occupation"], client="career-account")
    assert done.returncode == 2
    assert "wsse:InvalidSecurity" in done.stdout
    assert "covered by the message's signature" in done.stdout


def test_the_page_shows_what_works(gateway: RunningGateway) -> None:
    lines = [shlex.split(line) for line in shown_commands("dry-run.md")]
    assert len(lines) == 2
    for line in lines:
        done = run_command(*line, "--state", gateway.state, "--url", gateway.url)
        assert done.returncode == 0, done.stderr
        assert "GTW00004" in done.stdout
    shown = f"docs/clients/zeep/{EXAMPLE.name} https://127.0.0.1:8443/SelfEmployedService/v2/consult consultCareer"
    assert f"{shown} docs/clients/request.json var/pki integrator" in (ROOT / "docs/dry-run.md").read_text("utf-8")


def run_example(gateway: RunningGateway, request: Path) -> dict[str, object]:
    address, pki = f"{gateway.url}/SelfEmployedService/v2/consult", gateway.state / "pki"
    arguments = [address, "consultCareer", str(request), str(pki), "integrator"]
    done = subprocess.run(
        [sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_example_in_zeep_is_told_whether_it_would_pass(gateway: RunningGateway, tmp_path: Path) -> None:
    request = ROOT / "docs/clients/request.json"
    answer = run_example(gateway, request)
    assert (answer["status"], answer["decision"]) == ("GTW00004", "PERMITTED")
    other = tmp_path / "request.json"
    other.write_text(json.dumps(json.loads(request.read_text("utf-8")) | {"legalContext": "PCSA:OTHER"}))
    answer = run_example(gateway, other)
    assert (answer["status"], answer["decision"]) == ("MSG00013", "REFUSED")
