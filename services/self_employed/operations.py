"""The two operations: what is asked of the RSVZ, what of its answer is told, and which case that is.

Pure functions of a consultation that is already authorised and of the repository. They write no reply
elements themselves (`reply.py`) and decide nothing about who may ask. Faults of the source pass through as
they are raised.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from services.calendar import get_brussels_date, get_quarter, render_quarters
from services.consultation import (
    Consultation,
    Outcome,
    SourceAnswerInvalid,
    SourceUnavailable,
    Values,
)
from services.self_employed.career import (
    Affiliation,
    Career,
    Contribution,
    ContributionAccount,
    MissingDelivery,
)
from services.self_employed.reply import make_career, make_contributions
from services.self_employed.repository import SelfEmployedRepository
from services.subject import make_own_ssin

# What the contract can carry (AffiliationsType, CareerSegmentsType, ContributionsType, NisseReferenceType, and
# StatusType with InformationType).
MAX_AFFILIATIONS = 100
MAX_SEGMENTS = 100
MAX_CONTRIBUTIONS = 40
MAX_REFERENCE_LENGTH = 15
MAX_INFORMATION = 15
MAX_FIELD_LENGTH = 256

_ENTERPRISE_NUMBER = re.compile(r"[01][0-9]{9}")
_QUARTER = re.compile(r"[12][0-9]{3}Q[1-4]")


def consult_career(consultation: Consultation, repository: SelfEmployedRepository) -> Outcome:
    """Answer with the career segments that overlap the period asked; without a period, with all of them.

    A segment is told whole, not cut to the period: its dates are facts of ARZA, and a cut date would be taken
    for one. An affiliation without a segment left is not told. An open period reaches as far as there are
    segments. A period may end in the future (segments can), but not begin there: nothing can be known of it.
    """
    criteria = consultation.values["criteria"]
    if not _is_pcsa_where_needed(consultation, repository):
        return Outcome("not_a_pcsa", information=_customer_fields(consultation))
    period = criteria.get("period")
    begin, end = (period["beginDate"], period.get("endDate")) if period else (date.min, None)
    if begin > get_brussels_date(consultation.now) or (end is not None and begin > end):
        return Outcome("period_invalid", information=_given_fields(period, ("beginDate", "endDate")))
    career = repository.find_career(criteria["ssin"], begin, end)
    if career is None:
        return Outcome("no_data")
    _refuse(_find_career_contradiction(career, criteria["ssin"]))
    affiliations = tuple(_overlapping(career.affiliations, begin, end))
    if not affiliations:
        return Outcome("nothing_in_period")
    if len(affiliations) > MAX_AFFILIATIONS:
        return _too_large("affiliation", MAX_AFFILIATIONS, "criteria/period")
    if any(len(affiliation.career_segments) > MAX_SEGMENTS for affiliation in affiliations):
        return _too_large("careerSegment", MAX_SEGMENTS, "criteria/period")
    return Outcome("data_found", {"ssin": make_own_ssin(criteria["ssin"]), "career": make_career(career, affiliations)})


def consult_contributions(consultation: Consultation, repository: SelfEmployedRepository) -> Outcome:
    """Answer with what each fund concerned says of each quarter asked, by quarter, then by fund.

    A period without end quarter ends with the current quarter, and one that ends later is asked up to the
    current quarter: later contributions are not due. A fund that did not answer makes the whole answer
    unavailable, for this contract has no partial one. Too many contributions are refused with the last end
    quarter whose answer would fit.
    """
    criteria = consultation.values["criteria"]
    if not _is_pcsa_where_needed(consultation, repository):
        return Outcome("not_a_pcsa", information=_customer_fields(consultation))
    period, current = criteria["period"], get_quarter(get_brussels_date(consultation.now))
    begin, end = period["beginQuarter"], min(period.get("endQuarter", current), current)
    if begin > end:
        return Outcome("quarter_invalid", information=_given_fields(period, ("beginQuarter", "endQuarter")))
    account = repository.find_contributions(criteria["ssin"], begin, end)
    if account is None:
        return Outcome("no_data")
    if account.missing:
        raise SourceUnavailable("a social insurance fund gave no answer", _missing_fields(account.missing))
    _refuse(_find_account_contradiction(account, criteria["ssin"], begin, end))
    contributions = sorted(account.contributions, key=lambda told: (told.quarter, told.social_insurance_fund))
    if not contributions:
        return Outcome("nothing_in_period")
    if len(contributions) > MAX_CONTRIBUTIONS:
        return _too_large("contribution", MAX_CONTRIBUTIONS, "criteria/period", _last_quarter_that_fits(contributions))
    data = {"ssin": make_own_ssin(criteria["ssin"]), "contributions": make_contributions(contributions)}
    return Outcome("data_found", data)


def _is_pcsa_where_needed(consultation: Consultation, repository: SelfEmployedRepository) -> bool:
    """Only organisations that the RSVZ knows as PCSA may ask under a legal context of PCSAs."""
    if not consultation.values["legalContext"].startswith("PCSA:"):
        return True
    cbe_number = _customer(consultation).get("cbeNumber")
    return cbe_number is not None and repository.is_pcsa(cbe_number)


def _customer(consultation: Consultation) -> Values:
    customer: Values = consultation.values["informationCustomer"]["customerIdentification"]
    return customer


def _customer_fields(consultation: Consultation) -> tuple[tuple[str, str], ...]:
    return _given_fields(_customer(consultation), ("cbeNumber", "sector", "institution"))


def _given_fields(values: Values, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(values[name])) for name in names if values.get(name) is not None)


def _find_career_contradiction(career: Career, ssin: str) -> str | None:
    """Say how a record contradicts the question or itself, without personal data."""
    if career.ssin != ssin:
        return "a career of another SSIN"
    if not career.affiliations or any(not told.career_segments for told in career.affiliations):
        return "a career or an affiliation without segments"
    segments = (segment for affiliation in career.affiliations for segment in affiliation.career_segments)
    if any(segment.end_date is not None and segment.end_date < segment.begin_date for segment in segments):
        return "a segment that ends before it begins"
    number = career.self_employed_enterprise_number
    if number is not None and _ENTERPRISE_NUMBER.fullmatch(number) is None:
        return "an enterprise number that is none"
    if len(career.nisse_reference) > MAX_REFERENCE_LENGTH:
        return "a reference longer than the contract carries"
    return None


def _find_account_contradiction(account: ContributionAccount, ssin: str, begin: str, end: str) -> str | None:
    if account.ssin != ssin:
        return "an account of another SSIN"
    if any(not begin <= told.quarter <= end for told in account.contributions):
        return "a quarter that was not asked"
    if any(_QUARTER.fullmatch(told.quarter) is None for told in account.contributions):
        return "a quarter that is none"
    return None


def _refuse(contradiction: str | None) -> None:
    if contradiction is not None:
        raise SourceAnswerInvalid.giving(contradiction)


def _overlapping(affiliations: Iterable[Affiliation], begin: date, end: date | None) -> Iterable[Affiliation]:
    for affiliation in affiliations:
        segments = tuple(segment for segment in affiliation.career_segments if segment.overlaps(begin, end))
        if segments:
            yield replace(affiliation, career_segments=segments)


def _missing_fields(missing: Iterable[MissingDelivery]) -> tuple[tuple[str, str], ...]:
    """Name each fund with its quarters; all funds together where a status has too few fields for that."""
    quarters: dict[str, list[str]] = {}
    for delivery in missing:
        quarters.setdefault(delivery.social_insurance_fund, []).append(delivery.quarter)
    if 2 * len(quarters) > MAX_INFORMATION:
        together = [quarter for asked in quarters.values() for quarter in asked]
        quarters = {", ".join(sorted(quarters))[:MAX_FIELD_LENGTH]: together}
    return tuple(
        field
        for fund, asked in sorted(quarters.items())
        for field in (
            ("socialInsuranceFund", fund),
            ("quarters", render_quarters(asked, MAX_FIELD_LENGTH)),
        )
    )


def _last_quarter_that_fits(ordered: list[Contribution]) -> str | None:
    """Return the last quarter that the answer can hold whole, or None when the first alone is too much."""
    first_left_out = ordered[MAX_CONTRIBUTIONS].quarter
    fitting = [told.quarter for told in ordered[:MAX_CONTRIBUTIONS] if told.quarter < first_left_out]
    return fitting[-1] if fitting else None


def _too_large(element: str, maximum: int, narrow: str, end_quarter: str | None = None) -> Outcome:
    fields = (("element", element), ("maximum", str(maximum)), ("narrow", narrow))
    return Outcome("result_too_large", information=(*fields, ("endQuarter", end_quarter)) if end_quarter else fields)
