"""The history of User Management: nobody can change it, and a change that somebody made nevertheless is found."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from storage_world import NOON, World, open_world

from gateway.storage.user_tables import user_history
from gateway.users.history import (
    GENESIS,
    Author,
    Head,
    HistoryAltered,
    append_events,
    find_head,
    last_version,
    read_history,
    verify_chain,
)

ONE, TWO = "0999900150", "0999900249"
ELS = Author("els", "session-1")

# What a master of the database does first, and how the history is then altered.
FREE = {
    "sqlite": ("DROP TRIGGER user_history_no_update", "DROP TRIGGER user_history_no_delete"),
    "postgresql": ("DROP TRIGGER user_history_no_change ON user_history",),
}


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        for enterprise, events in ((ONE, ["1a", "1b"]), (TWO, ["2a"]), (ONE, ["1c"])):
            opened.commit.run(
                lambda connection, enterprise=enterprise, events=events: append_events(
                    connection, enterprise, last_version(connection, enterprise), events, ELS, NOON
                )
            )
        yield opened


def verify(world: World, kept: Head | None = None) -> Head:
    with world.database.read() as connection:
        return verify_chain(connection, kept)


def execute(world: World, *statements: str) -> None:
    with world.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_events_are_read_in_their_order_with_who_made_them(world: World) -> None:
    with world.database.read() as connection:
        found = [
            (entry.version, entry.event, entry.author, entry.recorded_at) for entry in read_history(connection, ONE)
        ]
        assert found == [(number, event, ELS, NOON) for number, event in enumerate(["1a", "1b", "1c"], start=1)]
        assert [entry.event for entry in read_history(connection, ONE, after=1, limit=1)] == ["1b"]
        assert list(read_history(connection, "0000000000")) == []
        head = find_head(connection)
    assert head == verify(world)
    assert head.sequence == 4


def test_history_that_is_empty_has_nothing_wrong(databases: Databases, tmp_path: Path) -> None:
    with open_world(databases, tmp_path) as empty:
        assert verify(empty) == Head(0, GENESIS)
        assert verify(empty, Head(0, GENESIS)) == Head(0, GENESIS)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE user_history SET event = 'forged' WHERE sequence = 2",
        "UPDATE user_history SET event = event",
        "DELETE FROM user_history WHERE sequence = 4",
        "DELETE FROM user_history",
    ],
)
def test_database_refuses_to_change_the_history(world: World, statement: str) -> None:
    with pytest.raises(DatabaseError, match="only ever added to"):
        execute(world, statement)
    assert len(world.rows(user_history)) == 4


def test_database_refuses_to_put_another_row_in_the_place_of_one(world: World) -> None:
    values = f"(2, '{TWO}', 9, 'x', '', '2026-01-01', 'forged', '', '')"
    of_version = f"(9, '{ONE}', 2, 'x', '', '2026-01-01', 'forged', '', '')"
    insert = "INSERT OR REPLACE INTO" if world.kind == "sqlite" else "INSERT INTO"
    for row in (values, of_version):
        with pytest.raises(DatabaseError):
            execute(world, f"{insert} user_history VALUES {row}")
    assert [row["event"] for row in world.rows(user_history)] == ["1a", "1b", "2a", "1c"]


def test_history_cannot_be_emptied_at_once(world: World) -> None:
    if world.kind == "postgresql":
        with pytest.raises(DatabaseError, match="only ever added to"):
            execute(world, "TRUNCATE user_history")
    verify(world)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE user_history SET event = 'forged' WHERE sequence = 2", "event 2 is not as it was written"),
        ("UPDATE user_history SET actor = 'jan' WHERE sequence = 3", "event 3 is not as it was written"),
        ("UPDATE user_history SET session = 'other' WHERE sequence = 1", "event 1 is not as it was written"),
        ("UPDATE user_history SET recorded_at = '2020-01-01' WHERE sequence = 4", "event 4 is not as it was written"),
        ("UPDATE user_history SET enterprise = '0999900249', version = 2 WHERE sequence = 4", "event 4 is not"),
        ("DELETE FROM user_history WHERE sequence = 2", "event 2 is missing"),
        ("DELETE FROM user_history WHERE sequence = 1", "event 1 is missing"),
    ],
)
def test_change_by_a_master_of_the_database_is_found(world: World, statement: str, told: str) -> None:
    execute(world, *FREE[world.kind], statement)
    with pytest.raises(HistoryAltered, match=told):
        verify(world)


def test_history_that_was_cut_off_is_found_with_a_head_that_was_kept(world: World) -> None:
    kept = verify(world)
    execute(world, *FREE[world.kind], "DELETE FROM user_history WHERE sequence = 4")
    assert verify(world).sequence == 3
    with pytest.raises(HistoryAltered, match="event 4 is not the one whose digest was kept"):
        verify(world, kept)


def test_history_that_went_on_still_has_the_head_that_was_kept(world: World) -> None:
    kept = verify(world)
    world.commit.run(lambda connection: append_events(connection, ONE, 3, ["1d"], ELS, NOON))
    assert verify(world, kept).sequence == kept.sequence + 1
