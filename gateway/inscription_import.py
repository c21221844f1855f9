"""Importing inscriptions from CSV: `ssin,organisation,context,begin,end`, `end` empty while it is open.

`organisation` is an enterprise number, or `sector/institution`. Days are ISO dates, both included. All
lines are checked, against each other and against the repertory, before the first is written; if any is bad,
none is. Importing a file again changes nothing, so an import that a failure cut short is completed by
repeating it.

A file of a million lines neither fills the memory nor keeps the gateway from writing: lines wait in a private
temporary file, sorted, and are written in short transactions, each with the audit record of its lines.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, insert, select

from authz.ssin import Environment
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.inscription_lines import Line, LineProblem, Spool, read_into
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import inscriptions

_INSERT = insert(inscriptions)
_OF_PERSONS = select(
    inscriptions.c.ssin,
    inscriptions.c.organisation,
    inscriptions.c.context,
    inscriptions.c.begin_date,
    inscriptions.c.end_date,
).where(inscriptions.c.ssin.in_(bindparam("persons", expanding=True)))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many inscriptions were `added`, how many stood there already, and every bad line.

    With problems nothing was added, unless somebody else changed the repertory meanwhile.
    """

    added: int = 0
    unchanged: int = 0
    problems: tuple[LineProblem, ...] = ()


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
    with closing(Spool()) as spool:
        problems = list(read_into(spool, lines, environment))
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


def _find_overlaps(spool: Spool, connection: Connection) -> Iterator[LineProblem]:
    """Yield each line that has a day in common with an earlier line or with what the repertory holds."""
    furthest: Line | None = None
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


def _compare(chunk: list[Line], connection: Connection) -> tuple[list[Line], list[LineProblem]]:
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


def _writing(chunk: list[Line], trail: AuditTrail, actor: str, now: datetime) -> Callable[[Connection], int]:
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


def _record(lines: list[Line], actor: str, now: datetime) -> AuditRecord:
    organisations = {line.organisation for line in lines}
    request = [(*line.file, line.begin, line.end) for line in lines]
    deed = AuditRecord.of_deed(RecordKind.INSCRIPTION_CHANGE, "inscriptions import", actor, request, now)
    return replace(deed, organisation=organisations.pop() if len(organisations) == 1 else None)
