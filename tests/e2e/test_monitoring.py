"""What monitoring sees of a gateway that serves: metrics, the probe's exit codes, and HealthCheck across workers."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import requests
from lxml import etree

from faults.processes import find_management
from fixtures.messages import envelope, moment, sign
from gateway.health.snapshot import read_snapshot
from gateway.pki import load_identity
from gateway.settings import load_settings
from tests.e2e.conftest import COMMAND, PATIENCE, RunningGateway, end, free_port, run_command, serving, wait_until
from tests.e2e.test_serving import SELF_EMPLOYED, signed_request

HEALTH = "http://kszbcss.fgov.be/intf/HealthCheckService/v1"


@pytest.fixture(scope="module")
def own(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway of our own, to break: on a copy of the state."""
    directory = tmp_path_factory.mktemp("own") / "state"
    shutil.copytree(state, directory)
    with serving(directory, until="/live", KSZ_SIGNING_KEY="pki/own.key") as running:
        yield running


def probe(gateway: RunningGateway, *options: str) -> CompletedProcess[str]:
    return run_command("probe", "--state", gateway.state, "--url", gateway.url, *options)


def wait_for(gateway: RunningGateway, status: int, *options: str) -> CompletedProcess[str]:
    made: list[CompletedProcess[str]] = []

    def is_told() -> bool:
        made.append(probe(gateway, *options))
        return made[-1].returncode == status

    wait_until(is_told, lambda: made[-1].stdout)
    return made[-1]


def test_the_probe_says_how_the_gateway_is(gateway: RunningGateway) -> None:
    well = wait_for(gateway, 0)
    assert re.fullmatch(r"KSZ OK - DEEP: \d+ components OK \| time=\d+ms;;;0 .*'audit'=\d+ms;;;0.*\n", well.stdout)
    ping = probe(gateway, "--level", "PING", "--warning", "60000", "--critical", "90000")
    assert (ping.returncode, ping.stdout.partition(" | ")[0]) == (0, "KSZ OK - PING: the gateway answers")
    assert re.search(r"\| time=\d+ms;60000;90000;0\n$", ping.stdout)
    document = json.loads(probe(gateway, "--json").stdout)
    assert document["status"] == "OK"
    assert {"database", "audit", "SelfEmployedService/v2"} <= {each["name"] for each in document["components"]}


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (("--warning", "0"), 1, "KSZ WARNING - PING: the gateway answers; slow: "),
        (("--warning", "0", "--critical", "0"), 2, "KSZ CRITICAL - PING: the gateway answers; slow: "),
        (("--client", "nobody"), 3, "KSZ UNKNOWN - the keys of nobody cannot be read"),
        (("--level", "DEEPEST"), 3, "KSZ UNKNOWN - --level DEEPEST: there are PING, DEFAULT, DEEP."),
        (("--level", "DEEP", "--client", "pcsa"), 3, "KSZ UNKNOWN - MSG00013: "),
        (("--level", "DEEP", "--service", "NoService/v1"), 3, "KSZ UNKNOWN - MSG00008: "),
        (
            ("--url", "https://127.0.0.1:9"),
            2,
            "KSZ CRITICAL - https://127.0.0.1:9/HealthCheckService/v1/consult does not",
        ),
    ],
)
def test_the_probe_exits_as_nagios_expects(
    gateway: RunningGateway, options: tuple[str, ...], status: int, told: str
) -> None:
    made = probe(gateway, "--level", "PING", *options)
    assert made.returncode == status, made.stdout
    assert made.stdout.startswith(told)
    assert made.stdout.count("\n") == 1


def test_the_probe_without_usable_settings_is_unknown(gateway: RunningGateway) -> None:
    made = run_command("probe", "--state", gateway.state, KSZ_NO_SUCH_THING="1")
    assert (made.returncode, made.stdout.count("\n")) == (3, 1)


def test_a_gateway_without_a_usable_signing_key_starts_says_so_and_recovers(own: RunningGateway) -> None:
    """It was started with a signing key that does not exist."""
    broken = wait_for(own, 2, "--level", "DEFAULT")
    assert "the reply is not signed" in broken.stdout
    assert "signing-key NOK (The gateway has no usable signing key)" in broken.stdout
    ready = requests.get(f"{own.management_url}/ready", timeout=PATIENCE)
    assert (ready.status_code, ready.json()["components"]["signing key"]) == (503, "NOK: FileNotFoundError")
    shutil.copy(own.state / "pki" / "gateway.key", own.state / "pki" / "own.key")
    assert "components OK" in wait_for(own, 0).stdout
    assert requests.get(f"{own.management_url}/ready", timeout=PATIENCE).ok


def test_audit_keys_that_are_gone_are_told_and_back_in_time(own: RunningGateway) -> None:
    shutil.copy(own.state / "pki" / "gateway.key", own.state / "pki" / "own.key")
    wait_for(own, 0)
    keys = own.state / "keys" / "audit"
    keys.rename(keys.with_name("aside"))
    assert "audit NOK" in wait_for(own, 2).stdout
    keys.with_name("aside").rename(keys)
    wait_for(own, 0)


def test_two_hundred_deep_probes_share_the_measurements_of_the_node(gateway: RunningGateway) -> None:
    wait_for(gateway, 0)
    identity = load_identity(gateway.state / "pki" / "clients" / "probe")
    payload = (
        f'<h:HealthCheckRequest xmlns:h="{HEALTH}"><criteria><level>DEEP</level></criteria></h:HealthCheckRequest>'
    )
    messages = [sign(envelope(payload), identity, moment()) for _ in range(200)]
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda message: gateway.post("/HealthCheckService/v1/consult", message), messages))
    seconds = time.monotonic() - started
    measured = set()
    for reply in replies:
        root = etree.fromstring(reply.content)
        assert root.findtext(".//overall") == "OK", reply.text
        measured |= {
            (each.findtext("name"), each.findtext("measuredAt"))
            for each in root.iter("component")
            if each.findtext("kind") == "SOURCE"
        }
    sources = {name for name, _ in measured}
    # One measurement, and one more for each five seconds that pass meanwhile.
    assert len(measured) <= len(sources) * (2 + seconds // 5)


def test_the_management_port_answers_ping(gateway: RunningGateway) -> None:
    assert requests.get(f"{gateway.management_url}/ping", timeout=PATIENCE).json()["status"] == "OK"


def scrape(gateway: RunningGateway) -> dict[str, float]:
    reply = requests.get(f"{gateway.management_url}/metrics", timeout=PATIENCE)
    assert reply.headers["Content-Type"].startswith("text/plain")
    lines = (line for line in reply.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_have_every_family_and_count_over_all_workers(gateway: RunningGateway) -> None:
    granted = 'service="SelfEmployedService/v2"'
    name = f'ksz_requests_total{{code="MSG00000",operation="consultCareer",outcome="reply",{granted}}}'
    before = scrape(gateway).get(name, 0)
    for _ in range(20):
        assert gateway.post(SELF_EMPLOYED, signed_request(gateway.state)).ok
    assert gateway.post(SELF_EMPLOYED, b"<nothing/>").status_code == 500
    wait_until(lambda: scrape(gateway).get(name, 0) >= before + 20)
    metrics = scrape(gateway)
    assert metrics[name] == before + 20
    assert metrics[f'ksz_decisions_total{{code="MSG00000",decision="permit",{granted}}}'] >= 20
    stages = set(re.findall(r'ksz_stage_seconds_count\{stage="(\w+)"', " ".join(metrics)))
    assert stages == {
        *(
            "receive",
            "parse",
            "authenticate",
            "admit",
            "resolve",
            "validate",
            "authorize",
            "dispatch",
            "screen",
            "disclose",
        ),
        *("respond", "record"),
    }
    bucket = 'ksz_stage_seconds_bucket{le="10.0",stage="dispatch"}'
    assert metrics[bucket] == metrics['ksz_stage_seconds_count{stage="dispatch"}'] >= 20
    assert 0 < metrics['ksz_source_seconds_sum{source="SelfEmployedService/v2"}'] < 20
    assert metrics["ksz_audit_backlog"] == 0
    for certificate in ("signing", "tls", "client-authorities", "revocation-lists"):
        assert 300 < metrics[f'ksz_certificate_days_left{{certificate="{certificate}"}}'] < 4000
    assert metrics['ksz_component_health{component="audit"}'] == 1
    assert metrics['ksz_component_measured_seconds{component="SelfEmployedService/v2"}'] < 30


def test_a_label_never_comes_from_a_request(gateway: RunningGateway) -> None:
    gateway.post(
        SELF_EMPLOYED, b"<x/>", headers={"SOAPAction": "evil-label", "Content-Type": "text/xml; charset=utf-8"}
    )
    gateway.post("/evil-label", b"<x/>")
    time.sleep(1.5)
    assert "evil-label" not in requests.get(f"{gateway.management_url}/metrics", timeout=PATIENCE).text


def test_without_a_free_management_port_it_is_measured_all_the_same(state: Path) -> None:
    """The default port, which nobody chose, is done without when it is taken."""
    settings = load_settings(state=state, bind=f"127.0.0.1:{free_port()}")
    with socket.socket() as taken:
        with suppress(OSError):
            taken.bind(("127.0.0.1", 8081))
            taken.listen()
        with subprocess.Popen(
            [COMMAND, "serve", "--state", state, "--bind", settings.bind],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                wait_until(settings.health_snapshot.exists)
            finally:
                end(process)
            assert process.stderr is not None
            written = process.stderr.read()
    assert "no_management_port" in written
    assert {"database", "audit"} <= set(read_snapshot(settings.health_snapshot))


def test_a_gateway_ends_in_good_order_though_its_management_process_does_not(state: Path, tmp_path: Path) -> None:
    directory = tmp_path / "state"
    shutil.copytree(state, directory, ignore=shutil.ignore_patterns("run"))
    with serving(directory) as gateway:
        management = find_management(gateway)
        os.kill(management, signal.SIGSTOP)
    assert not Path(f"/proc/{management}").exists()
    assert "management_killed" in gateway.log.read_text()
