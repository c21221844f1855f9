"""What keeps the log: strangers' sums, checkpoints, and time stamps that may fail to come."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from sqlalchemy import update
from storage_world import NOON, World, open_world
from structlog.testing import capture_logs
from test_audit_log import another_trail, record, verified

from gateway.audit.keeping import LogKeeper, find_overdue_stamp
from gateway.audit.log import LogBroken
from gateway.audit.time_stamp import TimeStampFailed
from gateway.audit.trail import STRANGER_RECORDS_PER_MINUTE
from gateway.health.checks import make_audit_check
from gateway.management import keep_until
from gateway.storage.tables import audit_checkpoints, audit_head, stranger_refusals
from services.health import State


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


@dataclass
class Authority:
    """Stamps by turning the octets round; away when told."""

    away: bool = False
    asked: list[bytes] = field(default_factory=list)

    def stamp(self, octets: bytes) -> bytes:
        self.asked.append(octets)
        if self.away:
            raise TimeStampFailed("the authority does not answer")
        return octets[::-1]


def keeper(world: World, authority: Any = None) -> LogKeeper:
    return LogKeeper(world.commit, world.trail, authority, world.clock)


def refuse(world: World, times: int, address: str = "192.0.2.7") -> None:
    first = len(world.rows()) + sum(row["refusals"] for row in world.rows(stranger_refusals))
    for number in range(times):
        world.trail.record_stranger(record(first + number, source_address=address, code="wsse:FailedCheck"))


def sums(world: World) -> list[Any]:
    return [row for row in world.rows() if row["kind"] == "stranger refusals"]


def test_a_count_becomes_a_record_once_its_minute_is_over(world: World) -> None:
    refuse(world, STRANGER_RECORDS_PER_MINUTE + 5)
    world.clock.advance(seconds=60)
    keeper(world).keep()
    assert sums(world) == []
    world.clock.advance(seconds=60)
    keeper(world).keep()
    keeper(world).keep()
    (row,) = sums(world)
    assert (row["source_address"], row["refusals"], row["code"]) == ("192.0.2.7", 5, "wsse:FailedCheck")
    assert row["received_at"] == NOON.replace(second=0)
    assert world.rows(stranger_refusals) == []
    assert verified(world) == STRANGER_RECORDS_PER_MINUTE + 1


def test_refusals_that_all_have_records_need_no_sum(world: World) -> None:
    refuse(world, STRANGER_RECORDS_PER_MINUTE)
    world.clock.advance(minutes=2)
    keeper(world).keep()
    assert sums(world) == []
    assert world.rows(stranger_refusals) == []


def test_what_was_left_is_summed_by_the_next_start_whatever_its_number(world: World) -> None:
    rows = [
        {
            "source": f"192.0.{n // 250}.{n % 250}",
            "minute": NOON - timedelta(days=3),
            "refusals": 11,
            "last_refused_at": NOON,
        }
        for n in range(450)
    ]
    world.commit.run(lambda connection: connection.execute(stranger_refusals.insert(), rows))
    keeper(world).keep()
    assert len(sums(world)) == 450
    assert world.rows(stranger_refusals) == []


def test_each_count_is_summed_once_by_whichever_node_comes_first(world: World) -> None:
    refuse(world, STRANGER_RECORDS_PER_MINUTE + 5)
    refuse(world, STRANGER_RECORDS_PER_MINUTE + 1, "192.0.2.8")
    world.clock.advance(minutes=2)
    nodes = [another_trail(world) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda node: LogKeeper(*node, None, world.clock).keep(), nodes))
    for commit, _ in nodes:
        commit.close()
    assert sorted(row["refusals"] for row in sums(world)) == [1, 5]
    verified(world)


def test_a_count_stays_while_its_sum_cannot_be_recorded(world: World) -> None:
    refuse(world, STRANGER_RECORDS_PER_MINUTE + 5)
    good = world.rows(audit_head)[0]["checkpoint"]
    forge(world, "")
    world.clock.advance(minutes=2)
    with pytest.raises(Exception, match="head of the log"):
        keeper(world).keep()
    assert len(world.rows(stranger_refusals)) == 1
    forge(world, good)
    keeper(world).keep()
    assert len(sums(world)) == 1


def forge(world: World, checkpoint: str) -> None:
    with world.database.write() as connection:
        connection.execute(update(audit_head), {"checkpoint": checkpoint})


def test_a_checkpoint_is_kept_each_minute_while_the_log_grows(world: World) -> None:
    keeper(world).keep()
    assert world.rows(audit_checkpoints) == []
    for number, seconds in enumerate((0, 30, 30, 0, 60, 60)):
        world.clock.advance(seconds=seconds)
        if number < 5:
            world.trail.record(record(number))
        keeper(world).keep()
    kept = world.rows(audit_checkpoints)
    assert [row["size"] for row in kept] == [1, 3, 5]
    assert [world.log_key.open(row["checkpoint"]).size for row in kept] == [1, 3, 5]


def test_no_checkpoint_is_kept_of_a_forged_head(world: World) -> None:
    world.trail.record(record(1))
    with world.database.write() as connection:
        connection.execute(update(audit_head), {"size": 2})
    with pytest.raises(LogBroken):
        keeper(world).keep()
    assert world.rows(audit_checkpoints) == []


def test_each_kept_checkpoint_is_stamped_once(world: World) -> None:
    authority = Authority()
    for number in range(3):
        world.trail.record(record(number))
        for _ in range(3):
            keeper(world, authority).keep()
        world.clock.advance(minutes=1)
    kept = world.rows(audit_checkpoints)
    assert [row["time_stamp"] for row in kept] == [row["checkpoint"].encode()[::-1] for row in kept]
    assert len(authority.asked) == 3


def test_an_authority_that_is_away_stops_nothing_and_is_told(world: World) -> None:
    authority = Authority(away=True)
    check = make_audit_check(world.commit, world.trail, world.keys, world.clock, time_stamps=True)
    for number in range(7):
        world.trail.record(record(number))
        with pytest.raises(TimeStampFailed):
            keeper(world, authority).keep()
        assert check().state is (State.OK if number < 6 else State.DEGRADED)
        world.clock.advance(minutes=1)
    assert check().detail == "no time stamp of a checkpoint since 2026-03-10T12:00:05Z"
    authority.away = False
    keeper(world, authority).keep()
    assert check().state is State.OK
    assert [row["time_stamp"] is not None for row in world.rows(audit_checkpoints)] == [False] * 6 + [True]


def test_a_log_that_does_not_grow_is_not_overdue(world: World) -> None:
    world.trail.record(record(1))
    keeper(world, Authority()).keep()
    world.clock.advance(days=2)
    assert world.commit.run(partial(find_overdue_stamp, now=world.clock())) is None


def test_a_forged_head_is_told_by_the_check_which_leaves_no_record(world: World) -> None:
    world.trail.record(record(1))
    check = make_audit_check(world.commit, world.trail, world.keys, world.clock, time_stamps=False)
    good = world.rows(audit_head)[0]["checkpoint"]
    assert check().state is State.OK
    forge(world, "")
    told = check()
    assert (told.state, told.detail[:16]) == (State.NOK, "the head of the ")
    forge(world, good)
    assert check().state is State.OK
    assert verified(world) == 1


def test_failing_to_keep_is_logged_once_and_so_is_that_it_works_again() -> None:
    stop, outcomes = threading.Event(), [None, "a", "a", None, None]

    def keep() -> None:
        outcome = outcomes.pop(0)
        if not outcomes:
            stop.set()
        if outcome is not None:
            raise TimeStampFailed(outcome)

    with capture_logs() as told:
        keep_until(stop, keep, every_seconds=0)
    assert [(each["event"], each.get("reason")) for each in told] == [("log_not_kept", "a"), ("log_kept_again", None)]
