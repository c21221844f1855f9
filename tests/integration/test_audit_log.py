"""The log that records are leaves of: dense, signed with each batch, closed when its head is not what was signed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from recomputed_log import recompute
from sqlalchemy import Connection, delete, update
from storage_world import NOON, World, open_world

from gateway.audit.log_key import LogKey
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.trail import AuditTrail, AuditUnavailable
from gateway.audit.tree import Frontier, inclusion_path, leaf_hash, root_from_path
from gateway.storage.group_commit import CommitFailed, GroupCommit
from gateway.storage.tables import audit_head, audit_records

SUBJECTS = ("85660112444", "85660112543")


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def record(number: int, **fields: Any) -> AuditRecord:
    ticket = f"5a1a0c1e-0000-4000-8000-{number:012}"
    return AuditRecord(ticket_cbss=ticket, received_at=NOON, outcome=RecordOutcome.REPLY, **fields)


def head(world: World) -> Any:
    (row,) = world.rows(audit_head)
    return row


def verified(world: World) -> int:
    """Recompute everything from the stored records; return how many there are."""
    return len(recompute(world.database, world.log_key.public))


def another_trail(world: World, key: LogKey | None = None) -> tuple[GroupCommit, AuditTrail]:
    """Return what another process has."""
    commit = GroupCommit(world.database)
    sealing = SealingKeys(world.keys, world.auditor_key.public_key())
    return commit, AuditTrail(commit, sealing, key or world.log_key, world.clock)


def test_a_record_is_a_leaf_that_its_receipt_proves(world: World) -> None:
    places = [world.trail.record(record(number, further_subjects=SUBJECTS[: number % 3])) for number in range(11)]
    assert verified(world) == 11
    leaves = [row["leaf"] for row in world.rows()]
    for number, place in enumerate(places):
        signed = world.log_key.open(place.checkpoint)
        assert (place.position, place.leaf, signed.size) == (number, leaves[number], number + 1)
        path = inclusion_path(leaves[: signed.size], number)
        assert root_from_path(place.leaf, number, signed.size, path) == signed.root


def test_the_checkpoint_says_when_it_was_signed(world: World) -> None:
    world.trail.record(record(1))
    now = world.clock.advance(minutes=3)
    assert world.log_key.open(world.trail.record(record(2)).checkpoint).time == now


def test_threads_and_processes_share_one_log(world: World) -> None:
    commit, other = another_trail(world)
    with ThreadPoolExecutor(12) as pool:
        places = list(pool.map(lambda number: (world.trail, other)[number % 2].record(record(number)), range(80)))
    commit.close()
    assert sorted(place.position for place in places) == list(range(80))
    assert verified(world) == 80


def test_a_work_that_is_undone_leaves_no_gap(world: World) -> None:
    """Within one batch, first, last and in between."""

    def appending(number: int, *, fails: bool) -> Callable[[Connection], None]:
        sealed = world.trail.seal(record(number))

        def work(connection: Connection) -> None:
            world.trail.append(connection, sealed)
            if fails:
                raise ValueError(number)

        return work

    run_as_one_batch(world, [appending(number, fails=number in (0, 2, 5)) for number in range(6)])
    assert verified(world) == 3
    run_as_one_batch(world, [appending(9, fails=True)])
    assert verified(world) == 3


def test_a_database_error_of_one_work_leaves_no_gap(world: World) -> None:
    sealed = [world.trail.seal(record(number)) for number in (1, 1, 2)]
    works = [lambda connection, each=each: world.trail.append(connection, each) for each in sealed]
    assert sum(isinstance(error, CommitFailed) for error in run_as_one_batch(world, works)) == 1
    assert verified(world) == 2


def run_as_one_batch(world: World, works: list[Callable[[Connection], Any]]) -> list[BaseException | None]:
    """Run works in one transaction, in their order: they gather while another one holds the writer."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        begun.set()
        go_on.wait(10)

    with ThreadPoolExecutor(len(works) + 1) as pool:
        pool.submit(world.commit.run, hold)
        begun.wait(10)
        futures = []
        for number, work in enumerate(works, start=1):
            futures.append(pool.submit(world.commit.run, work))
            while world.commit.waiting < number:
                pass
        go_on.set()
        return [future.exception() for future in futures]


def test_the_head_is_signed_once_for_a_whole_batch(world: World) -> None:
    sealed = [world.trail.seal(record(number)) for number in range(5)]
    places: list[Any] = []
    works = [lambda connection, each=each: places.append(world.trail.append(connection, each)) for each in sealed]
    run_as_one_batch(world, works)
    assert {place.checkpoint for place in places} == {head(world)["checkpoint"]}


def other_key(world: World) -> dict[str, Any]:
    signed = world.log_key.open(head(world)["checkpoint"])
    return {"checkpoint": LogKey.generate(world.log_key.origin).sign(signed.size, signed.root, signed.time)}


def other_root(world: World) -> dict[str, Any]:
    return {"frontier": Frontier.of([leaf_hash(b"forged")] * head(world)["size"]).octets}


def other_size(world: World) -> dict[str, Any]:
    return {"size": head(world)["size"] + 4}


def no_checkpoint(world: World) -> dict[str, Any]:
    return {"checkpoint": ""}


def other_log(world: World) -> dict[str, Any]:
    signed = world.log_key.open(head(world)["checkpoint"])
    other = LogKey("other.example/audit", world.log_key._private)
    return {"checkpoint": other.sign(signed.size, signed.root, signed.time)}


@pytest.mark.parametrize("forge", [other_key, other_root, other_size, no_checkpoint, other_log])
def test_nothing_is_appended_to_a_head_that_was_not_signed_so_until_it_is_put_right(
    world: World, forge: Callable[[World], dict[str, Any]]
) -> None:
    for number in range(5):
        world.trail.record(record(number))
    was, commit_and_trail = dict(head(world)), another_trail(world)
    with world.database.write() as connection:
        connection.execute(update(audit_head), forge(world))
    for trail in (world.trail, commit_and_trail[1]):
        with pytest.raises(AuditUnavailable, match="head of the log"):
            trail.record(record(8))
    world.commit.run(lambda connection: connection.execute(update(audit_head), was))
    commit_and_trail[1].record(record(8))
    world.trail.record(record(9))
    commit_and_trail[0].close()
    assert verified(world) == 7


@pytest.mark.parametrize("cut", ["an older head", "no head"])
def test_a_log_that_went_back_is_not_gone_on_with(world: World, cut: str) -> None:
    world.trail.record(record(1))
    older = dict(head(world))
    for number in (2, 3):
        world.trail.record(record(number))
    newer = dict(head(world))
    with world.database.write() as connection:
        connection.execute(update(audit_head), older) if cut == "an older head" else connection.execute(
            delete(audit_head)
        )
    with pytest.raises(AuditUnavailable, match="records were taken away"):
        world.trail.record(record(4))
    with world.database.write() as connection:
        connection.execute(delete(audit_head))
        connection.execute(audit_head.insert(), newer)
    world.trail.record(record(4))
    assert verified(world) == 4


def test_not_even_the_newest_record_is_taken_away_unseen(world: World) -> None:
    world.trail.record(record(1))
    older = dict(head(world))
    world.trail.record(record(2))
    _put_back(world, older)
    with pytest.raises(AuditUnavailable, match="records were taken away"):
        world.trail.record(record(3))


def test_a_log_that_went_another_way_is_not_gone_on_with(world: World) -> None:
    world.trail.record(record(1))
    older = dict(head(world))
    world.trail.record(record(2))
    _put_back(world, older)
    commit, trail = another_trail(world)
    trail.record(record(3))
    commit.close()
    with pytest.raises(AuditUnavailable, match="with other records"):
        world.trail.record(record(4))


def _put_back(world: World, older: dict[str, Any]) -> None:
    """Put an older head back, and the records of its time, as they were: nothing of it is untrue by itself."""
    with world.database.write() as connection:
        connection.execute(delete(audit_records).where(audit_records.c.position >= older["size"]))
        connection.execute(update(audit_head), older)


def test_works_that_record_nothing_go_on_beside_a_broken_head(world: World) -> None:
    world.trail.record(record(1))
    with world.database.write() as connection:
        connection.execute(update(audit_head), {"checkpoint": ""})
    assert world.commit.run(lambda connection: 7) == 7
