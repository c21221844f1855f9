"""How statements and tables are written for each database."""

import pytest
from sqlalchemy import Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from gateway.storage.conflicts import for_each_dialect
from gateway.storage.tables import annex_revisions, metadata, quota_counters, replay_keys

DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_insert_that_meets_a_conflict_is_written_for_each_dialect(dialect: str) -> None:
    ignoring = for_each_dialect(replay_keys, lambda insert: insert.on_conflict_do_nothing())
    counting = for_each_dialect(
        quota_counters,
        lambda insert: insert.on_conflict_do_update(
            index_elements=["client", "period", "period_start"], set_={"used": quota_counters.c.used + 1}
        ).returning(quota_counters.c.used),
    )
    assert "ON CONFLICT DO NOTHING" in str(ignoring[dialect].compile(dialect=DIALECTS[dialect]))
    written = str(counting[dialect].compile(dialect=DIALECTS[dialect]))
    assert "ON CONFLICT (client, period, period_start) DO UPDATE" in written
    assert "RETURNING" in written


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_table_can_be_created_on_each_database(dialect: str, table: Table) -> None:
    assert table.name in str(CreateTable(table).compile(dialect=DIALECTS[dialect]))


def test_growing_keys_grow_on_each_database() -> None:
    written = {name: str(CreateTable(annex_revisions).compile(dialect=dialect)) for name, dialect in DIALECTS.items()}
    assert "sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT" in written["sqlite"]
    assert "sequence BIGSERIAL NOT NULL" in written["postgresql"]


def test_times_keep_their_zone_where_the_database_has_zones() -> None:
    written = str(CreateTable(replay_keys).compile(dialect=DIALECTS["postgresql"]))
    assert "forget_at TIMESTAMP WITH TIME ZONE NOT NULL" in written
