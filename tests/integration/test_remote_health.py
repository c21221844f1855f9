"""HealthCheck and metrics tell how remote sources are: as measured, and as this worker's own calls know."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from annex_world import wait_until
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from gateway_world import DemoState
from prometheus_client import CollectorRegistry
from source_world import RemoteWorld, open_remote_world
from test_health_check import Node, check, detail, overall, states

from gateway.metrics import Meter
from gateway.node_metrics import find_ends
from gateway.pki import load_identity
from gateway.simulator.server import SimulatorServer
from gateway.sources.recovery import Recovery
from tests.log_lines import LogLines

SSIN = "75631290176"
SERVICE = "SelfEmployedService/v2"
LIMITS = {"deadline_seconds": 3.0, "failures": 2, "pause_seconds": 60.0}


QUARTERS = {"beginQuarter": "2020Q1", "endQuarter": "2020Q4"}


@pytest.fixture(params=[{}])
def worlds(
    demo_state: DemoState,
    tmp_path: Any,
    log_lines: LogLines,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[RemoteWorld]:
    # Sixteen sources at once on a machine that has more to do.
    monkeypatch.setattr("gateway.health.measure.SLOW_MILLISECONDS", 60_000)
    with open_remote_world(demo_state, tmp_path / "remote", broker=True, **LIMITS | request.param) as opened:
        yield opened


def fail(worlds: RemoteWorld) -> None:
    """Ask until the source is left alone."""
    for _ in range(LIMITS["failures"]):
        asked = worlds.remote.ask(SSIN, operation="consultContributions", period=QUARTERS)
        assert asked.outcome == ("NO_RESULT", "MSG00020")


def recover(worlds: RemoteWorld) -> None:
    """Look, as a worker does once a second, whether what was left alone is there."""
    time.sleep(0.6)
    for watch in worlds.remote.gateway.watches:
        if isinstance(watch, Recovery):
            watch.look()


def test_each_fund_is_a_component_and_a_fund_that_fails_only_degrades(worlds: RemoteWorld) -> None:
    node = Node(worlds.remote)
    reply = node.check()
    parts = {name for name in states(reply) if name.startswith(SERVICE)}
    assert len(parts) == 1 + 11
    assert (overall(reply), set(states(reply).values())) == ("OK", {"OK"})
    worlds.simulator.faults.replace("/funds/003/:refuse")
    fail(worlds)
    reply = check(worlds.remote)
    assert (overall(reply), states(reply)[f"{SERVICE} fund 003"]) == ("OK", "DEGRADED")
    assert detail(reply, f"{SERVICE} fund 003") == "2 calls failed in a row: asked again now and then"
    assert states(reply)[SERVICE] == "OK"
    registry = CollectorRegistry()
    meter = Meter(registry, frozenset({SERVICE}))
    meter.start(lambda: 0, worlds.remote.gateway.guards)
    meter.flush()
    meter.flush()
    meter.close()
    fund = {"source": f"{SERVICE} fund 003"}
    assert registry.get_sample_value("ksz_source_calls_total", fund | {"outcome": "not_served"}) == 2
    assert registry.get_sample_value("ksz_source_circuit_open", fund) == 1
    assert registry.get_sample_value("ksz_source_on_trial", fund) == 0
    assert registry.get_sample_value("ksz_source_calls_in_flight", fund) == 0


def test_what_measures_a_source_reads_its_files_again_too(worlds: RemoteWorld, log_lines: LogLines) -> None:
    node = Node(worlds.remote)
    node.measure()
    before = len(log_lines.lines)
    (certificate,) = set(worlds.remote.gateway.sources.files)
    certificate.write_bytes(certificate.read_bytes() + b"\n")
    node.measure()
    told = [line for line in log_lines.lines[before:] if "source_certificate_read" in line]
    assert len({json.loads(line)["source"] for line in told}) == len(worlds.remote.gateway.guards)
    assert states(node.check())[f"{SERVICE} fund 003"] == "OK"


def test_it_is_told_how_long_the_certificates_of_the_sources_hold(worlds: RemoteWorld) -> None:
    """While a source changes its own there are two: the last end counts."""
    settings = worlds.remote.settings
    (certificate,) = set(worlds.remote.gateway.sources.files)
    own = load_identity(certificate.with_suffix("")).certificate
    ends = dict(find_ends(settings))
    sources = {name.removeprefix("source ") for name in ends if name.startswith("source ")}
    assert sources == {guard.name for guard in worlds.remote.gateway.guards}
    assert ends[f"source {SERVICE} fund 003"] == own.not_valid_after_utc
    authority = (settings.state / "pki" / "ca.pem").read_bytes()
    certificate.write_bytes(authority + own.public_bytes(Encoding.PEM))
    later = x509.load_pem_x509_certificate(authority).not_valid_after_utc
    assert dict(find_ends(settings))[f"source {SERVICE} fund 003"] == later > own.not_valid_after_utc
    certificate.write_bytes(b"none")
    assert f"source {SERVICE} fund 003" not in dict(find_ends(settings))


def test_a_source_whose_address_does_not_answer_is_nok(worlds: RemoteWorld) -> None:
    node = Node(worlds.remote)
    worlds.simulator.close()
    told = states(node.check())
    assert told["DmfaConsultationService/v1"] == told["EmployerMandateConsultationService/v2"] == "NOK"
    assert told[f"{SERVICE} fund 003"] == "DEGRADED"
    # Careers are asked of the database.
    assert told[SERVICE] == "OK"


def test_an_answer_about_another_person_is_told_by_healthcheck(worlds: RemoteWorld) -> None:
    node = Node(worlds.remote)
    node.measure()
    worlds.simulator.faults.replace("wrong-person")
    reply = worlds.remote.ask(SSIN, operation="consultContributions", period=QUARTERS)
    assert reply.outcome == ("NO_RESULT", "MSG00023")
    told = check(worlds.remote)
    assert states(told)[f"{SERVICE} fund 003"] == "DEGRADED"
    assert "another person" in detail(told, f"{SERVICE} fund 003")


@pytest.mark.parametrize("worlds", [{"pause_seconds": 0.5}], indirect=True)
def test_a_source_that_was_away_is_well_again_without_a_question(worlds: RemoteWorld) -> None:
    node, fund = Node(worlds.remote), f"{SERVICE} fund 003"
    away = worlds.simulator
    away.close()
    fail(worlds)
    assert states(node.check())[fund] == "DEGRADED"
    back = SimulatorServer(away.server_address, away.faults)
    back.sources = away.sources
    back.start()
    try:
        wait_until(lambda: states(node.check())[fund] == "OK")
        assert not any(guard.is_open for guard in worlds.remote.gateway.guards)
        # It was asked about nobody.
        assert back.last_answers == {}
    finally:
        back.close()


@pytest.mark.parametrize("worlds", [{"pause_seconds": 0.5}], indirect=True)
def test_a_source_whose_address_answers_while_calls_fail_is_well_again_after_a_call(worlds: RemoteWorld) -> None:
    node, fund = Node(worlds.remote), f"{SERVICE} fund 003"
    worlds.simulator.faults.replace("/funds/003/:refuse")
    fail(worlds)
    worlds.simulator.faults.replace()
    (guard,) = (each for each in worlds.remote.gateway.guards if each.name == fund)
    wait_until(lambda: guard.is_on_trial)
    for _ in range(3):
        recover(worlds)
    assert detail(node.check(), fund) == "2 calls failed in a row, and none was tried since: the next one is"
    assert worlds.remote.ask(SSIN, operation="consultContributions", period=QUARTERS).outcome[1] == "MSG00000"
    assert states(node.check())[fund] == "OK"
