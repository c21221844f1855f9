"""The rules that a declaration must keep: one small predicate each, true when it is broken.

A rule's name is its row in `anomalies.yaml`. Rules look at the declaration, at what the registers know of the worker,
and at the period as it would become; what depends on a worker type or a form of occupation is data, `codes.yaml`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.calendar import get_brussels_date, get_quarter
from services.dimona.anomalies import ANOMALIES
from services.dimona.codes import OCCUPATION_FORMS, WORKER_TYPES, CodeRow, WorkerType, is_joint_committee, is_retired
from services.dimona.declaration import OPEN_END, Action, Anomaly, Declaration
from services.dimona.period import EmploymentPeriod
from services.dimona.worker import Person, Standing
from services.employer_numbers import has_valid_enterprise_check_digits

EARLIEST_BEGIN = date(1999, 1, 1)
FURTHEST_BEGIN = timedelta(days=366)
PLANNED_HOURS = range(1, 1000)


@dataclass(frozen=True, slots=True)
class Case:
    """A declaration before its judge.

    `period` is the employer's period that it names, None when there is none. `candidates` are the persons whom it can
    mean: for an IN, those of its SSIN or its identity; for the others, the one of the SSIN that it may say.
    `worker` is the one that it is about, None when that cannot be told. `result` is the period as the declaration
    would leave it, None when nothing is to be judged of it; `others` are the worker's other periods with this employer.
    """

    declaration: Declaration
    received_at: datetime
    period: EmploymentPeriod | None
    candidates: tuple[Person, ...]
    worker: Person | None
    result: EmploymentPeriod | None
    others: tuple[EmploymentPeriod, ...]

    @property
    def worker_type(self) -> WorkerType | None:
        """What the worker type demands of the result."""
        return WORKER_TYPES.get(self.result.features.worker_type) if self.result else None

    @property
    def form(self) -> CodeRow | None:
        """What the form of occupation demands of the result, where the worker type has it."""
        form = self.result.features.occupation_form if self.result else None
        return OCCUPATION_FORMS[form] if form and self.worker_type and form in self.worker_type.forms else None

    @property
    def span(self) -> str | None:
        """The time inside which the result must lie: `day`, `quarter`, or None."""
        return next((row.span for row in (self.form, self.worker_type) if row and row.span), None)

    @property
    def hours(self) -> str | None:
        """Whether the result must have hours of the day (`required`), may not (`none`), or may (None)."""
        return self.form.hours if self.form else None


Rule = Callable[[Case], bool]


def find_anomalies(case: Case) -> tuple[Anomaly, ...]:
    """Return an anomaly for each rule that is broken, in the order of the fields.

    What the registers know of the worker is told only when nothing else is wrong: otherwise a declaration that can
    never be accepted would ask, without a trace in any file, who exists and who died when.
    """
    broken = [rule for rule in RULES if rule(case)]
    of_itself = [rule for rule in broken if rule not in RULES_OF_REGISTERS]
    rows = (ANOMALIES[rule.__name__] for rule in of_itself or broken)
    return tuple(Anomaly(row.code, row.field) for row in rows)


def period_unknown(case: Case) -> bool:
    return case.declaration.action is not Action.IN and case.period is None


def period_cancelled(case: Case) -> bool:
    return case.period is not None and case.period.cancelled


def period_retired(case: Case) -> bool:
    return case.period is not None and is_retired(case.period.features.worker_type)


def ssin_malformed(case: Case) -> bool:
    return _begins_for(case, Standing.MALFORMED)


def ssin_unknown(case: Case) -> bool:
    return _begins_for(case, Standing.UNKNOWN)


def ssin_cancelled(case: Case) -> bool:
    return _begins_for(case, Standing.CANCELLED)


def _begins_for(case: Case, standing: Standing) -> bool:
    """Tell whether it is an IN for an SSIN that is worth so much; later declarations must only name the same worker."""
    return case.declaration.action is Action.IN and [each.standing for each in case.candidates] == [standing]


def ssin_of_another(case: Case) -> bool:
    return case.period is not None and any(each.ssin != case.worker.ssin for each in case.candidates if case.worker)


def worker_unknown(case: Case) -> bool:
    return case.declaration.identity is not None and not case.candidates


def worker_ambiguous(case: Case) -> bool:
    return case.declaration.identity is not None and len(case.candidates) > 1


def worker_type_unknown(case: Case) -> bool:
    return case.result is not None and case.worker_type is None


def worker_type_retired(case: Case) -> bool:
    return case.worker_type is not None and not case.worker_type.declarable


def joint_committee_malformed(case: Case) -> bool:
    return case.result is not None and not is_joint_committee(case.result.features.joint_committee)


def form_missing(case: Case) -> bool:
    if case.result is None or case.worker_type is None:
        return False
    return bool(case.worker_type.forms) and case.result.features.occupation_form is None


def form_not_allowed(case: Case) -> bool:
    if case.result is None or case.worker_type is None or case.result.features.occupation_form is None:
        return False
    return case.result.features.occupation_form not in case.worker_type.forms


def using_company_malformed(case: Case) -> bool:
    using = case.result.features.using_company if case.result else None
    if using is None or using.enterprise_number is None:
        return False
    return not has_valid_enterprise_check_digits(using.enterprise_number)


def using_committee_malformed(case: Case) -> bool:
    using = case.result.features.using_company if case.result else None
    return using is not None and using.joint_committee is not None and not is_joint_committee(using.joint_committee)


def begin_too_early(case: Case) -> bool:
    return case.result is not None and case.result.begin_date < EARLIEST_BEGIN


def begin_too_far(case: Case) -> bool:
    return case.result is not None and case.result.begin_date > get_brussels_date(case.received_at) + FURTHEST_BEGIN


def worker_deceased(case: Case) -> bool:
    if case.result is None or case.worker is None or case.worker.deceased_on is None:
        return False
    return case.worker.deceased_on < case.result.begin_date


def employer_struck_off(case: Case) -> bool:
    """Nobody begins with an employer that is no more; what began may still end, change and be undone."""
    result = case.result
    if result is None or result.employer.deletion_date is None:
        return False
    begins_later = case.period is None or result.begin_date > case.period.begin_date
    return begins_later and result.begin_date > result.employer.deletion_date


def periods_overlap(case: Case) -> bool:
    result = case.result
    return result is not None and any(
        not other.cancelled and other.features.worker_type == result.features.worker_type and overlap(other, result)
        for other in case.others
    )


def overlap(one: EmploymentPeriod, other: EmploymentPeriod) -> bool:
    """Tell whether two periods share time: by the day, or by the hour where both say it."""
    return _begins_before_end(one, other) and _begins_before_end(other, one)


def _begins_before_end(one: EmploymentPeriod, other: EmploymentPeriod) -> bool:
    if other.end_date is None or one.begin_date != other.end_date:
        return other.end_date is None or one.begin_date < other.end_date
    return one.begin_hour is None or other.end_hour is None or one.begin_hour < other.end_hour


def begin_hour_missing(case: Case) -> bool:
    return case.result is not None and case.hours == "required" and case.result.begin_hour is None


def begin_hour_not_allowed(case: Case) -> bool:
    return case.result is not None and case.hours == "none" and case.result.begin_hour is not None


def end_before_begin(case: Case) -> bool:
    if case.result is None or case.result.end_date is None:
        return False
    return case.result.end_date < case.result.begin_date


def only_update_reopens(case: Case) -> bool:
    return case.declaration.end_date == OPEN_END and case.declaration.action is not Action.UPDATE


def end_missing(case: Case) -> bool:
    return case.result is not None and case.span is not None and case.result.end_date is None


def spans_days(case: Case) -> bool:
    if case.result is None or case.result.end_date is None or case.span != "day":
        return False
    return case.result.end_date != case.result.begin_date


def spans_quarters(case: Case) -> bool:
    if case.result is None or case.result.end_date is None or case.span != "quarter":
        return False
    return get_quarter(case.result.end_date) != get_quarter(case.result.begin_date)


def end_hour_missing(case: Case) -> bool:
    return case.result is not None and case.hours == "required" and case.result.end_hour is None


def end_hour_not_allowed(case: Case) -> bool:
    return case.result is not None and case.hours == "none" and case.result.end_hour is not None


def end_hour_without_date(case: Case) -> bool:
    return case.result is not None and case.result.end_hour is not None and case.result.end_date is None


def end_hour_before_begin(case: Case) -> bool:
    """On the day of the begin the end lies later; a period that takes no time is none."""
    result = case.result
    if result is None or result.begin_hour is None or result.end_hour is None:
        return False
    return result.end_date == result.begin_date and result.end_hour <= result.begin_hour


def planned_hours_missing(case: Case) -> bool:
    if case.result is None or case.worker_type is None:
        return False
    return case.worker_type.planned_hours and case.result.planned_hours is None


def planned_hours_out_of_range(case: Case) -> bool:
    hours = case.result.planned_hours if case.result else None
    return hours is not None and hours not in PLANNED_HOURS


RULES: tuple[Rule, ...] = (
    period_unknown,
    period_cancelled,
    period_retired,
    ssin_malformed,
    ssin_unknown,
    ssin_cancelled,
    ssin_of_another,
    worker_unknown,
    worker_ambiguous,
    worker_type_unknown,
    worker_type_retired,
    joint_committee_malformed,
    form_missing,
    form_not_allowed,
    using_company_malformed,
    using_committee_malformed,
    begin_too_early,
    begin_too_far,
    worker_deceased,
    employer_struck_off,
    periods_overlap,
    begin_hour_missing,
    begin_hour_not_allowed,
    end_before_begin,
    only_update_reopens,
    end_missing,
    spans_days,
    spans_quarters,
    end_hour_missing,
    end_hour_not_allowed,
    end_hour_without_date,
    end_hour_before_begin,
    planned_hours_missing,
    planned_hours_out_of_range,
)

RULES_OF_REGISTERS = frozenset({ssin_unknown, ssin_cancelled, worker_unknown, worker_ambiguous, worker_deceased})
"""Those that tell what the registers know of a person, and not what is wrong with the declaration itself."""
