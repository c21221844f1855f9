"""Integration control: does an organisation have a person in its file on the days that matter?

Values of the repertory of persons and the rule on them. No I/O; whoever asks brings the facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from authz.annex import IntegrationRule
from authz.brussels import shift_days


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a request is about; without an end, up to today."""

    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Inscription:
    """A person stands in an organisation's file (`organisation` is its key), from day to day."""

    organisation: str
    context: str
    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the repertory of persons says. Inscriptions are those of the requested number or of its successor.

    `supplier_inscriptions` is None where the service has no supplier to check.
    """

    known: bool
    cancelled: bool = False
    replaced_by: str | None = field(default=None, repr=False)
    deceased_on: date | None = None
    client_inscriptions: tuple[Inscription, ...] = ()
    supplier_inscriptions: tuple[Inscription, ...] | None = None


def days_that_count(rule: IntegrationRule, period: Period | None, today: date) -> tuple[date, date]:
    """Return the first and last day of which one must be inscribed: the period, or today, with the tolerance."""
    begin = period.begin if period else today
    end = (period.end if period else None) or today
    return shift_days(begin, -rule.days_before), shift_days(end, rule.days_after)


def is_integrated(
    rule: IntegrationRule, organisation: str, inscriptions: Iterable[Inscription], days: tuple[date, date]
) -> bool:
    """Tell whether one of the inscriptions puts the person in the file of the organisation (its key) on those days."""
    begin, end = days
    return any(
        inscription.organisation == organisation
        and inscription.context in rule.contexts
        and inscription.begin <= end
        and (inscription.end is None or inscription.end >= begin)
        for inscription in inscriptions
    )
