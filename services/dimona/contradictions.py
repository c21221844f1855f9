"""How an answer of the personnel file can contradict the question or itself, without personal data."""

from collections.abc import Sequence
from itertools import pairwise

from services.consultation import SourceAnswerInvalid
from services.dimona.period import DeclarationPage, DeclarationSearch, EmploymentPeriod, PeriodPage, PeriodSearch
from services.employer import Employer, EmployerReference


def refuse_declarations(page: DeclarationPage, search: DeclarationSearch) -> None:
    """Raise SourceAnswerInvalid when a declaration is none that was asked."""
    for declaration in page.declarations:
        if search.number not in (None, declaration.number):
            raise SourceAnswerInvalid.giving("a declaration of another number")
        if search.ssin not in (None, declaration.ssin):
            raise SourceAnswerInvalid.giving("a declaration about another SSIN")
        if not _is_of(declaration.employer, search.employer):
            raise SourceAnswerInvalid.giving("a declaration of another employer")
    _refuse_order([declaration.number for declaration in page.declarations], search.after)


def refuse_periods(page: PeriodPage, search: PeriodSearch) -> None:
    """Raise SourceAnswerInvalid when a period is none that was asked."""
    for period in page.periods:
        if search.ssins and period.ssin not in search.ssins:
            raise SourceAnswerInvalid.giving("a period of another SSIN")
        if not _is_of(period.employer, search.employer):
            raise SourceAnswerInvalid.giving("a period with another employer")
        if period.cancelled and not search.include_cancelled:
            raise SourceAnswerInvalid.giving("a cancelled period")
        if not _is_in_time(period, search):
            raise SourceAnswerInvalid.giving("a period outside the time that was asked")
    _refuse_order([period.period_id for period in page.periods], search.after)


def refuse_answers(answers: int, declarations: int) -> None:
    """Raise SourceAnswerInvalid when there is not one answer for each declaration."""
    if answers != declarations:
        raise SourceAnswerInvalid.giving(f"{answers} answers to {declarations} declarations")


def _refuse_order(positions: Sequence[str], after: str | None) -> None:
    if any(first >= second for first, second in pairwise(positions)):
        raise SourceAnswerInvalid.giving("a page out of order")
    if after is not None and positions and positions[0] <= after:
        raise SourceAnswerInvalid.giving("an earlier page")


def _is_of(employer: Employer, reference: EmployerReference | None) -> bool:
    if reference is None:
        return True
    return (
        reference.register in (None, employer.register)
        and reference.registration_number in (None, employer.registration_number)
        and reference.enterprise_number in (None, employer.enterprise_number)
    )


def _is_in_time(period: EmploymentPeriod, search: PeriodSearch) -> bool:
    ends_before = search.begin and period.end_date and period.end_date < search.begin
    return not ends_before and not (search.end and period.begin_date > search.end)
