"""The programs of an exported annex call the running gateway, and are answered, with nothing of ours in their way."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from zipfile import is_zipfile

import pytest

from tests.e2e.conftest import PATIENCE, RunningGateway, run_command
from tests.integration.docs_examples import shown_commands

# Whose keys sign for the annex; the inspection's is elliptic, and its annex has the token signed too.
CLIENTS = {
    "pcsa": "pcsa",
    "career-account": "career-account",
    "integrator": "integrator",
    "brewery": "brewery",
    "support": "support",
    "probe": "probe",
    "inspection": "inspection",
    "technical-users": "brewery-messages",
}
ELLIPTIC = {"inspection", "brewery-messages"}
OVER_TLS = {"career-account"}


def run_program(gateway: RunningGateway, program: Path, path: str, keys: str) -> dict[str, object]:
    """Run a program of a package against the gateway, and return what it prints."""
    pki = gateway.state / "pki"
    identity = [pki / "clients" / f"{keys}.key", pki / "clients" / f"{keys}.pem"]
    signing = [] if keys in OVER_TLS else [pki / "gateway.pem", *(["--elliptic"] if keys in ELLIPTIC else [])]
    done = subprocess.run(
        [sys.executable, program, *identity, *signing, "--endpoint", gateway.url + path, "--ca", gateway.authority],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (program.name, done.stdout, done.stderr)
    reply: dict[str, object] = json.loads(done.stdout)["reply"]
    return reply


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_each_program_of_an_export_is_answered(gateway: RunningGateway, tmp_path: Path, client: str) -> None:
    made = run_command("annex", "export", client, "--out", tmp_path / client, "--state", gateway.state, "--json")
    assert made.returncode == 0, made.stderr
    programs = [Path(file) for file in json.loads(made.stdout) if "/python/" in file and "ksz_signature" not in file]
    assert len(programs) > 1
    for program in programs:
        reply = run_program(gateway, program, _path_of(program), CLIENTS[client])
        status = reply.get("status")
        if isinstance(status, dict):
            assert status["value"] == "DATA_FOUND", (program.name, status)
        else:
            assert "echo" in reply or "health" in reply


def _path_of(program: Path) -> str:
    """Return the path of the service that the program calls, from the address that it has by default."""
    line = next(line for line in program.read_text("utf-8").splitlines() if line.startswith("ENDPOINT = "))
    return line.removeprefix('ENDPOINT = "https://127.0.0.1:8443').removesuffix('"')


def test_a_client_that_nobody_knows_is_named_with_those_that_are_known(gateway: RunningGateway, tmp_path: Path) -> None:
    made = run_command("annex", "export", "nobody", "--out", tmp_path / "x", "--state", gateway.state)
    assert made.returncode == 1
    assert "there is no client nobody; there are accountant, " in made.stderr


def test_the_examples_of_the_page_do_what_it_says(
    gateway: RunningGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").symlink_to(gateway.state)
    (tmp_path / "fixtures").symlink_to(Path(__file__).parents[2] / "fixtures")
    monkeypatch.chdir(tmp_path)
    exports = shown_commands("annex-export.md")
    programs = shown_commands("annex-export.md", ".venv/bin/python ")
    assert (len(exports), len(programs)) == (3, 1)
    for line in exports:
        made = run_command(*shlex.split(line), KSZ_PUBLIC_URL=gateway.url)
        assert made.returncode == 0, made.stderr
    assert [each.name for each in Path("exports", "draft").glob("*.html")] == ["annex-fr.html"]
    assert is_zipfile(Path("exports", "economy.zip"))
    again = run_command(*shlex.split(exports[0]), KSZ_PUBLIC_URL=gateway.url)
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
    for line in programs:
        done = subprocess.run(
            [sys.executable, *shlex.split(line)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["reply"]["status"]["value"] == "DATA_FOUND"
