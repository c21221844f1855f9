"""Annexes: immutable revisions, one client per certificate, and workers that all switch by the clock."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from annex_world import (
    EARLY,
    AnnexWorld,
    Presented,
    Reader,
    by_fingerprint,
    document,
    found,
    open_annex_world,
    wait_until,
)
from databases import Databases
from sqlalchemy.exc import OperationalError
from storage_world import NOON, World

from authz.annex_document import revision_of
from gateway.annexes.approval import AnnexRefused, Approvals
from gateway.annexes.operators import OperatorKeys
from gateway.annexes.registry import AnnexesUnavailable, AnnexRegistry
from gateway.annexes.store import LEAD_TIME, AnnexStore
from gateway.demo_world import activate
from gateway.storage.database import Database
from gateway.storage.tables import annex_revisions


@pytest.fixture
def opened(databases: Databases, tmp_path: Path) -> Iterator[AnnexWorld]:
    with open_annex_world(databases, tmp_path) as opened:
        yield opened


@pytest.fixture
def world(opened: AnnexWorld) -> World:
    return opened.world


@pytest.fixture
def operators(opened: AnnexWorld) -> OperatorKeys:
    return opened.operators


@pytest.fixture
def approvals(opened: AnnexWorld) -> Approvals:
    return opened.approvals


@pytest.fixture
def registry(opened: AnnexWorld) -> AnnexRegistry:
    return opened.registry


def test_annex_is_stored_as_it_was_written_and_recorded(world: World, approvals: Approvals) -> None:
    text = document(comment="kept")
    activation = activate(approvals, text, now=NOON, active_from=EARLY)
    (row,) = world.rows(annex_revisions)
    assert (row["document"], row["revision"], row["active_from"], row["recorded_at"]) == (
        text,
        revision_of(text),
        EARLY,
        NOON,
    )
    assert list(approvals.store.load_after()) == [activation]
    assert [(each["kind"], each["operation"], each["client"], each["annex_revision"]) for each in world.rows()] == [
        ("annex change", "annex propose", "an", activation.revision),
        ("annex change", "annex activate", "an, bram", activation.revision),
    ]
    assert [world.unseal(record)["message"] for record in world.rows()] == [text.encode()] * 2


def test_activation_lies_two_seconds_ahead_unless_said_otherwise(approvals: Approvals) -> None:
    assert activate(approvals, document(), now=NOON).active_from == NOON + LEAD_TIME
    later = NOON + timedelta(days=1)
    assert activate(approvals, document(v=2), now=NOON, active_from=later).active_from == later


def test_only_the_first_annex_of_a_client_may_be_active_from_earlier_on(approvals: Approvals, world: World) -> None:
    activate(approvals, document(), now=NOON, active_from=EARLY)
    with pytest.raises(AnnexRefused, match="or later"):
        activate(approvals, document(v=2), now=NOON, active_from=NOON + timedelta(seconds=1))
    assert (len(world.rows(annex_revisions)), len(world.rows())) == (1, 2)


def test_same_annex_again_changes_and_records_nothing(approvals: Approvals, world: World) -> None:
    activate(approvals, document(), now=NOON, active_from=EARLY)
    with pytest.raises(AnnexRefused, match="in force then already"):
        activate(approvals, document(), now=NOON)
    assert (len(world.rows(annex_revisions)), len(world.rows())) == (1, 2)


def test_earlier_annex_can_be_put_in_force_again(approvals: Approvals, registry: AnnexRegistry) -> None:
    first = activate(approvals, document(), now=NOON, active_from=EARLY)
    activate(approvals, document(v=2), now=NOON)
    again = activate(approvals, document(), now=NOON + timedelta(minutes=1))
    assert again.sequence > first.sequence
    annex = registry.find(Presented(), NOON + timedelta(minutes=2))
    assert annex is not None
    assert annex.revision == first.revision


def test_certificate_of_another_client_is_refused(approvals: Approvals, world: World) -> None:
    activate(approvals, document("pcsa"), now=NOON, active_from=EARLY)
    activate(approvals, by_fingerprint("economy", "aa" * 32), now=NOON, active_from=EARLY)
    for text in (document("thief"), by_fingerprint("thief", "AA" * 32)):
        with pytest.raises(AnnexRefused, match="names one client"):
            activate(approvals, text, now=NOON)
    assert len(world.rows(annex_revisions)) == 2


def test_certificate_that_another_client_will_have_is_refused(approvals: Approvals) -> None:
    activate(approvals, document("pcsa"), now=NOON, active_from=NOON + timedelta(days=9))
    with pytest.raises(AnnexRefused, match="pcsa has one"):
        activate(approvals, document("thief"), now=NOON)


def test_certificate_that_another_client_gave_up_may_be_bound(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document("pcsa"), now=NOON, active_from=EARLY)
    activate(approvals, document("pcsa", serial=2), now=NOON)
    activate(approvals, document("heir"), now=NOON + timedelta(minutes=1))
    assert found(registry, NOON) == "pcsa"
    assert found(registry, NOON + timedelta(minutes=2)) == "heir"


def test_client_is_found_by_fingerprint_or_by_issuer_and_serial(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document("pcsa"), now=NOON, active_from=EARLY)
    activate(approvals, by_fingerprint("economy", "aa" * 32), now=NOON, active_from=EARLY)
    assert found(registry) == "pcsa"
    assert found(registry, fingerprint="aa" * 32, serial=7) == "economy"
    assert found(registry, serial=7) is None
    assert found(registry, issuer="CN=Another CA") is None


def test_certificate_claimed_by_two_clients_names_nobody(approvals: Approvals, registry: AnnexRegistry) -> None:
    # By fingerprint and by serial number: nobody can see that it is the same certificate before it is presented.
    activate(approvals, document("pcsa"), now=NOON, active_from=EARLY)
    activate(approvals, by_fingerprint("thief", "aa" * 32), now=NOON, active_from=EARLY)
    assert found(registry, fingerprint="aa" * 32) is None


def test_the_annexes_in_force_are_listed_by_the_clock(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document("economy", 1002), now=NOON, active_from=NOON + timedelta(minutes=1))
    activate(approvals, document(), now=NOON, active_from=NOON)
    assert [annex.client for annex in registry.list_active(NOON)] == ["pcsa"]
    assert [annex.client for annex in registry.list_active(NOON + timedelta(minutes=1))] == ["economy", "pcsa"]


def test_revisions_switch_by_the_clock(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document(v=1), now=NOON, active_from=EARLY)
    second = activate(approvals, document(v=2, serial=1002), now=NOON)
    instant = second.active_from
    assert found(registry, instant - timedelta(microseconds=1)) == "pcsa"
    assert found(registry, instant) is None
    assert found(registry, instant, serial=1002) == "pcsa"
    assert found(registry, instant - timedelta(microseconds=1), serial=1002) is None
    assert found(registry, EARLY - timedelta(seconds=1)) is None


def test_annex_outside_its_own_dates_is_not_in_force(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document(**{"from": "2026-03-11"}), now=NOON, active_from=EARLY)
    assert found(registry, NOON) is None
    assert found(registry, NOON + timedelta(days=1)) == "pcsa"


def test_running_worker_learns_of_a_new_annex(approvals: Approvals, registry: AnnexRegistry) -> None:
    assert found(registry) is None
    activate(approvals, document(), now=NOON, active_from=EARLY)
    wait_until(lambda: found(registry) == "pcsa")


def test_annex_that_this_gateway_cannot_read_gives_no_rights(
    world: World, approvals: Approvals, registry: AnnexRegistry
) -> None:
    activate(approvals, document(), now=NOON, active_from=EARLY)
    activate(approvals, document(v=2), now=NOON)
    reader = approvals.store.read_annex
    assert isinstance(reader, Reader)
    reader.too_new.add(document(v=2))
    with structlog.testing.capture_logs() as logs:
        assert found(registry, NOON) == "pcsa"
        assert found(registry, NOON + timedelta(minutes=1)) is None
        registry.close()
    assert [(each["event"], each["client"]) for each in logs] == [("annex_unreadable", "pcsa")]


def test_annexes_are_compiled_once_and_ahead(approvals: Approvals, registry: AnnexRegistry) -> None:
    activate(approvals, document(), now=NOON, active_from=EARLY)
    reader = approvals.store.read_annex
    assert isinstance(reader, Reader)
    reader.read.clear()
    assert found(registry, serial=7) is None
    wait_until(lambda: len(reader.read) == 1)
    for _ in range(10):
        assert found(registry) == "pcsa"
    assert len(reader.read) == 1


def test_worker_without_any_annex_says_so_while_the_database_is_away(
    world: World, databases: Databases, registry: AnnexRegistry
) -> None:
    world.database.close()
    with databases.away(world.url), pytest.raises(AnnexesUnavailable, match="OperationalError"):
        registry.find(Presented(), NOON)
    assert registry.age == float("inf")


def test_worker_without_any_table_says_so(databases: Databases, operators: OperatorKeys, tmp_path: Path) -> None:
    with databases.empty(tmp_path / "nothing") as url:
        (tmp_path / "nothing").mkdir()
        empty = Database(url)
        registry = AnnexRegistry(AnnexStore(empty, Reader(), operators))
        with pytest.raises(AnnexesUnavailable, match=r"OperationalError|ProgrammingError"):
            registry.find(Presented(), NOON)
        registry.close()
        empty.close()


class FailingStore(AnnexStore):
    """A store whose database can be taken away."""

    away = False

    def load_after(self, sequence: int = 0) -> Iterator[Any]:
        if self.away:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return super().load_after(sequence)


def test_known_annexes_stay_in_force_while_the_database_is_away(world: World, operators: OperatorKeys) -> None:
    store = FailingStore(world.database, Reader(), operators)
    activate(Approvals(store, world.commit, world.trail), document(), now=NOON, active_from=EARLY)
    seconds = [0.0]
    registry = AnnexRegistry(store, poll_seconds=0.01, monotonic=lambda: seconds[0])
    assert found(registry) == "pcsa"
    with structlog.testing.capture_logs() as logs:
        store.away = True
        wait_until(lambda: logs)
        seconds[0] = 60.0
        time.sleep(0.05)
        assert found(registry) == "pcsa"
        assert registry.age == 60.0
        store.away = False
        wait_until(lambda: registry.age == 0.0)
        registry.close()
    assert [each["event"] for each in logs] == ["annexes_not_refreshed"]


def test_forked_child_looks_for_annexes_itself(approvals: Approvals, registry: AnnexRegistry) -> None:
    assert found(registry) is None
    child = os.fork()
    if child == 0:
        before = threading.active_count()
        found(registry)
        os._exit(threading.active_count() - before)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
