"""The lines of an inscription file: read one by one, judged by themselves, and kept on disk in the order of persons.

Knows nothing of the repertory: what lines mean beside what stands there already is `gateway.inscription_import`'s.
"""

import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from authz.enterprise import has_valid_cbe_check_digits
from authz.organisation import Organisation
from authz.ssin import Environment, has_valid_check_digits, is_acceptable

COLUMNS = ("ssin", "organisation", "context", "begin", "end")

_CHUNK = 1000
_IN_NETWORK = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")
_CONTEXT = re.compile(r"[A-Z0-9]+:[A-Z0-9_]+")
_LONGEST_CONTEXT = 64


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be imported, and what would do. It never quotes the line, which is about a person."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
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


class Spool:
    """The well-formed lines, on disk, to be read in the order of persons; gone when it is closed."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("CREATE TABLE line (number INTEGER, ssin, organisation, context, begin, end)")

    def add(self, lines: list[Line]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?)",
            (
                (each.number, *each.file, each.begin.isoformat(), each.end.isoformat() if each.end else None)
                for each in lines
            ),
        )
        self._file.execute("COMMIT")

    def chunks(self) -> Iterator[list[Line]]:
        rows = self._file.execute("SELECT * FROM line ORDER BY ssin, organisation, context, begin, number")
        while chunk := rows.fetchmany(_CHUNK):
            yield [
                Line(number, ssin, organisation, context, date.fromisoformat(begin), _day_or_none(end))
                for number, ssin, organisation, context, begin, end in chunk
            ]

    def close(self) -> None:
        self._file.close()


def _day_or_none(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def read_into(spool: Spool, lines: Iterable[str], environment: Environment) -> Iterator[LineProblem]:
    """Spool the lines that are well-formed, and yield what is wrong with the others."""
    reader = csv.reader(lines, strict=True)
    good: list[Line] = []
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
            if len(good) == _CHUNK:
                spool.add(good)
                good = []
    except csv.Error as error:
        yield LineProblem(reader.line_num, "", f"not CSV: {error}")
    spool.add(good)


def _read_line(number: int, values: list[str], environment: Environment) -> Line:
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
    return Line(number, ssin, key, context, first, last)


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
