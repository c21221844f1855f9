"""Since when and until when another enterprise may act for an employer: the days of mandates and affiliations."""

from collections.abc import Iterator
from datetime import date

from authz.brussels import find_quarter, quarter_begin, quarter_end
from authz.user_management.model import Affiliation, EnterpriseAccount, Mandate

Days = tuple[date, date]
"""First and last day, both included; a last day before the first holds on no day at all."""


def quarter_days(begin_quarter: str, end_quarter: str | None) -> Days | None:
    """Return the days from one quarter to another, `date.max` where it is open; None unless both are quarters."""
    begin = find_quarter(begin_quarter)
    end = find_quarter(end_quarter) if end_quarter is not None else None
    if begin is None or (end is None and end_quarter is not None):
        return None
    return quarter_begin(*begin), quarter_end(*end) if end else date.max


def mandate_days(mandate: Mandate) -> Days:
    """Return the days of a mandate: of its quarters, or up to the last day that was reported."""
    days = quarter_days(mandate.begin_quarter, mandate.end_quarter)
    if days is None:
        raise ValueError("a mandate runs from quarter to quarter")
    return days[0], min(days[1], mandate.ended_on or date.max)


def affiliation_days(affiliation: Affiliation) -> Days:
    """Return the days of an affiliation."""
    return affiliation.begin, affiliation.end or date.max


def overlap(one: Days, other: Days) -> bool:
    """Tell whether two periods share a day; a period that ends before it begins has none."""
    return max(one[0], other[0]) <= min(one[1], other[1])


def mandates_of(account: EnterpriseAccount, mandatary: str) -> Iterator[Mandate]:
    """Yield what the employer mandated this enterprise for."""
    return (mandate for mandate in account.mandates.values() if mandate.mandatary == mandatary)
