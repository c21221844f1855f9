"""The documented examples in Python, Node and PHP consult, and read what they are refused."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.personas import load_personas
from tests.e2e.conftest import RunningGateway
from tests.interop.conftest import CLIENTS, REPOSITORY, Proxy, run_example

SSIN = next(persona.ssin for persona in load_personas() if persona.name == "main-occupation")
WHO = {
    "zeep": ("pcsa", "0999900150"),
    "node": ("pcsa", "0999900150"),
    "php": ("career-account", "21", "0"),
}
LANGUAGES = sorted(WHO)


def consult(language: str, url: str, state: Path, *who: str) -> dict[str, Any]:
    done = run_example(language, url, state / "pki", *(who or WHO[language]), SSIN)
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


def assert_answered(answered: dict[str, Any], url: str) -> None:
    assert answered["career"] == {"value": "DATA_FOUND", "code": "MSG00000", "begins": ["2005-04-01"]}
    assert answered["contributions"] == {
        "value": "DATA_FOUND",
        "code": "MSG00000",
        "quarters": ["2018Q1", "2018Q2", "2018Q3", "2018Q4"],
    }
    fault = answered["fault"]
    assert fault["faultcode"].rpartition(":")[2] == "Client"
    assert fault["faultstring"].startswith("MSG00004: ")
    assert f"{url}/errors/MSG00004" in fault["faultstring"]
    assert (fault["code"], fault["fields"]) == ("MSG00004", ["criteria/ssin"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_consults_and_reads_a_faults_detail(gateway: RunningGateway, language: str) -> None:
    assert_answered(consult(language, gateway.url, gateway.state), gateway.url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_in_the_page_is_the_one_that_works(gateway: RunningGateway, language: str) -> None:
    page = (CLIENTS / f"{language}.md").read_text("utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    line = block.splitlines()[-1].replace("https://127.0.0.1:8443", gateway.url)
    program, *arguments = shlex.split(line.replace("var/pki", str(gateway.state / "pki")))
    done = subprocess.run(
        [sys.executable if program == ".venv/bin/python" else shutil.which(program) or program, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert_answered(json.loads(done.stdout), gateway.url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_consults_through_haproxy(proxy: Proxy, language: str) -> None:
    assert_answered(consult(language, proxy.url, proxy.gateway.state), proxy.url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_shows_a_refusal_that_is_a_reply(gateway: RunningGateway, language: str) -> None:
    another = {
        "zeep": ("economy", "0999900150"),
        "node": ("economy", "0999900150"),
        "php": ("career-account", "22", "0"),
    }
    answered = consult(language, gateway.url, gateway.state, *another[language])
    assert answered["career"] == {"value": "NO_RESULT", "code": "MSG00014", "begins": []}


def test_php_with_a_certificate_that_must_sign_is_told_so(gateway: RunningGateway) -> None:
    done = run_example("php", gateway.url, gateway.state / "pki", "pcsa", "21", "0", SSIN)
    assert done.returncode != 0
    assert "wsse:FailedAuthentication" in done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_talks_to_nobody_but_a_gateway_of_its_authority(
    gateway: RunningGateway, tmp_path: Path, language: str
) -> None:
    pki = tmp_path / "pki"
    pki.mkdir()
    for name in ("clients", "gateway.pem"):
        (pki / name).symlink_to(gateway.state / "pki" / name)
    (pki / "ca.pem").write_bytes((gateway.state / "pki" / "clients" / "economy.pem").read_bytes())
    done = run_example(language, gateway.url, pki, *WHO[language], SSIN)
    assert done.returncode != 0
    assert ("Couldn't load" if language == "php" else "certificate") in done.stderr


@pytest.mark.parametrize("language", ["zeep", "node"])
def test_an_example_believes_no_reply_that_another_certificate_signed(
    gateway: RunningGateway, tmp_path: Path, language: str
) -> None:
    pki = tmp_path / "pki"
    pki.mkdir()
    for name in ("clients", "ca.pem"):
        (pki / name).symlink_to(gateway.state / "pki" / name)
    (pki / "gateway.pem").symlink_to(gateway.state / "pki" / "clients" / "economy.pem")
    done = run_example(language, gateway.url, pki, *WHO[language], SSIN)
    assert done.returncode != 0
    assert "signature" in done.stderr.lower()


def test_node_installs_exactly_what_is_locked() -> None:
    npm = shutil.which("npm") or "npm"
    listed = subprocess.run(
        [npm, "ls", "--json", "--depth=0"], cwd=CLIENTS / "node", capture_output=True, text=True, check=True
    )
    locked = json.loads((CLIENTS / "node" / "package-lock.json").read_text())["packages"]
    installed = json.loads(listed.stdout)["dependencies"]
    assert {name: each["version"] for name, each in installed.items()} == {
        name: locked[f"node_modules/{name}"]["version"] for name in locked[""]["dependencies"]
    }
    assert all("resolved" not in each for each in locked.values())
