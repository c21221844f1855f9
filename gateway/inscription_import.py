"""Importing inscriptions from CSV: `ssin,organisation,context,begin,end`, `end` empty while it is open.

`organisation` is an enterprise number, or `sector/institution`. Days are ISO dates, both included. All
lines are checked, against each other and against the repertory, before the first is written; if any is bad,
none is. Importing a file again changes nothing, so an import that a failure cut short is completed by
repeating it.

A file of a million lines neither fills the memory nor keeps the gateway from writing: lines wait in a private
temporary file, sorted, and are written in short transactions, each with the audit record of its lines.
"""

import csv
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, insert, select

from authz.enterprise import has_valid_cbe_check_digits
from authz.organisation import Organisation
from authz.ssin import Environment, has_valid_check_digits, is_acceptable
from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import inscriptions

COLUMNS = ("ssin", "organisation", "context", "begin", "end")

_LINES_PER_TRANSACTION = 1000
_IN_NETWORK = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")
_CONTEXT = re.compile(r"[A-Z0-9]+:[A-Z0-9_]+")
_LONGEST_CONTEXT = 64

_INSERT = insert(inscriptions)
_OF_PERSONS = select(
    inscriptions.c.ssin,
    inscriptions.c.organisation,
    inscriptions.c.context,
    inscriptions.c.begin_date,
    inscriptions.c.end_date,
).where(inscriptions.c.ssin.in_(bindparam("persons", expanding=True)))


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be imported, and what would do. It never quotes the line, which is about a person."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many inscriptions were `added`, how many stood there already, and every bad line.

    With problems nothing was added, unless somebody else changed the repertory meanwhile.
    """

    added: int = 0
    unchanged: int = 0
    problems: tuple[LineProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is well-formed by itself; `organisation` is a key."""

    number: int
    ssin: str = field(repr=False)
    organisation: str
    context: str
    begin: date
    end: date | None

    @property
    def file(self) -> tuple[str, str, str]:
        """What may not hold two inscriptions for the same day."""
        return (self.ssin, self.organisation, self.context)


class _Bad(Exception):
    """A field cannot be read; `column` says which."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class _Conflict(Exception):
    """The repertory is no longer what the lines were checked against."""

    def __init__(self, problems: list[LineProblem]) -> None:
        super().__init__("the repertory changed during the import")
        self.problems = problems


def import_inscriptions(
    lines: Iterable[str],
    database: Database,
    commit: GroupCommit,
    trail: AuditTrail,
    *,
    actor: str,
    now: datetime,
    environment: Environment,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import the lines for `actor`; `progress` is told the number of lines written so far.

    AuditUnavailable and CommitError when it could not go on; what was written by then stays, with its
    records.
    """
    with closing(_Spool()) as spool:
        problems = list(_read_into(spool, lines, environment))
        with database.read() as connection:
            problems += _find_overlaps(spool, connection)
        if problems:
            return ImportReport(problems=tuple(sorted(problems, key=lambda each: each.line)))
        added = unchanged = 0
        for chunk in spool.chunks():
            try:
                new = commit.run(_writing(chunk, trail, actor, now))
            except _Conflict as conflict:
                return ImportReport(added, unchanged, tuple(conflict.problems))
            added += new
            unchanged += len(chunk) - new
            if progress is not None:
                progress(added + unchanged)
    return ImportReport(added, unchanged)


class _Spool:
    """The well-formed lines, on disk, to be read in the order of persons; gone when it is closed."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("CREATE TABLE line (number INTEGER, ssin, organisation, context, begin, end)")

    def add(self, lines: list[_Line]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?)",
            (
                (each.number, *each.file, each.begin.isoformat(), each.end.isoformat() if each.end else None)
                for each in lines
            ),
        )
        self._file.execute("COMMIT")

    def chunks(self) -> Iterator[list[_Line]]:
        rows = self._file.execute("SELECT * FROM line ORDER BY ssin, organisation, context, begin, number")
        while chunk := rows.fetchmany(_LINES_PER_TRANSACTION):
            yield [
                _Line(number, ssin, organisation, context, date.fromisoformat(begin), _day_or_none(end))
                for number, ssin, organisation, context, begin, end in chunk
            ]

    def close(self) -> None:
        self._file.close()


def _day_or_none(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _read_into(spool: _Spool, lines: Iterable[str], environment: Environment) -> Iterator[LineProblem]:
    """Spool the lines that are well-formed, and yield what is wrong with the others."""
    reader = csv.reader(lines, strict=True)
    good: list[_Line] = []
    try:
        if tuple(next(reader, ())) != COLUMNS:
            yield LineProblem(1, "", f"the first line must be {','.join(COLUMNS)}")
            return
        for values in reader:
            if not values:
                continue
            try:
                good.append(_read_line(reader.line_num, values, environment))
            except _Bad as bad:
                yield LineProblem(reader.line_num, bad.column, str(bad))
            if len(good) == _LINES_PER_TRANSACTION:
                spool.add(good)
                good = []
    except csv.Error as error:
        yield LineProblem(reader.line_num, "", f"not CSV: {error}")
    spool.add(good)


def _read_line(number: int, values: list[str], environment: Environment) -> _Line:
    if len(values) != len(COLUMNS):
        raise _Bad("", f"must have {len(COLUMNS)} values, has {len(values)}")
    ssin, organisation, context, begin, end = (value.strip() for value in values)
    if not has_valid_check_digits(ssin):
        raise _Bad("ssin", "must be eleven digits whose check digits agree")
    if not is_acceptable(ssin, environment):
        raise _Bad("ssin", f"is a synthetic number, which has no place in {environment}")
    if _CONTEXT.fullmatch(context) is None or len(context) > _LONGEST_CONTEXT:
        raise _Bad("context", "must be like PCSA:FILE, in capitals")
    first, last = _read_day("begin", begin), _read_day("end", end) if end else None
    if last is not None and last < first:
        raise _Bad("end", "must not be before begin")
    try:
        key = read_organisation(organisation).key
    except ValueError as error:
        raise _Bad("organisation", str(error)) from None
    return _Line(number, ssin, key, context, first, last)


def read_organisation(text: str) -> Organisation:
    """Read an enterprise number or `sector/institution`; ValueError for anything else."""
    in_network = _IN_NETWORK.fullmatch(text)
    if in_network is not None:
        return Organisation(sector=int(in_network[1]), institution=int(in_network[2]))
    if not has_valid_cbe_check_digits(text):
        raise ValueError("must be an enterprise number with valid check digits, or sector/institution")
    return Organisation(cbe_number=text)


def _read_day(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _Bad(column, "must be a day like 2026-01-31") from None


def _find_overlaps(spool: _Spool, connection: Connection) -> Iterator[LineProblem]:
    """Yield each line that has a day in common with an earlier line or with what the repertory holds."""
    furthest: _Line | None = None
    for chunk in spool.chunks():
        yield from _compare(chunk, connection)[1]
        for line in chunk:
            if furthest is None or furthest.file != line.file:
                furthest = line
                continue
            # The lines of a file come in the order in which they begin: only the furthest end matters.
            if furthest.end is None or line.begin <= furthest.end:
                yield LineProblem(line.number, "begin", f"overlaps line {furthest.number}")
            if furthest.end is not None and (line.end is None or line.end > furthest.end):
                furthest = line


def _compare(chunk: list[_Line], connection: Connection) -> tuple[list[_Line], list[LineProblem]]:
    """Return the lines that the repertory does not have, and what is wrong with those that contradict it."""
    held: dict[tuple[str, str, str], list[tuple[date, date | None]]] = {}
    names = {"persons": list({line.ssin for line in chunk})}
    for ssin, organisation, context, begin, end in connection.execute(_OF_PERSONS, names):
        held.setdefault((ssin, organisation, context), []).append((begin, end))
    new, problems = [], []
    for line in chunk:
        periods = held.get(line.file, [])
        if (line.begin, line.end) in periods:
            continue
        overlapping = [each for each in periods if _overlap(each, (line.begin, line.end))]
        if overlapping:
            begin, end = overlapping[0]
            problems.append(
                LineProblem(
                    line.number,
                    "begin",
                    f"overlaps the inscription from {begin} {f'to {end}' if end else 'on'} (close it first)",
                )
            )
        else:
            new.append(line)
    return new, problems


def _overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    return (one[1] is None or other[0] <= one[1]) and (other[1] is None or one[0] <= other[1])


def _writing(chunk: list[_Line], trail: AuditTrail, actor: str, now: datetime) -> Callable[[Connection], int]:
    """Return the work that writes a chunk with its audit record, and returns how many lines were new."""

    def work(connection: Connection) -> int:
        new, problems = _compare(chunk, connection)
        if problems:
            raise _Conflict(problems)
        if new:
            connection.execute(
                _INSERT,
                [
                    {
                        "ssin": line.ssin,
                        "organisation": line.organisation,
                        "context": line.context,
                        "begin_date": line.begin,
                        "end_date": line.end,
                    }
                    for line in new
                ],
            )
            trail.append(connection, trail.seal(_record(new, actor, now)))
        return len(new)

    return work


def _record(lines: list[_Line], actor: str, now: datetime) -> AuditRecord:
    organisations = {line.organisation for line in lines}
    return AuditRecord(
        ticket_cbss=str(uuid.uuid4()),
        received_at=now,
        kind=RecordKind.INSCRIPTION_CHANGE,
        outcome=RecordOutcome.DONE,
        client=actor,
        organisation=organisations.pop() if len(organisations) == 1 else None,
        operation="inscriptions import",
        request=[(*line.file, line.begin, line.end) for line in lines],
        decided_at=now,
    )
