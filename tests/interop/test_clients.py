"""The documented examples in Python, Node and PHP call every operation, and believe nobody but the gateway."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.e2e.conftest import PATIENCE, RunningGateway
from tests.interop.calls import SERVICES, Call, get_schema, load_calls, read_leaves, sent_leaves
from tests.interop.conftest import CLIENTS, PROGRAMS, REPOSITORY, Proxy, run_example

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
CALLS = load_calls()
LANGUAGES = sorted(PROGRAMS)
SIGNING = ["node", "zeep"]
# Its answers come in a batch, which this gateway does not deliver yet.
NEVER_ANSWERED = {("DmfaConsultationService/v1", "consultPersonnelByEmployer")}

CAREER = "/SelfEmployedService/v2/consult"
REQUEST = CLIENTS / "request.json"


def test_every_operation_is_called_and_answered_and_refused() -> None:
    made = defaultdict(set)
    for call in CALLS:
        made[call.service.name, call.operation].add(call.refused)
    assert made == {
        (service.name, operation.name): {True} if (service.name, operation.name) in NEVER_ANSWERED else {True, False}
        for service in SERVICES.values()
        for operation in service.operations
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_is_answered_in_every_language(
    gateway: RunningGateway, tmp_path: Path, call: Call, language: str
) -> None:
    request, received = tmp_path / "request.json", tmp_path / "received.xml"
    request.write_text(json.dumps(call.request_in(language)), "utf-8")
    address = f"{gateway.url}{call.service.path}"
    done = run_example(
        language, address, call.operation, request, gateway.state / "pki", call.client_in(language), received
    )
    assert done.returncode == (2 if call.value == "FAULT" else 0), done.stderr
    told = json.loads(done.stdout)

    (payload,) = etree.parse(received).iterfind(f"{SOAP}Body/*")
    if call.value == "FAULT":
        assert told["fault"]["message"].startswith(f"{call.code}: ")
        payload, document = payload.find("detail/*"), told["fault"]["detail"]
    else:
        document = told["reply"]
    if payload is None:
        # The message was refused before anybody looked for an operation in it.
        assert document is None
        return
    get_schema(call.service.wsdl).assertValid(payload)
    leaves = read_leaves(document)
    assert leaves == sent_leaves(payload)
    if call.value == "FAULT":
        assert leaves["detail/reasonCode"] == [call.code]
    elif call.value:
        assert leaves["status/value"] + leaves["status/code"] == [call.value, call.code]
    assert {path: leaves[path] for path in call.holds} == call.holds


def consult(language: str, url: str, state: Path) -> dict[str, Any]:
    """Ask for a career as docs/clients says."""
    done = run_example(language, f"{url}{CAREER}", "consultCareer", REQUEST, state / "pki", "integrator")
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)["reply"]
    return answered


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
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reply"]["status"]["code"] == "MSG00000"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_consults_through_haproxy(proxy: Proxy, language: str) -> None:
    status = consult(language, proxy.url, proxy.gateway.state)["status"]
    assert (status["value"], status["code"]) == ("DATA_FOUND", "MSG00000")
    assert f"{proxy.url}/errors/MSG00000" in status["description"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_talks_to_nobody_but_a_gateway_of_its_authority(
    gateway: RunningGateway, tmp_path: Path, language: str
) -> None:
    for name in ("clients", "gateway.pem"):
        (tmp_path / name).symlink_to(gateway.state / "pki" / name)
    (tmp_path / "ca.pem").write_bytes((gateway.state / "pki" / "clients" / "economy.pem").read_bytes())
    done = run_example(language, f"{gateway.url}{CAREER}", "consultCareer", REQUEST, tmp_path, "integrator")
    assert done.returncode not in (0, 2)
    assert ("Couldn't load" if language == "php" else "certificate") in done.stderr


@pytest.mark.parametrize("language", SIGNING)
def test_an_example_believes_no_reply_that_another_certificate_signed(
    gateway: RunningGateway, tmp_path: Path, language: str
) -> None:
    for name in ("clients", "ca.pem"):
        (tmp_path / name).symlink_to(gateway.state / "pki" / name)
    (tmp_path / "gateway.pem").symlink_to(gateway.state / "pki" / "clients" / "economy.pem")
    done = run_example(language, f"{gateway.url}{CAREER}", "consultCareer", REQUEST, tmp_path, "integrator")
    assert done.returncode not in (0, 2)
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
