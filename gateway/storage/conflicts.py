"""INSERT … ON CONFLICT, which SQLite and PostgreSQL both have and SQLAlchemy keeps in their dialects."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


def for_each_dialect(table: Table, build: Callable[[Any], Executable]) -> Mapping[str, Executable]:
    """Build an insert into the table once for each dialect; the keys are what `connection.dialect.name` says.

    `build` receives the dialect's own insert, whose on_conflict_do_nothing and on_conflict_do_update take
    the same arguments in both. To be called when a module is loaded: building a statement costs more than
    running it.
    """
    return {"sqlite": build(sqlite.insert(table)), "postgresql": build(postgresql.insert(table))}
