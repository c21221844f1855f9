"""The NSSO's Dimona behind DimonaService, kept in this database.

Implements `services.dimona.repository`. A submission is one work of `GroupCommit`: the lock of all writers puts the
submissions of threads and nodes one after the other, so that each is judged against all that was accepted before it.
What is accepted and what it comes to is decided by `services.dimona.personnel_file`; here it is read and written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from gateway.sources.asking import Read, asking
from gateway.sources.dimona_persons import find_namesakes, find_numbers, find_persons
from gateway.sources.dimona_rows import (
    PERIODS,
    make_declaration_row,
    make_employer,
    make_period,
    make_period_row,
    read_answers,
    write_answers,
)
from gateway.sources.dimona_search import search_declarations, search_periods
from gateway.storage.conflicts import for_each_dialect
from gateway.storage.dimona_tables import dimona_declarations, dimona_periods, dimona_submissions
from gateway.storage.employer_tables import employers
from gateway.storage.group_commit import CommitError, GroupCommit
from services.consultation import SourceCommunicationFailed, SourceUnavailable
from services.dimona.declaration import Declaration, DeclarationAnswer, Submission
from services.dimona.numbers import read_declaration_count, read_period_count
from services.dimona.period import DeclarationPage, DeclarationSearch, EmploymentPeriod, PeriodPage, PeriodSearch
from services.dimona.personnel_file import Change, Counts, Known, declare, key_of
from services.dimona.repository import EmployerUnknown, TicketReused
from services.employer import Employer, EmployerReference

Notify = Callable[[Connection, Sequence[Change]], None]
"""Writes, in the transaction of the declarations, who is to be told of them."""

_P, _E = dimona_periods.c, employers.c

_NOTHING = select(_P.period_id).where(_P.period_id == "")
_FIND_SUBMISSION = select(dimona_submissions.c.digest, dimona_submissions.c.answers).where(
    dimona_submissions.c.client == bindparam("client"), dimona_submissions.c.ticket == bindparam("ticket")
)
_FIND_EMPLOYERS = {
    name: select(employers).where(column == bindparam(name))
    for name, column in (
        ("registration_number", _E.registration_number),
        ("enterprise_number", _E.enterprise_number),
    )
}
_COUNTS = select(
    select(func.max(dimona_declarations.c.number)).scalar_subquery().label("declaration"),
    select(func.max(_P.period_id)).scalar_subquery().label("period"),
)
_OF_EMPLOYER = PERIODS.where(_P.employer_number == bindparam("employer"))
_NAMED = _OF_EMPLOYER.where(_P.period_id.in_(bindparam("ids", expanding=True)))
# What was cancelled, or ended before all that is declared begins, meets nothing of it.
_MET = _OF_EMPLOYER.where(
    _P.ssin.in_(bindparam("ssins", expanding=True)),
    ~_P.cancelled,
    or_(_P.end_date.is_(None), _P.end_date >= bindparam("since")),
)
# A period keeps the number under which it began, whatever number is in force when it changes.
_LASTING = {_P.period_id, _P.ssin}
_PUT_PERIOD = for_each_dialect(
    dimona_periods,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["period_id"],
        set_={column.name: statement.excluded[column.name] for column in _P if column not in _LASTING},
    ),
)


class SqlDimonaRepository:
    """Answers from the `dimona_…` tables: `read` gives a connection for a question, `commit` makes writes durable."""

    def __init__(self, read: Read, commit: GroupCommit, notify: Notify) -> None:
        self._read = read
        self._commit = commit
        self._notify = notify

    def probe(self) -> None:
        """Ask for nobody: return if the register answers."""
        with asking(self._read) as connection:
            connection.execute(_NOTHING).first()

    def submit(self, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        """Judge and record in one transaction, of which a few statements do all, however much is declared."""
        try:
            return self._commit.run(lambda connection: self._record(connection, submission))
        except CommitError as error:
            if error.may_be_committed:
                raise SourceCommunicationFailed("the register broke off while it recorded") from error
            raise SourceUnavailable("the register cannot record now") from error

    def find_employer(self, reference: EmployerReference) -> Employer | None:
        """Return the only one meant; of several registrations of an enterprise, the one that is not struck off."""
        with asking(self._read) as connection:
            return _find_employer(connection, reference)

    def find_periods(self, search: PeriodSearch, limit: int) -> PeriodPage:
        """Return a page, read in one range of the index of a criterion that must be there."""
        with asking(self._read) as connection:
            return search_periods(connection, search, limit)

    def find_declarations(self, search: DeclarationSearch, limit: int) -> DeclarationPage:
        """Return a page, read in one range of the index of a criterion that must be there."""
        with asking(self._read) as connection:
            return search_declarations(connection, search, limit)

    def _record(self, connection: Connection, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        key = {"client": submission.client, "ticket": submission.ticket}
        known = connection.execute(_FIND_SUBMISSION, key).first()
        if known is not None:
            if known.digest != submission.digest:
                raise TicketReused
            return read_answers(known.answers)
        employer = _find_employer(connection, submission.employer)
        if employer is None:
            raise EmployerUnknown
        registers, periods = _load(connection, submission.declarations, employer)
        declared = declare(
            submission.declarations, employer, submission.received_at, periods, registers, _count(connection)
        )
        connection.execute(
            dimona_submissions.insert(),
            key
            | {
                "digest": submission.digest,
                "received_at": submission.received_at,
                "answers": write_answers(declared.answers),
            },
        )
        if declared.changes:
            put_changes(connection, declared.changes)
            self._notify(connection, declared.changes)
        return declared.answers


def put_changes(connection: Connection, changes: Iterable[Change]) -> None:
    """Add the declarations, and put their periods as the last of them left each."""
    rows, periods = [], {}
    for change in changes:
        rows.append(make_declaration_row(change))
        periods[change.period.period_id] = make_period_row(change.period)
    connection.execute(dimona_declarations.insert(), rows)
    connection.execute(_PUT_PERIOD[connection.dialect.name], list(periods.values()))


def _find_employer(connection: Connection, reference: EmployerReference) -> Employer | None:
    name = "registration_number" if reference.registration_number is not None else "enterprise_number"
    rows = [
        row
        for row in connection.execute(_FIND_EMPLOYERS[name], {name: getattr(reference, name)})
        if reference.register in (None, row.register) and reference.enterprise_number in (None, row.enterprise_number)
    ]
    if len(rows) > 1:
        rows = [row for row in rows if row.deletion_date is None]
    return make_employer(rows[0]) if len(rows) == 1 else None


def _count(connection: Connection) -> Counts:
    last = connection.execute(_COUNTS).one()
    return Counts(
        read_declaration_count(last.declaration) if last.declaration else 0,
        read_period_count(last.period) if last.period else 0,
    )


def _load(
    connection: Connection, declarations: Sequence[Declaration], employer: Employer
) -> tuple[Known, Mapping[str, EmploymentPeriod]]:
    """Read all that the declarations can be judged by."""
    ids = {each.period_id for each in declarations if each.period_id is not None}
    periods = _find_periods(connection, _NAMED, employer, ids=ids) if ids else {}
    workers = find_namesakes(connection, {key_of(each.identity) for each in declarations if each.identity is not None})
    declared = {each.ssin for each in declarations if each.ssin is not None}
    held = {each.ssin for each in periods.values()}
    persons = find_persons(connection, declared | held | {ssin for found in workers.values() for ssin in found})
    # Two numbers of one person are one namesake.
    namesakes = {key: tuple(dict.fromkeys(persons[ssin] for ssin in found)) for key, found in workers.items()}
    meant = held | {each.ssin for each in persons.values()}
    met = _find_periods(
        connection,
        _MET,
        employer,
        ssins=list(find_numbers(connection, meant)),
        since=_earliest(declarations, periods.values()),
    )
    return Known(persons, namesakes), met | periods


def _find_periods(
    connection: Connection, statement: Any, employer: Employer, **criteria: Any
) -> dict[str, EmploymentPeriod]:
    rows = connection.execute(statement, criteria | {"employer": employer.registration_number})
    return {row.period_id: make_period(row) for row in rows}


def _earliest(declarations: Iterable[Declaration], periods: Iterable[EmploymentPeriod]) -> date:
    begins = [each.begin_date for each in declarations if each.begin_date is not None]
    return min([*begins, *(each.begin_date for each in periods)], default=date.max)
