"""Admission: no message twice, no client beyond its quota, whatever thread or process asks."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from storage_world import NOON, World, open_world

from authz.annex import Annex, ClientKind, Quota
from authz.organisation import Organisation
from gateway.admission import Admission, QuotaExceeded, Replayed
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import quota_counters, replay_keys

KEY, OTHER = b"k" * 32, b"o" * 32
FORGET = NOON + timedelta(minutes=6)


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def client(quota: Quota = Quota(), name: str = "pcsa") -> Annex:  # noqa: B008 - a frozen value
    return Annex(
        revision="0" * 64,
        client=name,
        kind=ClientKind.INSTITUTION,
        identity=Organisation(cbe_number="0999900120"),
        certificates=(),
        methods=frozenset(),
        sign_token=False,
        represents={},
        valid_from=date(2026, 1, 1),
        quota=quota,
    )


def used(world: World) -> dict[tuple[str, str, datetime], int]:
    return {(row["client"], row["period"], row["period_start"]): row["used"] for row in world.rows(quota_counters)}


def test_message_is_admitted_once(world: World) -> None:
    admission = Admission(world.commit)
    admission.admit(client(), KEY, FORGET, NOON)
    with pytest.raises(Replayed):
        admission.admit(client(), KEY, FORGET, NOON)
    admission.admit(client(), OTHER, FORGET, NOON)


def test_replay_is_recognised_by_another_worker(world: World) -> None:
    Admission(world.commit).admit(client(), KEY, FORGET, NOON)
    database = Database(world.url)
    commit = GroupCommit(database)
    with pytest.raises(Replayed):
        Admission(commit).admit(client(), KEY, FORGET, NOON)
    commit.close()
    database.close()


def test_of_many_threads_with_one_message_exactly_one_wins(world: World) -> None:
    admission = Admission(world.commit)

    def admit(_: int) -> bool:
        try:
            admission.admit(client(), KEY, FORGET, NOON)
        except Replayed:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(admit, range(200))) == 1


def _admit_all(url: str, barrier: Any, admitted: Any) -> None:
    database = Database(url)
    commit = GroupCommit(database)
    admission = Admission(commit)

    def admit(number: int) -> bool:
        try:
            admission.admit(client(), number.to_bytes(32, "big"), FORGET, NOON)
        except Replayed:
            return False
        return True

    barrier.wait()
    with ThreadPoolExecutor(8) as pool:
        admitted.put([number for number, won in enumerate(pool.map(admit, range(100))) if won])
    commit.close()
    database.close()


def test_of_two_processes_with_the_same_messages_each_message_is_won_once(world: World) -> None:
    spawning = multiprocessing.get_context("spawn")
    barrier, admitted = spawning.Barrier(2), spawning.Queue()
    processes = [spawning.Process(target=_admit_all, args=(world.url, barrier, admitted)) for _ in range(2)]
    for process in processes:
        process.start()
    won = sorted(admitted.get(timeout=60) + admitted.get(timeout=60))
    for process in processes:
        process.join()
    assert won == list(range(100))


def test_quota_per_minute_refuses_the_next_and_says_when_to_come_back(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=2))
    for _ in range(2):
        admission.admit(annex, None, None, NOON)
    with pytest.raises(QuotaExceeded) as caught:
        admission.admit(annex, None, None, NOON)
    assert (caught.value.period, caught.value.limit, caught.value.retry_after_seconds) == ("minute", 2, 55)
    admission.admit(annex, None, None, NOON + timedelta(seconds=55))


def test_quota_per_day_is_of_the_utc_day(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=10, per_day=1))
    brussels_evening = datetime.fromisoformat("2026-03-10T23:30:00+01:00")
    admission.admit(annex, None, None, brussels_evening)
    with pytest.raises(QuotaExceeded) as caught:
        admission.admit(annex, None, None, brussels_evening + timedelta(hours=1))
    assert (caught.value.period, caught.value.limit) == ("day", 1)
    admission.admit(annex, None, None, brussels_evening + timedelta(hours=2))


def test_clients_do_not_share_a_quota(world: World) -> None:
    admission = Admission(world.commit)
    admission.admit(client(Quota(per_minute=1)), None, None, NOON)
    admission.admit(client(Quota(per_minute=1), name="economy"), None, None, NOON)


def test_replay_does_not_use_up_the_quota(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=2))
    admission.admit(annex, KEY, FORGET, NOON)
    for _ in range(3):
        with pytest.raises(Replayed):
            admission.admit(annex, KEY, FORGET, NOON)
    assert set(used(world).values()) == {1}
    admission.admit(annex, OTHER, FORGET, NOON)


def test_message_over_the_quota_may_be_sent_again_later(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=1, per_day=5))
    admission.admit(annex, KEY, FORGET, NOON)
    with pytest.raises(QuotaExceeded):
        admission.admit(annex, OTHER, FORGET, NOON)
    assert [row["replay_key"] for row in world.rows(replay_keys)] == [KEY]
    assert set(used(world).values()) == {1}
    admission.admit(annex, OTHER, FORGET, NOON + timedelta(minutes=1))


def test_replay_over_the_quota_is_refused_as_a_replay(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=1))
    admission.admit(annex, KEY, FORGET, NOON)
    with pytest.raises(Replayed):
        admission.admit(annex, KEY, FORGET, NOON)


def test_threads_get_exactly_the_quota(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=25))

    def admit(number: int) -> bool:
        try:
            admission.admit(annex, number.to_bytes(32, "big"), FORGET, NOON)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(admit, range(100))) == 25


def test_a_clock_that_ran_an_hour_ahead_and_came_back_lets_no_message_in_again(world: World) -> None:
    admission = Admission(world.commit)
    admission.admit(client(), KEY, FORGET, NOON)
    admission.admit(client(), OTHER, FORGET + timedelta(hours=1), NOON + timedelta(hours=1))
    with pytest.raises(Replayed):
        admission.admit(client(), KEY, FORGET, NOON + timedelta(minutes=1))


def test_what_no_clock_needs_any_more_is_purged(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=5))
    admission.admit(annex, KEY, FORGET, NOON)
    admission.admit(annex, OTHER, FORGET, FORGET + timedelta(minutes=119))
    assert len(world.rows(replay_keys)) == 2
    admission.admit(annex, None, None, FORGET + timedelta(minutes=121))
    assert world.rows(replay_keys) == []
    assert len([period for _, period, _ in used(world) if period == "minute"]) == 2


def test_unsigned_message_of_a_client_without_quota_needs_no_database(world: World) -> None:
    world.commit.close()
    Admission(world.commit).admit(client(), None, None, NOON)


def test_key_that_would_never_or_wrongly_be_recognised_is_a_mistake(world: World) -> None:
    for key, forget_at in ((KEY, None), (b"short", FORGET)):
        with pytest.raises(ValueError, match="32 bytes"):
            Admission(world.commit).admit(client(), key, forget_at, NOON)


def test_a_quota_that_a_new_annex_raises_counts_at_once(world: World) -> None:
    admission = Admission(world.commit)
    admission.admit(client(Quota(per_day=1)), None, None, NOON)
    for known in (False, True):
        with pytest.raises(QuotaExceeded) as caught:
            admission.admit(client(Quota(per_day=1)), None, None, NOON)
        assert caught.value.was_known is known
    admission.admit(client(Quota(per_day=5)), None, None, NOON)


def test_a_quota_used_up_is_asked_anew_when_the_clock_went_back(world: World) -> None:
    admission, annex = Admission(world.commit), client(Quota(per_minute=1))
    admission.admit(annex, None, None, NOON)
    with pytest.raises(QuotaExceeded):
        admission.admit(annex, None, None, NOON)
    admission.admit(annex, None, None, NOON - timedelta(hours=1))
