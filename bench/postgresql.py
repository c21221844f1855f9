"""The same world on PostgreSQL: every row of a state's SQLite database, copied."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Integer, Table, make_url

from gateway.storage.database import Database
from gateway.storage.tables import metadata


def copy_world(state: Path, url: str) -> None:
    """Fill the empty database at a URL with what the state has."""
    database = Database(url)
    database.migrate()
    database.close()
    address = make_url(url)
    with (
        closing(sqlite3.connect(state / "ksz.db")) as source,
        psycopg.connect(host=str(address.query["host"]), user=address.username, dbname=address.database) as target,
    ):
        for table in metadata.sorted_tables:
            _copy(table, source, target)
    with psycopg.connect(
        host=str(address.query["host"]), user=address.username, dbname=address.database, autocommit=True
    ) as target:
        target.execute("VACUUM ANALYZE")


def _copy(table: Table, source: sqlite3.Connection, target: psycopg.Connection) -> None:
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    name = sql.Identifier(table.name)
    select = sql.SQL("SELECT {} FROM {}").format(columns, name).as_string(None)
    # What migrations put there is in the source too.
    if target.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(name)).rowcount:
        target.execute(sql.SQL("DELETE FROM {}").format(name))
    with target.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
        for row in source.execute(select):
            copy.write_row(row)
    for column in table.primary_key.columns:
        if isinstance(column.type, Integer):
            _continue_sequence(table.name, column.name, target)


def _continue_sequence(table: str, column: str, target: psycopg.Connection) -> None:
    sequence = target.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column]).fetchone()
    if sequence is not None and sequence[0] is not None:
        last = sql.SQL("SELECT setval(%s, coalesce(max({}), 0) + 1, false) FROM {}")
        target.execute(last.format(sql.Identifier(column), sql.Identifier(table)), [sequence[0]])
