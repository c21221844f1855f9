"""Hot statements: what SQLAlchemy would give and take, without its cost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from databases import Databases
from sqlalchemy import bindparam, exists, insert, literal, or_, select
from sqlalchemy.exc import IntegrityError
from storage_world import World, open_world

from gateway.storage.conflicts import for_each_dialect
from gateway.storage.hot_statement import HotStatement
from gateway.storage.tables import replay_keys

KEY, OTHER = b"k" * 32, b"o" * 32
NOON = datetime(2026, 3, 10, 12, 0, 5, 7, tzinfo=UTC)
_ASK = (
    select(
        replay_keys.c.replay_key,
        replay_keys.c.forget_at,
        exists().where(replay_keys.c.replay_key == bindparam("key")).label("there"),
        literal("50% :more").label("fixed"),
    )
    .where(or_(replay_keys.c.replay_key == bindparam("key"), replay_keys.c.forget_at < bindparam("before")))
    .order_by(replay_keys.c.replay_key)
    .limit(5)
)
_STORE = insert(replay_keys)


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def test_values_go_in_and_come_out_as_through_sqlalchemy(world: World) -> None:
    store, ask = HotStatement(_STORE), HotStatement(_ASK)
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    with world.database.write() as connection:
        assert store.run(connection, {"replay_key": KEY, "forget_at": local}) == []
    with world.database.ask() as connection:
        parameters = {"key": KEY, "before": NOON}
        # The first time it is compiled, the second time it is not.
        for _ in range(2):
            (row,) = ask.run(connection, parameters)
            assert (row.replay_key, row.forget_at, row.there, row.fixed) == (KEY, NOON, True, "50% :more")
            assert row == tuple(connection.execute(_ASK, parameters).one())
        assert ask.run(connection, {"key": OTHER, "before": NOON}) == []


def test_a_statement_may_be_written_for_each_dialect(world: World) -> None:
    store = HotStatement(
        for_each_dialect(replay_keys, lambda one: one.on_conflict_do_nothing().returning(replay_keys.c.replay_key))
    )
    with world.database.write() as connection:
        stored = [store.run(connection, {"replay_key": KEY, "forget_at": NOON}) for _ in range(2)]
    assert stored == [[(KEY,)], []]


def test_an_error_is_sqlalchemys_and_names_no_values(world: World) -> None:
    store, row = HotStatement(_STORE), {"replay_key": KEY, "forget_at": NOON}
    with world.database.write() as connection:
        store.run(connection, row)
    with world.database.write() as connection, pytest.raises(IntegrityError) as caught:
        store.run(connection, row)
    assert "kkk" not in str(caught.value)
    assert KEY.hex() not in str(caught.value)
    with world.database.ask() as connection:
        assert len(HotStatement(_ASK).run(connection, {"key": KEY, "before": NOON})) == 1
