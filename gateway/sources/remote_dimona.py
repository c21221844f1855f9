"""The NSSO's Dimona behind DimonaService as another institution's service.

Implements `services.dimona.repository`. The contract has no question about employers: that register is asked here.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from hashlib import sha256

import structlog

from gateway.sources.remote import Answer, RemoteSource
from gateway.sources.remote_dimona_values import (
    read_declaration,
    read_period,
    read_result,
    write_declaration,
    write_employer,
    write_worker,
)
from gateway.sources.remote_pages import Pages, RemotePage
from gateway.sources.remote_statuses import FOUND, expect
from services.consultation import (
    SourceAnswerInvalid,
    SourceCommunicationFailed,
    SourceFault,
    SsinUnknownToSource,
    Values,
    present,
)
from services.dimona.declaration import Accepted, DeclarationAnswer, RecordedDeclaration, Submission
from services.dimona.period import DeclarationPage, DeclarationSearch, EmploymentPeriod, PeriodPage, PeriodSearch
from services.dimona.repository import EmployerUnknown, TicketReused
from services.dimona.submission import TICKET
from services.employer import Employer, EmployerReference
from services.paging import NEXT

log = structlog.get_logger(__name__)

_NO_DATA, _UNUSABLE = "MSG00100", "MSG00008"
_EMPLOYER = "criteria/employer"

FindEmployer = Callable[[EmployerReference], Employer | None]


class RemoteDimonaRepository:
    """Asks and tells the source."""

    def __init__(self, source: RemoteSource, find_employer: FindEmployer) -> None:
        self._source = source
        self._find_employer = find_employer
        self._pages = Pages()

    def probe(self) -> None:
        """Ask for nobody: return if the source answers."""
        self._source.probe()

    def submit(self, submission: Submission) -> tuple[DeclarationAnswer, ...]:
        """Tell the declarations, once; what is sent again under the same ticket gets the same answers.

        The source knows this gateway as one client: its ticket is made of our client's name and its ticket.
        """
        criteria = {
            "employer": write_employer(submission.employer),
            "declaration": [write_declaration(each) for each in submission.declarations],
        }
        answer = self._source.tell("submitDeclarations", criteria, _make_ticket(submission))
        if answer.value == "fault":
            raise SourceCommunicationFailed("the source did not say whether it recorded the declarations")
        if answer.code == _UNUSABLE:
            _refuse(answer)
        expect(answer, FOUND)
        results = answer.values.get("declarationResults", {}).get("declarationResult", ())
        if [each["sequenceNumber"] for each in results] != list(range(1, len(submission.declarations) + 1)):
            raise SourceAnswerInvalid.giving("answers that are not one for each declaration")
        return self._name_workers(submission, tuple(read_result(each) for each in results))

    def find_employer(self, reference: EmployerReference) -> Employer | None:
        """Ask our own register."""
        return self._find_employer(reference)

    def find_periods(self, search: PeriodSearch, limit: int) -> PeriodPage:
        """Ask for as many pages as `limit` takes, and about one worker after the other; all within one deadline."""
        until = self._source.begin()
        if len(search.ssins) <= 1:
            return self._find_periods(search, limit, until)
        # Two numbers of one person find the same periods.
        found: dict[str, EmploymentPeriod] = {}
        for ssin in search.ssins:
            page = self._find_periods(replace(search, ssins=(ssin,)), limit, until)
            if page.more:
                return page
            found |= {period.period_id: period for period in page.periods}
        periods = sorted(found.values(), key=lambda period: period.period_id)
        return PeriodPage(tuple(periods[:limit]), len(periods) > limit)

    def find_declarations(self, search: DeclarationSearch, limit: int) -> DeclarationPage:
        """Ask for as many pages as `limit` takes, within one deadline."""
        return self._find_declarations(search, limit, self._source.begin())

    def close(self) -> None:
        """Take no more questions."""
        self._source.close()

    def _find_declarations(self, search: DeclarationSearch, limit: int, until: float) -> DeclarationPage:
        def ask(token: str | None) -> RemotePage[RecordedDeclaration]:
            values = self._ask("consultDeclarations", _write_declarations(search, token), search.ssin, until)
            found = values.get("declarations", {}).get("declaration", ())
            return RemotePage(tuple(read_declaration(each) for each in found), values.get(NEXT))

        question = replace(search, after=None)
        items, more = self._pages.read(question, search.after, limit, ask, lambda each: each.number)
        return DeclarationPage(items, more)

    def _name_workers(
        self, submission: Submission, answers: tuple[DeclarationAnswer, ...]
    ) -> tuple[DeclarationAnswer, ...]:
        """Return the answers with their workers, for the audit: those that were not declared by number are asked for.

        What was declared stands whatever comes of that: a worker who cannot be learnt in time is left unnamed.
        """
        until = self._source.begin()
        named: list[DeclarationAnswer] = []
        for answer, declared in zip(answers, submission.declarations, strict=True):
            ssin = declared.ssin or ""
            if not ssin and isinstance(answer, Accepted):
                try:
                    page = self._find_declarations(DeclarationSearch(number=answer.number), 1, until)
                    ssin = next((each.ssin for each in page.declarations if each.number == answer.number), "")
                except (SourceFault, SourceCommunicationFailed) as error:
                    log.warning("worker_not_learnt", source=self._source.guard.name, error=type(error).__name__)
            named.append(replace(answer, ssin=ssin))
        return tuple(named)

    def _find_periods(self, search: PeriodSearch, limit: int, until: float) -> PeriodPage:
        ssin = search.ssins[0] if search.ssins else None

        def ask(token: str | None) -> RemotePage[EmploymentPeriod]:
            values = self._ask("consultPeriods", _write_periods(search, ssin, token), ssin, until)
            found = values.get("employmentPeriods", {}).get("employmentPeriod", ())
            return RemotePage(tuple(read_period(each) for each in found), values.get(NEXT))

        question = replace(search, after=None)
        items, more = self._pages.read(question, search.after, limit, ask, lambda each: each.period_id)
        return PeriodPage(items, more)

    def _ask(self, operation: str, criteria: Values, ssin: str | None, until: float) -> Values:
        """Return the values of a reply; those of one without data when nothing, or nobody, is known."""

        def about(values: Values) -> bool:
            return ssin is None or all(worker == ssin for worker in _workers(values))

        answer = self._source.ask(operation, criteria, about, until)
        try:
            expect(answer, FOUND | {_NO_DATA})
        except SsinUnknownToSource:
            return {}
        return answer.values


def _workers(values: Values) -> list[str | None]:
    items = (
        *values.get("declarations", {}).get("declaration", ()),
        *values.get("employmentPeriods", {}).get("employmentPeriod", ()),
    )
    return [each.get("worker", {}).get("ssin") for each in items]


def _refuse(answer: Answer) -> None:
    """Raise what a criterion that the source cannot use is to the port."""
    field = dict(answer.information).get("field", "")
    if field == TICKET:
        raise TicketReused
    if field.startswith(_EMPLOYER):
        raise EmployerUnknown


def _make_ticket(submission: Submission) -> str:
    return sha256(f"{submission.client}\0{submission.ticket}".encode()).hexdigest()[:32]


def _write_periods(search: PeriodSearch, ssin: str | None, token: str | None) -> Values:
    return present(
        worker=write_worker(ssin, search.worker_name),
        employer=write_employer(search.employer),
        period=_write_days(search.begin, search.end),
        event=search.event.value if search.event else None,
        workerType=list(search.worker_types) or None,
        jointCommittee=list(search.joint_committees) or None,
        usingCompany=search.using_company,
        includeCancelled=search.include_cancelled or None,
        next=token,
    )


def _write_declarations(search: DeclarationSearch, token: str | None) -> Values:
    return present(
        declarationNumber=search.number,
        worker=write_worker(search.ssin, search.worker_name),
        employer=write_employer(search.employer),
        receptionPeriod=_write_days(search.received_from, search.received_until),
        jointCommittee=search.joint_committee,
        workerType=search.worker_type,
        usingCompany=search.using_company,
        next=token,
    )


def _write_days(begin: date | None, end: date | None) -> Values | None:
    return present(beginDate=begin, endDate=end) or None
