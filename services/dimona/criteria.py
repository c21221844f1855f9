"""Reads the criteria of the three consultations, and says what in them cannot be used.

The XSD has judged each value by itself; here are the rules that no schema can hold.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.consultation import Consultation, Values
from services.criterion import UnusableCriterion
from services.dimona.period import DeclarationSearch, Event, PeriodSearch, WorkerName
from services.employer import EmployerReference, read_reference
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits
from services.paging import NEXT, PageTokens, get_scope

_CHECK_DIGITS: Mapping[str, Callable[[str], bool]] = {
    "employer/nssoRegistrationNumber": has_valid_nsso_check_digits,
    "employer/nssoPpoRegistrationNumber": has_valid_nsso_check_digits,
    "employer/enterpriseNumber": has_valid_enterprise_check_digits,
    "usingCompany": has_valid_enterprise_check_digits,
}

_Rule = Callable[[Values], UnusableCriterion | None]


def read_declaration_search(consultation: Consultation, tokens: PageTokens) -> DeclarationSearch | UnusableCriterion:
    """Return which declarations to search, or the first criterion that cannot be used."""
    criteria = consultation.values["criteria"]
    fault = _find_fault(
        criteria, _one_of("declarationNumber", "worker", "employer", "usingCompany"), _in_order("receptionPeriod")
    )
    if fault is not None:
        return fault
    after = _read_next(consultation, tokens)
    if isinstance(after, UnusableCriterion):
        return after
    period = criteria.get("receptionPeriod", {})
    return DeclarationSearch(
        number=criteria.get("declarationNumber"),
        ssin=criteria.get("worker", {}).get("ssin"),
        worker_name=_read_worker_name(criteria),
        employer=read_employer(criteria),
        received_from=period.get("beginDate"),
        received_until=period.get("endDate"),
        joint_committee=criteria.get("jointCommittee"),
        worker_type=criteria.get("workerType"),
        using_company=criteria.get("usingCompany"),
        after=after,
    )


def read_period_search(consultation: Consultation, tokens: PageTokens) -> PeriodSearch | UnusableCriterion:
    """Return which periods to search, or the first criterion that cannot be used."""
    criteria = consultation.values["criteria"]
    fault = _find_fault(criteria, _one_of("worker", "employer", "usingCompany"), _in_order("period"), _event_in_time)
    if fault is not None:
        return fault
    after = _read_next(consultation, tokens)
    if isinstance(after, UnusableCriterion):
        return after
    ssin = criteria.get("worker", {}).get("ssin")
    period = criteria.get("period", {})
    return PeriodSearch(
        ssins=(ssin,) if ssin else (),
        worker_name=_read_worker_name(criteria),
        employer=read_employer(criteria),
        begin=period.get("beginDate"),
        end=period.get("endDate"),
        event=Event(criteria["event"]) if "event" in criteria else None,
        worker_types=tuple(criteria.get("workerType", ())),
        joint_committees=tuple(criteria.get("jointCommittee", ())),
        using_company=criteria.get("usingCompany"),
        include_cancelled=criteria.get("includeCancelled", False),
        after=after,
    )


def read_check(consultation: Consultation) -> PeriodSearch | UnusableCriterion:
    """Return in which periods the workers would be in service, or the first criterion that cannot be used."""
    criteria = consultation.values["criteria"]
    fault = _find_fault(criteria, _in_order("period"))
    if fault is not None:
        return fault
    period = criteria["period"]
    return PeriodSearch(
        ssins=tuple(dict.fromkeys(criteria["worker"]["ssin"])),
        employer=read_employer(criteria),
        begin=period["beginDate"],
        end=period["endDate"],
    )


def read_employer(criteria: Values) -> EmployerReference | None:
    """Return how the criteria name the employer, None when they name none."""
    employer = criteria.get("employer")
    return None if employer is None else read_reference(employer)


def find_number_fault(criteria: Values) -> UnusableCriterion | None:
    """Say which number of an employer or of a using company is missing or has wrong check digits."""
    employer = criteria.get("employer")
    if employer == {}:
        return UnusableCriterion("criteria/employer", "names no employer: give one number at least")
    numbers = {f"employer/{name}": number for name, number in (employer or {}).items()}
    if "usingCompany" in criteria:
        numbers["usingCompany"] = criteria["usingCompany"]
    for path, number in numbers.items():
        if not _CHECK_DIGITS[path](number):
            return UnusableCriterion(f"criteria/{path}", "has wrong check digits")
    return None


def _find_fault(criteria: Values, *rules: _Rule) -> UnusableCriterion | None:
    faults = (find(criteria) for find in (*rules, find_number_fault))
    return next((fault for fault in faults if fault is not None), None)


def _one_of(*names: str) -> _Rule:
    def find(criteria: Values) -> UnusableCriterion | None:
        if any(name in criteria for name in names):
            return None
        return UnusableCriterion("criteria", f"names nothing to search by: give one at least of {', '.join(names)}")

    return find


def _in_order(name: str) -> _Rule:
    def find(criteria: Values) -> UnusableCriterion | None:
        period = criteria.get(name, {})
        if "endDate" not in period or period["beginDate"] <= period["endDate"]:
            return None
        return UnusableCriterion(f"criteria/{name}/endDate", "lies before beginDate")

    return find


def _event_in_time(criteria: Values) -> UnusableCriterion | None:
    if "event" not in criteria or "period" in criteria:
        return None
    return UnusableCriterion("criteria/period", "is missing: an event is searched in a period")


def _read_next(consultation: Consultation, tokens: PageTokens) -> str | UnusableCriterion | None:
    token: Any = consultation.values["criteria"].get(NEXT)
    if token is None:
        return None
    return tokens.find_position(get_scope(consultation), token) or UnusableCriterion(
        f"criteria/{NEXT}", "is no page of this question; repeat the question that gave it, or leave it out"
    )


def _read_worker_name(criteria: Values) -> WorkerName | None:
    worker = criteria.get("worker", {})
    if "name" not in worker:
        return None
    return WorkerName(worker["name"], worker["firstName"], worker.get("birthDate"))
