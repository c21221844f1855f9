"""HealthCheck tells the truth: each dependency is stopped in turn, and the right component says so and recovers."""

import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway_world import (
    HEALTH,
    HEALTH_PATH,
    MANDATE,
    MANDATE_PATH,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    envelope,
    signed_names,
)
from sqlalchemy import insert, text

from gateway.bootstrap import REPOSITORIES, build_measurer
from gateway.demo_pki import DemoClient, prepare_pki
from gateway.health.measure import Measurer
from gateway.health.report import STALE_SECONDS
from gateway.health.snapshot import write_snapshot
from gateway.pki import KeyKind, create_key, issue, load_identity
from gateway.recorder import ExchangeRecorder
from gateway.storage.database import Database
from gateway.storage.tables import annex_revisions, audit_records, replay_keys
from gateway.wss.sign import SigningFailed
from services.consultation import SourceUnavailable

SOURCE = "SelfEmployedService/v2"
OWN_PARTS = {
    "contracts",
    "annexes",
    "signing-key",
    "tls-certificate",
    "client-authorities",
    "revocation-lists",
    "disk",
    "database",
    "audit",
}


def health_xml(level: str, service: str | None = None, namespace: str = HEALTH) -> str:
    named = f"<service>{service}</service>" if service else ""
    return (
        f'<h:HealthCheckRequest xmlns:h="{namespace}"><criteria><level>{level}</level>{named}</criteria>'
        "</h:HealthCheckRequest>"
    )


def check(world: World, level: str = "DEEP", client: str = "probe", **options: Any) -> Reply:
    reply = world.post(world.sign(health_xml(level, **options), client), HEALTH_PATH)
    assert_valid(reply.payload)
    return reply


def overall(reply: Reply) -> str:
    return str(reply.payload.findtext("health/overall"))


def states(reply: Reply) -> dict[str, str]:
    return {
        str(each.findtext("name")): str(each.findtext("state")) for each in reply.payload.iterfind("health/component")
    }


def ailing(reply: Reply) -> set[str]:
    return {name for name, state in states(reply).items() if state != "OK"}


def detail(reply: Reply, name: str) -> str:
    (found,) = (each for each in reply.payload.iterfind("health/component") if each.findtext("name") == name)
    return str(found.findtext("detail"))


class Node:
    """A world with what its management process would do, at the world's clock."""

    def __init__(self, world: World, **repositories: object) -> None:
        self.world = world
        self.measurer: Measurer = build_measurer(world.settings, world.clock, repositories)

    def measure(self) -> None:
        write_snapshot(self.world.settings.health_snapshot, self.measurer.measure())

    def check(self, level: str = "DEEP", **options: Any) -> Reply:
        self.measure()
        return check(self.world, level, **options)


@pytest.fixture
def node(open_own_world: OpenWorld) -> Node:
    return Node(open_own_world())


def test_ping_answers_and_touches_nothing_else(open_own_world: OpenWorld) -> None:
    world = open_own_world()

    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was touched")

    recorder: Any = ExchangeRecorder(Untouchable())  # type: ignore[arg-type]
    touchless = world.with_part(admission=Untouchable(), facts=Untouchable(), recorder=recorder)
    shutil.rmtree(world.settings.state / "run", ignore_errors=True)
    with world.without_database():
        for client in ("pcsa", "integrator", "support", "probe"):
            reply = check(touchless, "PING", client)
            assert (reply.outcome, overall(reply), states(reply)) == (("DATA_FOUND", "MSG00000"), "OK", {})
            assert "Body" in signed_names(reply, world.own_identity)
    assert world.records() == []


def test_default_tells_of_the_gateways_own_parts(node: Node) -> None:
    reply = node.check("DEFAULT")
    assert (overall(reply), states(reply)) == ("OK", dict.fromkeys(OWN_PARTS, "OK"))


def test_deep_tells_of_every_source_too(node: Node) -> None:
    reply = node.check("DEEP")
    assert (overall(reply), states(reply)) == ("OK", dict.fromkeys(OWN_PARTS | set(REPOSITORIES), "OK"))
    measured = [each for each in reply.payload.iterfind("health/component") if each.findtext("kind") == "SOURCE"]
    assert all(each.findtext("latency") and each.findtext("age") == "0" for each in measured)
    assert "Body" in signed_names(reply, node.world.own_identity)


def test_one_service_has_its_own_sources_alone(node: Node) -> None:
    assert set(states(node.check(service=SOURCE))) == OWN_PARTS | {SOURCE}
    assert set(states(node.check(service="TestConnectionService/v1"))) == OWN_PARTS
    unknown = node.check(service="NoService/v1")
    assert (unknown.outcome, unknown.information) == (("NO_RESULT", "MSG00008"), [("field", "criteria/service")])


def test_the_mandate_service_reports_its_own_sources(node: Node) -> None:
    node.measure()
    for service, outcome in ((None, "MSG00000"), (MANDATE.partition("intf/")[2], "MSG00000"), (SOURCE, "MSG00008")):
        message = node.world.sign(health_xml("DEEP", service, MANDATE), "probe")
        reply = node.world.post(message, MANDATE_PATH)
        assert_valid(reply.payload)
        assert reply.outcome[1] == outcome
        assert not set(states(reply)) & {SOURCE}


@pytest.mark.parametrize("level", ["DEFAULT", "DEEP"])
def test_more_than_ping_needs_a_grant(node: Node, level: str) -> None:
    node.measure()
    for client in ("pcsa", "integrator"):
        assert check(node.world, level, client).outcome == ("NO_RESULT", "MSG00013")
    message = node.world.sign(health_xml(level, namespace=MANDATE), "support")
    assert node.world.post(message, MANDATE_PATH).outcome == ("DATA_FOUND", "MSG00000")


def test_what_was_never_measured_is_not_well(open_own_world: OpenWorld) -> None:
    reply = check(open_own_world())
    assert (overall(reply), ailing(reply)) == ("NOK", {"database", "audit", *REPOSITORIES})
    assert detail(reply, "database") == "not measured"


@pytest.mark.parametrize("seconds", [STALE_SECONDS + 1, -STALE_SECONDS - 1])
def test_an_old_measurement_is_not_believed(node: Node, seconds: int) -> None:
    assert overall(node.check()) == "OK"
    node.world.clock.advance(seconds=seconds)
    reply = check(node.world)
    assert (overall(reply), ailing(reply)) == ("NOK", {"database", "audit", *REPOSITORIES})
    assert "not measured for more than" in detail(reply, "audit")
    assert overall(node.check()) == "OK"


def test_the_age_of_a_measurement_is_told(node: Node) -> None:
    node.measure()
    node.world.clock.advance(seconds=7)
    ages = {str(each.findtext("age")) for each in check(node.world).payload.iterfind("health/component")}
    assert ages == {"0", "7"}


def test_without_database_it_answers_and_recovers(node: Node) -> None:
    assert overall(node.check()) == "OK"
    with node.world.without_database():
        reply = node.check()
        assert (overall(reply), reply.is_signed) == ("NOK", True)
        assert {"database", "audit", *REPOSITORIES} <= ailing(reply) <= {"database", "audit", "annexes", *REPOSITORIES}
    assert overall(node.check()) == "OK"
    assert node.world.records() == []


@contextmanager
def renamed(world: World, table: str) -> Iterator[None]:
    database = Database(world.settings.database_url)
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    try:
        yield
    finally:
        with database.write() as connection:
            connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))
        database.close()


def test_an_audit_that_cannot_be_written_is_told(node: Node) -> None:
    with renamed(node.world, "audit_records"):
        reply = node.check("DEFAULT")
        assert (overall(reply), ailing(reply)) == ("NOK", {"audit"})
    assert overall(node.check("DEFAULT")) == "OK"


def test_audit_keys_that_are_gone_are_told(node: Node) -> None:
    assert overall(node.check("DEFAULT")) == "OK"
    keys = node.world.settings.audit_keys
    aside = keys.with_name("aside")
    keys.rename(aside)
    reply = node.check("DEFAULT")
    assert ailing(reply) == {"audit"}
    aside.rename(keys)
    assert overall(node.check("DEFAULT")) == "OK"


def test_measuring_leaves_the_audit_as_it_was_and_one_note(node: Node) -> None:
    before = node.world.rows(audit_records)
    for _ in range(3):
        assert overall(node.check("DEFAULT")) == "OK"
    assert node.world.rows(audit_records) == before
    assert len(node.world.rows(replay_keys)) == 1
    node.world.ask("75631290176")
    (record,) = node.world.records()
    assert record["position"] == max(row["position"] for row in before) + 1


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_a_full_disk_is_told(node: Node) -> None:
    for _ in range(5):
        node.world.ask("75631290176")
    assert Path(f"{node.world.settings.state}/ksz.db-wal").stat().st_size > 16384
    assert overall(node.check("DEFAULT")) == "OK"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, hard))
        reply = node.check("DEFAULT")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (overall(reply), ailing(reply)) == ("NOK", {"audit"})
    assert overall(node.check("DEFAULT")) == "OK"


def test_little_space_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.measure()
    real = os.statvfs(node.world.settings.state)
    for free, state in ((400, "DEGRADED"), (10, "NOK")):
        blocks = free * 1024**2 // real.f_frsize
        fields = list(real)
        fields[4] = blocks
        with monkeypatch.context() as patched:
            patched.setattr("os.statvfs", lambda path, fields=fields: os.statvfs_result((*fields, real.f_fsid)))
            assert states(check(node.world, "DEFAULT"))["disk"] == state


class Source:
    """A source that does as told; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def probe(self) -> None:
        self.asked += 1
        self.free.wait(30)
        if self.fault is not None:
            raise self.fault


def test_a_source_that_fails_or_hangs_is_told_and_the_others_are_not_delayed(open_own_world: OpenWorld) -> None:
    source = Source()
    node = Node(open_own_world(), **{SOURCE: source})
    node.measurer._deadline_seconds = 1.0
    assert overall(node.check()) == "OK"
    source.fault = SourceUnavailable("secret-host:5432 refuses")
    reply = node.check()
    assert (overall(reply), ailing(reply), detail(reply, SOURCE)) == ("NOK", {SOURCE}, "SourceUnavailable")
    source.fault = None
    source.free.clear()
    threads = threading.active_count()
    for _ in range(3):
        reply = node.check()
        assert (ailing(reply), detail(reply, SOURCE)) == ({SOURCE}, "no answer within 1 s")
    assert threading.active_count() <= threads + 1
    assert source.asked == 3
    source.free.set()
    node.measurer._runners[-1]._run.done.wait(5)  # type: ignore[union-attr]
    assert overall(node.check()) == "OK"


def test_a_source_that_cannot_be_measured_is_not_well(open_own_world: OpenWorld) -> None:
    node = Node(open_own_world(), **{SOURCE: object()})
    assert ailing(node.check()) == {SOURCE}


def test_two_hundred_deep_probes_cost_each_source_one_measurement(open_own_world: OpenWorld) -> None:
    sources = {name: Source() for name in REPOSITORIES}
    node = Node(open_own_world(), **sources)
    node.measure()
    messages = [node.world.sign(health_xml("DEEP"), "probe") for _ in range(200)]
    with ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda message: node.world.post(message, HEALTH_PATH), messages))
    assert [overall(reply) for reply in replies] == ["OK"] * 200
    assert {name: source.asked for name, source in sources.items()} == dict.fromkeys(sources, 1)


def test_a_signing_certificate_near_and_past_its_end_is_told_and_replaced_without_a_restart(node: Node) -> None:
    settings, clock = node.world.settings, node.world.clock
    key = node.world.gateway.signing_key
    own = settings.state / "pki" / "gateway"
    former = own.with_suffix(".pem").read_bytes()
    authority = load_identity(settings.state / "pki" / "ca")

    def certify(days: float) -> None:
        began = clock.now + timedelta(days=days) - timedelta(days=397)
        made = issue(authority, "gateway", 1, began, key=load_identity(own).key)
        own.with_suffix(".pem").write_bytes(made.certificate_pem)
        key.reload()

    for days, state in ((20, "DEGRADED"), (0.5, "NOK"), (-1, "NOK")):
        certify(days)
        reply = node.check("DEFAULT")
        assert states(reply)["signing-key"] == state
        assert "ends in" in detail(reply, "signing-key") or "has ended" in detail(reply, "signing-key")
    own.with_suffix(".pem").write_bytes(former)
    key.reload()
    assert overall(node.check("DEFAULT")) == "OK"


def test_a_key_that_cannot_sign_is_told_unsigned(open_own_world: OpenWorld) -> None:
    world = open_own_world("prepared")
    other = create_key(KeyKind.EC)
    state = world.settings.state
    identity = load_identity(state / "pki" / "gateway")
    (state / "pki" / "signing.key").touch(0o600)
    (state / "pki" / "signing.key").write_bytes(replace(identity, key=other).key_pem)
    broken = open_own_world("prepared", signing_key=state / "pki" / "signing.key")
    node = Node(broken)
    reply = node.check("DEEP")
    assert (overall(reply), ailing(reply), reply.is_signed) == ("NOK", {"signing-key"}, False)
    assert broken.ask("75631290176").outcome == ("fault", "MSG00003")
    (state / "pki" / "signing.key").write_bytes(identity.key_pem)
    broken.gateway.signing_key.reload()
    assert overall(node.check("DEEP")) == "OK"
    (state / "pki" / "signing.key").write_bytes(b"")
    broken.gateway.signing_key.reload()
    reply = node.check("DEFAULT")
    assert (overall(reply), states(reply)["signing-key"], reply.is_signed) == ("OK", "DEGRADED", True)


def test_with_everything_broken_it_still_says_nok(open_own_world: OpenWorld) -> None:
    world = open_own_world()

    class NoKey:
        def sign(self, body_inner_xml: str, confirm: bytes | None, now: Any, blocks: Any = ()) -> bytes:
            raise SigningFailed("no key")

    node = Node(world)
    broken = world.with_part(signer=NoKey())
    with world.without_database():
        node.measure()
        reply = check(broken)
        assert (overall(reply), reply.is_signed) == ("NOK", False)
        assert {"database", "audit"} <= ailing(reply)
        assert broken.ask("75631290176").outcome == ("fault", "MSG00001")


def test_revocation_lists_that_ran_out_are_told(node: Node) -> None:
    lists = node.world.pipeline.trust.next_updates
    assert lists
    (end,) = lists.values()
    client = DemoClient("probe", 1006)
    prepare_pki(node.world.settings.state, [client], node.world.clock.now)
    for before, state in ((timedelta(hours=6), "DEGRADED"), (timedelta(0), "NOK")):
        parts = {each.name: each.state for each in look_at(node.world, end - before)}
        assert parts["revocation-lists"] == state
        assert parts["client-authorities"] == "OK"


def look_at(world: World, moment: Any) -> Any:
    endpoint = world.app._endpoints[HEALTH_PATH]
    report = endpoint._server.app.config.health
    return list(report.look(moment))


def test_annexes_that_nobody_reads_any_more_are_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.measure()
    annexes = node.world.gateway.annexes
    for age, state in ((1.0, "OK"), (7.0, "DEGRADED"), (30.0, "NOK")):
        with monkeypatch.context() as patched:
            patched.setattr(type(annexes), "age", property(lambda self, age=age: age))
            assert states(check(node.world, "DEFAULT"))["annexes"] == state
    assert overall(check(node.world, "DEFAULT")) == "OK"


def test_an_annex_that_was_written_into_the_database_is_told_with_its_client(node: Node) -> None:
    node.measure()
    (genuine,) = (row for row in node.world.rows(annex_revisions) if row["client"] == "economy")
    forged = {name: value for name, value in genuine.items() if name != "sequence"}
    with node.world.gateway.storage.database.write() as connection:
        connection.execute(insert(annex_revisions), forged)
    deadline = time.monotonic() + 10
    while states(reply := check(node.world, "DEFAULT"))["annexes"] == "OK":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (overall(reply), states(reply)["annexes"]) == ("NOK", "NOK")
    assert detail(reply, "annexes").endswith("cannot be trusted: economy")
    assert node.world.ask("75631290176", "economy").is_fault
    assert not node.world.ask("75631290176").is_fault


def test_a_copy_of_a_health_check_may_be_answered_again_and_has_no_effect(node: Node) -> None:
    message = node.world.sign(health_xml("PING"), "probe")
    assert [node.world.post(message, HEALTH_PATH).outcome[0] for _ in range(2)] == ["DATA_FOUND"] * 2
    assert node.world.records() == []


def test_a_strangers_health_check_is_refused_unsigned(node: Node) -> None:
    reply = node.world.post(envelope(health_xml("PING")), HEALTH_PATH)
    assert (reply.outcome, reply.is_signed) == (("fault", "wsse:SecurityTokenUnavailable"), False)
    assert len(node.world.records()) == 1
