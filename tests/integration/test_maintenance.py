"""Maintenance: callers of every node are told within a second, nothing is done for them, and it is on record."""

import json
import shlex
from datetime import timedelta
from getpass import getuser
from typing import Any

import pytest
from docs_examples import shown_commands
from gateway_world import HEALTH, HEALTH_PATH, OpenWorld, World, opened_node
from sqlalchemy import select
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.maintenance import LONGEST_MESSAGE, MaintenanceRefused, begin_maintenance, end_maintenance
from gateway.node_metrics import NodeMetrics
from gateway.storage.tables import audit_records, quota_counters, replay_keys, stranger_refusals
from tests.e2e.conftest import wait_until

SSIN = "75631290176"
DEFAULT = f'<h:HealthCheckRequest xmlns:h="{HEALTH}"><criteria><level>DEFAULT</level></criteria></h:HealthCheckRequest>'
MESSAGE = "New version; back soon."


def run(world: World, *arguments: str) -> Result:
    environment = {"KSZ_STATE": str(world.settings.state), "KSZ_DATABASE_URL": world.settings.database_url}
    return CliRunner().invoke(app, ["maintenance", *arguments], env=environment)


def close(world: World, message: str = MESSAGE, **changes: Any) -> None:
    storage = world.gateway.storage
    begin_maintenance(storage.commit, storage.trail, message, changes.get("until"), "nele", world.clock())
    world.pipeline.maintenance.look()


def kept(world: World) -> int:
    return sum(len(world.rows(table)) for table in (audit_records, stranger_refusals, replay_keys, quota_counters))


def test_callers_are_told_and_nothing_is_done_for_them(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    close(world, until=world.clock() + timedelta(minutes=10))
    before = kept(world)
    message = world.sign("<a/>")
    reply = world.post(message)
    assert reply.outcome == ("fault", "GTW00002")
    assert reply.faultcode == "soapenv:Server"
    assert reply.status == "500 Internal Server Error"
    assert MESSAGE in reply.faultstring
    assert f"until {world.clock() + timedelta(minutes=10):%Y-%m-%d %H:%M} UTC" in reply.faultstring
    assert 590 <= int(reply.headers["Retry-After"]) <= 600
    assert not reply.is_signed
    assert kept(world) == before
    end_maintenance(world.gateway.storage.commit, world.gateway.storage.trail, "nele", world.clock())
    world.pipeline.maintenance.look()
    # It was not admitted, so it is no replay.
    assert world.post(message).outcome == ("fault", "GTW00016")


def test_the_longest_message_with_its_end_is_told_whole(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    close(world, "m" * LONGEST_MESSAGE, until=world.clock() + timedelta(days=1))
    assert world.ask(SSIN).faultstring.endswith("/errors/GTW00002)")


def test_health_is_told_all_the_same_and_says_so(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    close(world)
    reply = world.post(world.sign(DEFAULT, "probe"), HEALTH_PATH)
    (component,) = (each for each in reply.payload.iter("component") if each.findtext("name") == "maintenance")
    assert (component.findtext("state"), component.findtext("detail")) == ("DEGRADED", MESSAGE)
    assert world.post(DEFAULT.join(("<a>", "</a>")).encode(), HEALTH_PATH).outcome[1] == "GTW00015"


def test_a_stranger_who_names_a_health_check_is_a_stranger(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    close(world)
    forged = world.sign(DEFAULT, "probe").replace(b"DEFAULT", b"DEEP")
    assert world.post(forged, HEALTH_PATH).outcome[1] == "wsse:FailedCheck"


def test_it_is_told_while_the_database_is_away(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    close(world)
    with world.without_database():
        world.pipeline.maintenance.look()
        assert world.ask(SSIN).outcome == ("fault", "GTW00002")


def test_every_node_hears_of_it_within_a_second(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with opened_node(world.settings.state, world.settings.database_url, world.databases, clock=world.clock) as other:
        assert run(world, "on", "--message", MESSAGE).exit_code == 0
        wait_until(lambda: other.ask(SSIN).outcome[1] == "GTW00002" == world.ask(SSIN).outcome[1])
        assert run(world, "off").exit_code == 0
        wait_until(lambda: other.ask(SSIN).outcome[1] == "MSG00000" == world.ask(SSIN).outcome[1])


def test_who_closed_and_opened_it_and_when_is_on_record(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    run(world, "on", "--message", MESSAGE)
    run(world, "off")
    query = select(audit_records).where(audit_records.c.kind == "maintenance").order_by(audit_records.c.position)
    with world.gateway.storage.database.read() as connection:
        records = list(connection.execute(query).mappings())
    assert [(row["operation"], row["client"]) for row in records] == [
        ("maintenance on", getuser()),
        ("maintenance off", getuser()),
    ]
    assert world.unseal(records[0])["request"]["message"] == MESSAGE


def test_the_metrics_say_so(world: World) -> None:
    for closed in (False, True):
        text = NodeMetrics(world.settings, lambda: (), lambda: closed).render().decode()  # noqa: B023 - called here
        assert f"ksz_maintenance {float(closed)}" in text


@pytest.mark.parametrize("message", ["", " ", "two\nlines", "m" * (LONGEST_MESSAGE + 1)])
def test_a_message_that_no_fault_could_hold_is_refused(open_own_world: OpenWorld, message: str) -> None:
    with pytest.raises(MaintenanceRefused, match="one line"):
        close(open_own_world(), message)


def test_an_end_that_is_past_and_an_end_of_nothing_are_refused(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with pytest.raises(MaintenanceRefused, match="past"):
        close(world, until=world.clock())
    refused = run(world, "off")
    assert (refused.exit_code, str(refused.exception)) == (1, "the gateway is not under maintenance.")


def test_the_commands_of_the_docs(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    shown = [line for line in shown_commands("operating.md") if line.startswith("maintenance ")]
    said = [run(world, *shlex.split(line)[1:]) for line in shown]
    assert [each.exit_code for each in said] == [0, 0, 0]
    assert "Closed. Callers are told: New version. (expected until 2099-06-30 20:00 UTC)" in said[0].output
    assert said[1].output.startswith(f"Closed by {getuser()} since ")
    assert said[2].output == "Open.\n"
    assert run(world, "status").output == "Open.\n"
    assert json.loads(run(world, "status", "--json").output) == {"on": False}
    run(world, "on", "--message", MESSAGE)
    told = json.loads(run(world, "status", "--json").output)
    assert (told["on"], told["message"], told["account"], told["until"]) == (True, MESSAGE, getuser(), None)
