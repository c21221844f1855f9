"""Group commit: durable before it returns, one transaction for all that wait, failures kept apart."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, another_writer, sqlite_url
from sqlalchemy import Connection, event, func, insert, select, text
from storage_world import World, open_world

from gateway.storage.database import Database
from gateway.storage.group_commit import CommitFailed, CommitRefused, CommitTimedOut, GroupCommit, notes_of
from gateway.storage.tables import replay_keys

LATER = datetime(2026, 1, 1, tzinfo=UTC)
DUPLICATES = {"sqlite": "IntegrityError SQLITE_CONSTRAINT_PRIMARYKEY", "postgresql": "UniqueViolation 23505"}
FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def store(key: bytes) -> Callable[[Connection], bytes]:
    def work(connection: Connection) -> bytes:
        connection.execute(insert(replay_keys), {"replay_key": key, "forget_at": LATER})
        return key

    return work


def stored(world: World) -> list[bytes]:
    return [row["replay_key"] for row in world.rows(replay_keys)]


@contextmanager
def slow_writer(pool: ThreadPoolExecutor, commit: GroupCommit) -> Iterator["Future[None]"]:
    """Keep the writer inside a job for the time of the block."""
    begun, go_on = threading.Event(), threading.Event()

    def work(_connection: Connection) -> None:
        begun.set()
        go_on.wait()

    future = pool.submit(commit.run, work)
    begun.wait()
    try:
        yield future
    finally:
        go_on.set()


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def waiting(commit: GroupCommit) -> int:
    return commit.waiting


def test_result_comes_when_the_work_is_committed(world: World) -> None:
    assert world.commit.run(store(FIRST)) == FIRST
    assert stored(world) == [FIRST]


def test_all_that_wait_share_one_transaction(world: World) -> None:
    commits: list[object] = []
    event.listen(world.database._engine, "commit", commits.append)
    with ThreadPoolExecutor(20) as pool:
        with another_writer(world.url):
            futures = [pool.submit(world.commit.run, store(bytes([number]) * 32)) for number in range(20)]
            wait_until(lambda: waiting(world.commit) == 20)
        assert [future.result() for future in futures] == sorted(stored(world))
    assert len(commits) == 1


def test_failing_work_is_undone_alone(world: World) -> None:
    def fail(connection: Connection) -> None:
        store(SECOND)(connection)
        raise LookupError("of the work")

    with ThreadPoolExecutor(3) as pool:
        with another_writer(world.url):
            futures: list[Future[Any]] = [
                pool.submit(world.commit.run, work) for work in (store(FIRST), fail, store(THIRD))
            ]
            wait_until(lambda: waiting(world.commit) == 3)
        assert futures[0].result() == FIRST
        with pytest.raises(LookupError, match="of the work"):
            futures[1].result()
        assert futures[2].result() == THIRD
    assert sorted(stored(world)) == [FIRST, THIRD]


def test_database_error_of_one_work_names_no_values(world: World) -> None:
    world.commit.run(store(FIRST))
    with pytest.raises(CommitFailed) as caught:
        world.commit.run(store(FIRST))
    assert str(caught.value) == f"the database failed: {DUPLICATES[world.kind]}"
    assert not caught.value.may_be_committed


def test_lost_transaction_fails_every_waiter_and_the_next_batch_works(world: World) -> None:
    def lose(connection: Connection) -> None:
        # What SQLite does by itself when the disk is full: the whole transaction is gone.
        connection.exec_driver_sql("ROLLBACK")
        connection.execute(text("SELECT * FROM nowhere"))

    with ThreadPoolExecutor(2) as pool:
        with another_writer(world.url):
            futures: list[Future[Any]] = [pool.submit(world.commit.run, store(FIRST))]
            wait_until(lambda: waiting(world.commit) == 1)
            futures.append(pool.submit(world.commit.run, lose))
            wait_until(lambda: waiting(world.commit) == 2)
        for future in futures:
            with pytest.raises(CommitFailed):
                future.result()
    assert stored(world) == []
    assert world.commit.run(store(SECOND)) == SECOND


def test_failed_commit_says_that_the_work_may_be_committed(world: World) -> None:
    def refuse(_connection: Connection) -> None:
        raise OSError("the disk is gone")

    event.listen(world.database._engine, "commit", refuse)
    with pytest.raises(CommitFailed, match="OSError") as caught:
        world.commit.run(store(FIRST))
    assert caught.value.may_be_committed
    event.remove(world.database._engine, "commit", refuse)
    assert world.commit.run(store(SECOND)) == SECOND


def test_unreachable_database_fails_at_once_and_recovers(world: World, databases: Databases) -> None:
    with databases.away(world.url), pytest.raises(CommitFailed, match="OperationalError"):
        world.commit.run(store(FIRST))
    assert world.commit.run(store(FIRST)) == FIRST


def test_missing_directory_of_a_sqlite_database_is_an_unreachable_database(tmp_path: Path) -> None:
    """Of SQLite alone: PostgreSQL has no directory."""
    database = Database(sqlite_url(tmp_path / "volume"))
    commit = GroupCommit(database)
    with pytest.raises(CommitFailed, match="FileNotFoundError"):
        commit.run(store(FIRST))
    commit.close()
    database.close()


def test_full_queue_refuses_at_once(world: World) -> None:
    commit = GroupCommit(world.database, capacity=1)
    with ThreadPoolExecutor(2) as pool, slow_writer(pool, commit) as running:
        waiter = pool.submit(commit.run, store(FIRST))
        wait_until(lambda: waiting(commit) == 1)
        with pytest.raises(CommitRefused, match="1 writes are waiting"):
            commit.run(store(SECOND))
    running.result()
    assert waiter.result() == FIRST
    commit.close()


def test_work_that_was_not_begun_in_time_is_withdrawn(world: World) -> None:
    commit = GroupCommit(world.database, wait_seconds=0.05)
    with another_writer(world.url), pytest.raises(CommitTimedOut) as caught:
        commit.run(store(FIRST))
    assert not caught.value.may_be_committed
    commit._wait_seconds = 60
    assert commit.run(store(SECOND)) == SECOND
    commit.close()
    assert stored(world) == [SECOND]


def test_work_that_had_begun_when_time_was_over_may_be_committed(world: World) -> None:
    # Long enough for the work to begin on a busy machine.
    commit = GroupCommit(world.database, wait_seconds=2)
    go_on = threading.Event()

    def slow(connection: Connection) -> None:
        store(FIRST)(connection)
        go_on.wait()

    try:
        with pytest.raises(CommitTimedOut) as caught:
            commit.run(slow)
    finally:
        go_on.set()
    assert caught.value.may_be_committed
    wait_until(lambda: stored(world) == [FIRST])
    commit.close()


def test_close_drains_and_then_refuses(world: World) -> None:
    with ThreadPoolExecutor(10) as pool:
        with another_writer(world.url):
            futures = [pool.submit(world.commit.run, store(bytes([number]) * 32)) for number in range(9)]
            wait_until(lambda: waiting(world.commit) == 9)
            closing = pool.submit(world.commit.close)
        closing.result()
        assert len([future.result() for future in futures]) == 9
    assert len(stored(world)) == 9
    with pytest.raises(CommitRefused, match="closing"):
        world.commit.run(store(b"x" * 32))


def test_threads_do_not_lose_each_others_work(world: World) -> None:
    def count_up(connection: Connection) -> int:
        connection.execute(insert(replay_keys), {"replay_key": os.urandom(32), "forget_at": LATER})
        return int(connection.scalar(select(func.count()).select_from(replay_keys)) or 0)

    with ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _: world.commit.run(count_up), range(400)))
    assert sorted(counts) == list(range(1, 401))


def test_forked_child_starts_a_writer_of_its_own(world: World) -> None:
    world.commit.run(store(FIRST))
    child = os.fork()
    if child == 0:
        os._exit(0 if world.commit.run(store(SECOND)) == SECOND else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.commit.run(store(THIRD)) == THIRD
    assert sorted(stored(world)) == [FIRST, SECOND, THIRD]


def test_work_that_ends_the_thread_does_not_end_the_writer(world: World) -> None:
    def leave(_connection: Connection) -> None:
        raise SystemExit

    with pytest.raises(CommitFailed, match="SystemExit"):
        world.commit.run(leave)
    assert world.commit.run(store(FIRST)) == FIRST


def noting(key: bytes, *, fails: bool = False) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        notes = notes_of(connection)
        notes["keys"] = (*notes.get("keys", ()), key)
        store(key)(connection)
        if fails:
            raise ValueError(key)

    return work


def test_a_step_ends_each_transaction_with_what_its_works_noted(world: World) -> None:
    """Once, however many works there are, without the notes of a work that was undone, and durable with them."""
    seen: list[Any] = []

    def step(connection: Connection) -> None:
        seen.append(notes_of(connection).get("keys"))

    world.commit.before_commit(step)
    with ThreadPoolExecutor(4) as pool:
        with slow_writer(pool, world.commit) as running:
            works = []
            for number, work in enumerate((noting(FIRST), noting(SECOND, fails=True), noting(THIRD)), start=1):
                works.append(pool.submit(world.commit.run, work))
                wait_until(lambda number=number: waiting(world.commit) == number)
        running.result()
        assert [type(work.exception()) for work in works] == [type(None), ValueError, type(None)]
    assert seen == [None, (FIRST, THIRD)]
    assert stored(world) == [FIRST, THIRD]


@pytest.mark.parametrize("fails", [False, True], ids=["all go well", "one fails"])
def test_works_that_may_be_repeated_are_run_again_apart_only_when_one_fails(world: World, fails: bool) -> None:
    run: list[bytes] = []

    def counted(key: bytes, *, fails: bool = False) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            run.append(key)
            noting(key, fails=fails)(connection)

        return work

    seen: list[Any] = []
    world.commit.before_commit(lambda connection: seen.append(notes_of(connection).get("keys")))
    with ThreadPoolExecutor(4) as pool:
        with slow_writer(pool, world.commit) as running:
            works = []
            for number, work in enumerate((counted(FIRST), counted(SECOND, fails=fails), counted(THIRD)), start=1):
                works.append(pool.submit(world.commit.run, work, repeatable=True))
                wait_until(lambda number=number: waiting(world.commit) == number)
        running.result()
        failed = [work.exception() is not None for work in works]
    assert failed == [False, fails, False]
    assert run == ([FIRST, SECOND, FIRST, SECOND, THIRD] if fails else [FIRST, SECOND, THIRD])
    assert stored(world) == ([FIRST, THIRD] if fails else [FIRST, SECOND, THIRD])
    assert seen == [None, tuple(stored(world))]


def test_a_step_that_fails_undoes_the_whole_transaction(world: World) -> None:
    failing = [True]

    def step(connection: Connection) -> None:
        if failing:
            raise ValueError("the text of it may be anything")

    world.commit.before_commit(step)
    with pytest.raises(CommitFailed, match=r"the database failed: ValueError$") as caught:
        world.commit.run(store(FIRST))
    assert not caught.value.may_be_committed
    failing.clear()
    world.commit.run(store(SECOND))
    assert stored(world) == [SECOND]
