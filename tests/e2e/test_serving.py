"""What an operator sees of a gateway that serves: documents, probes, certificates, replays, and a clean end."""

import base64
import json
import os
import shutil
import signal
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from faults.processes import find_workers
from fixtures.messages import envelope, moment, sign
from fixtures.personas import load_personas
from gateway.demo_world import annex_files
from gateway.pki import Identity, load_identity
from tests.e2e.conftest import PATIENCE, RunningGateway, free_port, run_command, serving, wait_until

ROOT = Path(__file__).parents[2]
SELF_EMPLOYED = "/SelfEmployedService/v2/consult"
SSIN = next(persona.ssin for persona in load_personas() if persona.name == "main-occupation")


def career_request(cbe_number: str = "0999900150", legal_context: str = "PCSA:SOCIAL_INQUIRY") -> str:
    return (
        '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2">'
        "<informationCustomer><customerIdentification>"
        f"<cbeNumber>{cbe_number}</cbeNumber></customerIdentification></informationCustomer>"
        f"<legalContext>{legal_context}</legalContext><criteria><ssin>{SSIN}</ssin></criteria>"
        "</v2:consultCareerRequest>"
    )


def identity_of(state: Path, client: str) -> Identity:
    return load_identity(state / "pki" / "clients" / client)


def certificate_header(state: Path) -> dict[str, str]:
    der = identity_of(state, "career-account").certificate.public_bytes(Encoding.DER)
    return {"Content-Type": "text/xml; charset=utf-8", "X-Client-Cert": base64.b64encode(der).decode()}


def signed_request(state: Path, client: str = "pcsa") -> bytes:
    return sign(envelope(career_request()), identity_of(state, client), moment())


def text_of(reply: requests.Response, name: str) -> str | None:
    return etree.fromstring(reply.content).findtext(f".//{name}")


def test_the_wsdl_and_its_schemas_are_read_without_a_certificate(gateway: RunningGateway) -> None:
    wsdl = gateway.get(f"{SELF_EMPLOYED}?wsdl")
    assert wsdl.headers["Content-Type"] == "text/xml; charset=utf-8"
    locations = [
        str(node.get("schemaLocation"))
        for node in etree.fromstring(wsdl.content).iter("{http://www.w3.org/2001/XMLSchema}import")
    ]
    assert locations
    for location in locations:
        assert location.startswith(f"{gateway.url}/xsd/")
        assert gateway.get(location.removeprefix(gateway.url)).ok


def test_an_unknown_address_is_not_found(gateway: RunningGateway) -> None:
    for path in ("/nothing", "/xsd/../setup.cfg", "/xsd/nothing.xsd", "/errors/MSG99999"):
        reply = gateway.get(path)
        assert (reply.status_code, reply.text.partition(":")[0]) == (404, "GTW00019")


@pytest.mark.parametrize(("language", "served"), [("nl-BE,en;q=0.5", "nl"), ("fr", "fr"), ("ja", "en")])
def test_the_error_catalogue_speaks_the_callers_language(gateway: RunningGateway, language: str, served: str) -> None:
    reply = gateway.get("/errors/MSG00012", headers={"Accept-Language": language})
    assert reply.ok
    assert reply.headers["Content-Language"] == served
    assert f'lang="{served}"' in reply.text


def test_the_management_port_tells_that_the_node_is_ready(gateway: RunningGateway) -> None:
    ready = requests.get(f"{gateway.management_url}/ready", timeout=PATIENCE)
    assert (ready.status_code, ready.json()["status"]) == (200, "OK")
    assert requests.get(f"{gateway.management_url}/live", timeout=PATIENCE).ok
    assert requests.get(f"{gateway.management_url}/other", timeout=PATIENCE).status_code == 404


def test_a_certificate_header_of_a_stranger_is_ignored(gateway: RunningGateway) -> None:
    reply = gateway.post(SELF_EMPLOYED, envelope(career_request()), headers=certificate_header(gateway.state))
    assert text_of(reply, "faultcode") == "wsse:SecurityTokenUnavailable"


def test_a_certificate_header_of_a_trusted_proxy_is_believed(state: Path) -> None:
    message = envelope(
        career_request(legal_context="SIGEDIS:CAREER_ACCOUNT").replace(
            "<cbeNumber>0999900150</cbeNumber>", "<sector>21</sector><institution>0</institution>"
        )
    )
    with serving(state, "--no-tls", scheme="http", KSZ_TRUSTED_PROXIES='["127.0.0.1"]') as behind_proxy:
        reply = behind_proxy.post(SELF_EMPLOYED, message, headers=certificate_header(state))
    assert text_of(reply, "status/code") == "MSG00000"


def test_a_request_in_hand_is_finished_when_the_gateway_stops(state: Path) -> None:
    message = signed_request(state)
    with serving(state, "--no-tls", "--workers", "1", scheme="http") as running:
        host, port = running.url.removeprefix("http://").split(":")
        with closing(HTTPConnection(host, int(port), timeout=PATIENCE)) as connection:
            connection.putrequest("POST", SELF_EMPLOYED)
            connection.putheader("Content-Type", "text/xml; charset=utf-8")
            connection.putheader("Content-Length", str(len(message)))
            connection.putheader("Expect", "100-continue")
            connection.endheaders()
            # Said by the worker that has the request in hand.
            assert connection.sock.recv(100).startswith(b"HTTP/1.1 100 ")
            connection.send(message[:100])
            running.process.terminate()
            time.sleep(0.5)  # To hear of it. On a machine that needs longer this shows less, and fails nothing.
            connection.send(message[100:])
            content = connection.getresponse().read()
    assert etree.fromstring(content).findtext(".//status/code") == "MSG00000"


def test_a_port_that_is_taken_is_said_in_one_line(gateway: RunningGateway) -> None:
    address = gateway.url.removeprefix("https://")
    refused = run_command(
        "serve", "--state", gateway.state, "--bind", address, "--management-bind", f"127.0.0.1:{free_port()}"
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"{address} is in use" in refused.stderr


def test_a_state_that_was_never_prepared_is_said_in_one_line(tmp_path: Path) -> None:
    refused = run_command(
        "serve",
        "--state",
        tmp_path,
        "--bind",
        f"127.0.0.1:{free_port()}",
        KSZ_MANAGEMENT_BIND=f"127.0.0.1:{free_port()}",
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "ksz-gateway demo" in refused.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('workers = "many"\n')
    refused = run_command("serve", "--state", tmp_path, KSZ_NO_SUCH_THING="1")
    assert refused.returncode == 1
    assert "workers" in refused.stderr
    refused = run_command("clients", "--state", tmp_path / "other", KSZ_NO_SUCH_THING="1")
    assert "KSZ_NO_SUCH_THING" in refused.stderr


def test_clients_list_is_json_for_programs(state: Path) -> None:
    listed = json.loads(run_command("clients", "--state", state, "--json").stdout)
    names = [client["name"] for client in listed]
    assert names == [path.stem for path in annex_files()]


def test_each_worker_keeps_to_a_processor_of_its_own_also_in_the_place_of_one_that_was_killed(
    gateway: RunningGateway, state: Path
) -> None:
    usable = os.sched_getaffinity(0)

    def processors_of(pid: int) -> list[set[int]]:
        return [os.sched_getaffinity(int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()]

    def are_apart() -> bool:
        workers = find_workers(gateway)
        try:
            kept_to = [processors_of(pid) for pid in workers]
        except OSError:
            # One of them has just ended.
            return False
        alone = all(len(each) == 1 and each == threads[0] for threads in kept_to for each in threads)
        return alone and len(workers) == 2 and len({min(threads[0]) for threads in kept_to}) == min(2, len(usable))

    wait_until(are_apart)
    before = find_workers(gateway)
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: before[0] not in find_workers(gateway) and are_apart())
    assert usable <= set().union(*processors_of(gateway.process.pid))


def test_workers_run_anywhere_where_that_is_set(state: Path, tmp_path: Path) -> None:
    own = tmp_path / "state"
    shutil.copytree(state, own)
    with serving(own, KSZ_PIN_WORKERS="false") as running:
        assert {frozenset(os.sched_getaffinity(pid)) for pid in find_workers(running)} == {
            frozenset(os.sched_getaffinity(0))
        }
