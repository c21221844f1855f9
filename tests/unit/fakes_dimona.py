"""A hand-written personnel file: the port of DimonaService over plain values, judged by the real rules."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.calendar import get_brussels_date
from services.dimona.declaration import DeclarationAnswer, RecordedDeclaration, Submission
from services.dimona.period import (
    DeclarationPage,
    DeclarationSearch,
    EmploymentPeriod,
    Event,
    PeriodPage,
    PeriodSearch,
    WorkerName,
)
from services.dimona.personnel_file import Counts, Known, declare, fold, key_of
from services.dimona.repository import EmployerUnknown, TicketReused
from services.dimona.worker import Person, Standing, Worker, make_identity_key, make_search_key
from services.employer import Employer, EmployerReference


class FakeDimonaRepository:
    """Keeps declarations and nothing else; `fault`, when set, is raised in place of any answer.

    `persons` are by SSIN, a replaced number's being that of its successor; a worker stands there by himself.
    """

    def __init__(
        self,
        employers: Iterable[Employer] = (),
        persons: Mapping[str, Person] | None = None,
        workers: Iterable[Worker] = (),
        declarations: Iterable[RecordedDeclaration] = (),
    ) -> None:
        self.employers = tuple(employers)
        self.workers = tuple(workers)
        self.persons = {each.ssin: Person(each.ssin) for each in self.workers} | dict(persons or {})
        self.declarations = list(declarations)
        self.submissions: dict[tuple[str, str], tuple[bytes, tuple[DeclarationAnswer, ...]]] = {}
        self.fault: Exception | None = None
        self.asked: list[PeriodSearch | DeclarationSearch] = []

    @property
    def periods(self) -> dict[str, EmploymentPeriod]:
        """Those of the file, under the numbers that are in force."""
        return {key: replace(each, ssin=self._in_force(each.ssin)) for key, each in fold(self.declarations).items()}

    def submit(self, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        self._raise_fault()
        known = self.submissions.get((submission.client, submission.ticket))
        if known is not None:
            if known[0] != submission.digest:
                raise TicketReused
            return known[1]
        employer = self.find_employer(submission.employer)
        if employer is None:
            raise EmployerUnknown
        periods = self.periods
        declared = declare(
            submission.declarations,
            employer,
            submission.received_at,
            periods,
            self._know(submission),
            Counts(len(self.declarations), len(periods)),
        )
        self.declarations += (change.declaration for change in declared.changes)
        self.submissions[submission.client, submission.ticket] = (submission.digest, declared.answers)
        return declared.answers

    def find_employer(self, reference: EmployerReference) -> Employer | None:
        self._raise_fault()
        found = [each for each in self.employers if _is_meant(each, reference)]
        return found[0] if len(found) == 1 else None

    def find_periods(self, search: PeriodSearch, limit: int) -> PeriodPage:
        self._raise_fault()
        self.asked.append(search)
        told = self._told(search.ssins)
        found = [
            replace(each, ssin=told.get(each.ssin, each.ssin))
            for each in sorted(self.periods.values(), key=lambda each: each.period_id)
            if (search.after is None or each.period_id > search.after) and self._meets_period(each, search)
        ]
        return PeriodPage(tuple(found[:limit]), len(found) > limit)

    def find_declarations(self, search: DeclarationSearch, limit: int) -> DeclarationPage:
        self._raise_fault()
        self.asked.append(search)
        periods = self.periods
        told = self._told([search.ssin] if search.ssin is not None else [])
        found = [
            replace(each, ssin=told.get(in_force := self._in_force(each.ssin), in_force))
            for each in sorted(self.declarations, key=lambda each: each.number)
            if (search.after is None or each.number > search.after)
            and self._meets_declaration(each, periods[each.period_id], search)
        ]
        return DeclarationPage(tuple(found[:limit]), len(found) > limit)

    def _raise_fault(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _in_force(self, ssin: str) -> str:
        return self.persons.get(ssin, Person(ssin)).ssin

    def _told(self, asked: Iterable[str]) -> dict[str, str]:
        """Return under which number to tell of a person, by the one in force: that which was asked, if one was."""
        numbers = sorted(asked, key=lambda ssin: ssin == self._in_force(ssin))
        return {self._in_force(ssin): ssin for ssin in numbers}

    def _know(self, submission: Submission) -> Known:
        asked = [each.ssin for each in submission.declarations if each.ssin is not None]
        held = [each.ssin for each in self.declarations]
        unknown = {ssin: Person(ssin, Standing.UNKNOWN) for ssin in (*asked, *held)}
        namesakes = {
            key_of(each.identity): tuple(
                dict.fromkeys(
                    self.persons[worker.ssin]
                    for worker in self.workers
                    if make_identity_key(worker.name, worker.first_name, worker.birth_date, worker.sex)
                    == key_of(each.identity)
                )
            )
            for each in submission.declarations
            if each.identity is not None
        }
        return Known(unknown | {each.ssin: each for each in self.persons.values()} | self.persons, namesakes)

    def _named(self, name: WorkerName) -> set[str]:
        return {
            self._in_force(worker.ssin)
            for worker in self.workers
            if make_search_key(worker.name, worker.first_name) == make_search_key(name.name, name.first_name)
            and name.birth_date in (None, worker.birth_date)
        }

    def _meets_period(self, period: EmploymentPeriod, search: PeriodSearch) -> bool:
        begin, end = period.begin_date, period.end_date
        if search.event is not None:
            day = begin if search.event is Event.STARTED else end
            in_time = day is not None and (search.begin or day) <= day <= (search.end or day)
        else:
            in_time = (search.end is None or begin <= search.end) and (
                search.begin is None or end is None or end >= search.begin
            )
        using = period.features.using_company
        return all(
            (
                in_time,
                not search.ssins or period.ssin in self._told(search.ssins),
                search.worker_name is None or period.ssin in self._named(search.worker_name),
                search.employer is None or _is_meant(period.employer, search.employer),
                not search.worker_types or period.features.worker_type in search.worker_types,
                not search.joint_committees or period.features.joint_committee in search.joint_committees,
                search.using_company in (None, using.enterprise_number if using else ""),
                search.include_cancelled or not period.cancelled,
            )
        )

    def _meets_declaration(
        self, recorded: RecordedDeclaration, period: EmploymentPeriod, search: DeclarationSearch
    ) -> bool:
        received, using = get_brussels_date(recorded.received_at), period.features.using_company
        return all(
            (
                search.number in (None, recorded.number),
                search.ssin is None or period.ssin == self._in_force(search.ssin),
                search.worker_name is None or period.ssin in self._named(search.worker_name),
                search.employer is None or _is_meant(recorded.employer, search.employer),
                (search.received_from or received) <= received <= (search.received_until or received),
                search.joint_committee in (None, period.features.joint_committee),
                search.worker_type in (None, period.features.worker_type),
                search.using_company in (None, using.enterprise_number if using else ""),
            )
        )


def _is_meant(employer: Employer, reference: EmployerReference) -> bool:
    return replace(
        reference,
        register=reference.register or employer.register,
        registration_number=reference.registration_number or employer.registration_number,
        enterprise_number=reference.enterprise_number or employer.enterprise_number,
    ) == EmployerReference(employer.register, employer.registration_number, employer.enterprise_number)
