"""The four operations: what is recorded, which page is told, and which case that is.

Functions of a consultation that is already authorised and of the ports. They decide nothing about who may ask.
Faults of the source pass through as they are raised.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from services.consultation import Consultation, Outcome
from services.criterion import UnusableCriterion
from services.dimona.contradictions import refuse_answers, refuse_declarations, refuse_periods
from services.dimona.criteria import read_check, read_declaration_search, read_period_search
from services.dimona.period import EmploymentPeriod
from services.dimona.reply import make_check, make_declarations, make_periods, make_results
from services.dimona.repository import DimonaRepository, EmployerUnknown, TicketReused
from services.dimona.submission import TICKET, read_submission
from services.paging import NEXT, PageTokens, get_scope

# What one reply holds, as the contract has it.
PAGE = 25
MOST_CHECKED = 500

_EMPLOYER_UNKNOWN = UnusableCriterion(
    "criteria/employer", "is no employer of the register, or not one alone: give its registration number"
)


def submit_declarations(consultation: Consultation, repository: DimonaRepository) -> Outcome:
    """Judge and record the declarations of one message; each is answered by itself."""
    submission = read_submission(consultation)
    if isinstance(submission, UnusableCriterion):
        return submission.to_outcome()
    try:
        answers = repository.submit(submission)
    except EmployerUnknown:
        return _EMPLOYER_UNKNOWN.to_outcome()
    except TicketReused:
        return UnusableCriterion(TICKET, "was used before, for other declarations: choose another").to_outcome()
    refuse_answers(len(answers), len(submission.declarations))
    # Who is declared by identity, or by the period alone, is known from the answer only.
    concerned = dict.fromkeys(each.ssin for each in (*submission.declarations, *answers) if each.ssin)
    return Outcome("data_found", {"declarationResults": make_results(answers)}, concerned=tuple(concerned))


def consult_declarations(consultation: Consultation, repository: DimonaRepository, tokens: PageTokens) -> Outcome:
    """Answer with a page of the declarations that meet every criterion, by number."""
    search = read_declaration_search(consultation, tokens)
    if isinstance(search, UnusableCriterion):
        return search.to_outcome()
    page = repository.find_declarations(search, PAGE)
    refuse_declarations(page, search)
    if not page.declarations:
        return Outcome("no_data")
    data: dict[str, Any] = {"declarations": make_declarations(page.declarations)}
    if not page.more:
        return Outcome("data_found", data)
    return _page_found(data, tokens.issue(get_scope(consultation), page.declarations[-1].number))


def consult_periods(consultation: Consultation, repository: DimonaRepository, tokens: PageTokens) -> Outcome:
    """Answer with a page of the periods that meet every criterion, by their ids."""
    search = read_period_search(consultation, tokens)
    if isinstance(search, UnusableCriterion):
        return search.to_outcome()
    page = repository.find_periods(search, PAGE)
    refuse_periods(page, search)
    if not page.periods:
        return Outcome("no_data")
    data: dict[str, Any] = {"employmentPeriods": make_periods(page.periods)}
    if not page.more:
        return Outcome("data_found", data)
    return _page_found(data, tokens.issue(get_scope(consultation), page.periods[-1].period_id))


def check_employment(consultation: Consultation, repository: DimonaRepository) -> Outcome:
    """Answer for each worker, in the order of the request, whether and in which periods he was in service.

    The employer must be one alone: of an enterprise with two registrations nobody could tell who did not employ.
    """
    search = read_check(consultation)
    if isinstance(search, UnusableCriterion):
        return search.to_outcome()
    if search.employer is None or repository.find_employer(search.employer) is None:
        return _EMPLOYER_UNKNOWN.to_outcome()
    page = repository.find_periods(search, MOST_CHECKED)
    refuse_periods(page, search)
    if page.more:
        reason = f"holds more than {MOST_CHECKED} employments of these workers: ask a shorter time, or fewer workers"
        return UnusableCriterion("criteria/period", reason).to_outcome()
    period = consultation.values["criteria"]["period"]
    found = {ssin: [each for each in page.periods if each.ssin == ssin] for ssin in search.ssins}
    checks = [
        make_check(ssin, periods, throughout=_covers(periods, period["beginDate"], period["endDate"]))
        for ssin, periods in found.items()
    ]
    return Outcome("data_found", {"employmentChecks": {"employmentCheck": checks}})


def _page_found(data: dict[str, Any], token: str) -> Outcome:
    information = (("next", "more may follow: ask again with this value in criteria"),)
    return Outcome("page_found", {**data, NEXT: token}, information)


def _covers(periods: Iterable[EmploymentPeriod], begin: date, end: date) -> bool:
    """Tell whether every day from `begin` to `end` lies in one of the periods."""
    for period in sorted(periods, key=lambda each: each.begin_date):
        if period.begin_date > begin:
            return False
        if period.end_date is None or period.end_date >= end:
            return True
        begin = max(begin, period.end_date + timedelta(days=1))
    return False
