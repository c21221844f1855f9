"""Statements of every request, given to the driver's own cursor: SQLAlchemy's share, half of their cost, is paid once.

SQLAlchemy compiles the statement, and its types turn values into the driver's and back, as ever. An error is handed to
SQLAlchemy too, so that callers meet its exceptions and no values in them; who listens to a connection hears the text.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.types import TypeEngine


class HotStatement:
    """A statement, or one for each dialect; always run with parameters of the same names, and none of them a list."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the rows, whose columns are attributes; SQLAlchemyError. Begins no transaction."""
        name = connection.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            statement = self._statement if isinstance(self._statement, Executable) else self._statement[name]
            compiled = self._compiled[name] = _Compiled(statement, connection, parameters)
        return compiled.run(connection, parameters)


class _Compiled:
    """The statement for one dialect: every database has the same, as `gateway.storage.database` configures it."""

    def __init__(self, statement: Any, connection: Connection, parameters: Mapping[str, Any]) -> None:
        dialect = connection.dialect
        compiled = statement.compile(dialect=dialect, column_keys=list(parameters))
        self._text = str(compiled)
        # One name may have several places.
        self._places = compiled.positiontup if compiled.positional else None
        self._binds = [
            (name, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect))
            for name, bind in compiled.binds.items()
        ]
        self._columns: Sequence[tuple[str, TypeEngine[Any]]] = [
            (column.key, column.type) for column in statement.exported_columns
        ]
        row: Any = namedtuple("Row", [name for name, _ in self._columns])  # type: ignore[misc]
        self._make_row = row._make
        self._turns: Sequence[tuple[int, Callable[[Any], Any]]] | None = None

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        values = {
            name: turn(parameters.get(name, fixed)) if turn else parameters.get(name, fixed)
            for name, fixed, turn in self._binds
        }
        given = tuple(values[name] for name in self._places) if self._places else values
        cursor = connection.connection.cursor()
        if connection._has_events:
            connection.dispatch.before_cursor_execute(connection, cursor, self._text, given, None, False)
        try:
            cursor.execute(self._text, given)
            rows = cursor.fetchall() if self._columns else ()
        except Exception as error:
            connection._handle_dbapi_exception(error, self._text, None, cursor, None)
        if self._turns is None:
            self._turns = self._find_turns(connection, cursor.description)
        cursor.close()
        if not self._turns:
            return [self._make_row(row) for row in rows]
        return [self._make_row(self._turned(list(row))) for row in rows]

    def _turned(self, row: list[Any]) -> list[Any]:
        for at, turn in self._turns or ():
            row[at] = turn(row[at])
        return row

    def _find_turns(self, connection: Connection, described: Any) -> list[tuple[int, Callable[[Any], Any]]]:
        dialect = connection.dialect
        turns = (
            (at, type_.dialect_impl(dialect).result_processor(dialect, described[at][1]))
            for at, (_, type_) in enumerate(self._columns)
        )
        return [(at, turn) for at, turn in turns if turn is not None]
