"""Importing enterprises, users, affiliations and mandates from CSV, by an operator, through the rules of every command.

The history names the operator as the author of all of it. A line happens whole or not at all, and one that is refused
stops no other. Importing a file again changes nothing, so an import that was cut short is completed by repeating it.

Lines are read, decided and forgotten in short transactions: a file of a million lines neither fills the memory nor
keeps the gateway from writing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import Connection

from authz.user_management.commands import Command
from gateway.users.history import Author
from gateway.users.line_commands import (
    Line,
    import_affiliation,
    import_enterprise,
    import_mandate,
    import_user,
)
from gateway.users.lines import (
    AFFILIATION_COLUMNS,
    ENTERPRISE_COLUMNS,
    MANDATE_COLUMNS,
    USER_COLUMNS,
    LineRefused,
    Row,
    read_affiliation,
    read_enterprise,
    read_mandate,
    read_rows,
    read_user,
)
from gateway.users.store import RuleRefused, UserStore, without_secrets

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was refused, by which rule, or for which column."""

    file: str
    line: int
    rule: str
    reason: str


@dataclass(slots=True)
class Counts:
    """How many lines of a file changed something, changed nothing, and were refused."""

    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self.changed + self.unchanged + self.refused


@dataclass(frozen=True, slots=True)
class _Kind:
    columns: tuple[str, ...]
    read: Callable[[Row], Any]
    apply: Callable[[Line, Any], None]


KINDS: dict[str, _Kind] = {
    "enterprises": _Kind(ENTERPRISE_COLUMNS, read_enterprise, import_enterprise),
    "users": _Kind(USER_COLUMNS, read_user, import_user),
    "affiliations": _Kind(AFFILIATION_COLUMNS, read_affiliation, import_affiliation),
    "mandates": _Kind(MANDATE_COLUMNS, read_mandate, import_mandate),
}
"""The kinds of file, in the order in which they rest on each other."""


def import_file(
    kind: str,
    file: BinaryIO,
    store: UserStore,
    author: Author,
    now: datetime,
    *,
    refuse: Callable[[Refusal], None],
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Import the lines of one file, of a kind of `KINDS`, for the operator who is the author.

    `refuse` is told every refused line in turn, `progress` the number of lines so far. AuditUnavailable and CommitError
    when it could not go on; what was written by then stays.
    """
    counts = Counts()
    rows = read_rows(file, KINDS[kind].columns)
    while chunk := list(islice(rows, _CHUNK)):
        changed, refused = store.commit.run(_writing(KINDS[kind], kind, chunk, store, author, now))
        for each in refused:
            refuse(each)
        counts.refused += len(refused)
        counts.changed += changed
        counts.unchanged += len(chunk) - changed - len(refused)
        if progress is not None:
            progress(counts.lines)
    return counts


def _writing(
    kind: _Kind,
    name: str,
    chunk: list[tuple[int, Row | LineRefused]],
    store: UserStore,
    author: Author,
    now: datetime,
) -> Callable[[Connection], tuple[int, list[Refusal]]]:
    """Return the work that decides a chunk and records it: how many lines changed something, and which are refused."""

    def work(connection: Connection) -> tuple[int, list[Refusal]]:
        done: list[tuple[str, Command]] = []
        changed, refused = 0, []
        for number, row in chunk:
            try:
                commands = _import_line(kind, row, Line(store, connection, author, now), connection)
            except LineRefused as reason:
                refused.append(Refusal(name, number, reason.rule, reason.reason))
            except RuleRefused as reason:
                refused.append(Refusal(name, number, reason.rule.rule_id, reason.rule.says))
            else:
                changed += bool(commands)
                done += commands
        if done:
            request = [(number, type(each).__name__, without_secrets(each)) for number, each in done]
            store.record(connection, author, f"import {name}", "", now, request)
        return changed, refused

    return work


def _import_line(kind: _Kind, row: Row | LineRefused, line: Line, connection: Connection) -> list[tuple[str, Command]]:
    if isinstance(row, LineRefused):
        raise row
    wanted = kind.read(row)
    # A line whose last command is refused must not have half happened.
    with connection.begin_nested():
        kind.apply(line, wanted)
    return line.done
