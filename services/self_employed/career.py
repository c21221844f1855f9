"""What the RSVZ knows of a self-employed person, as values: the ARZA career and the contribution accounts.

Names follow the XSD. Codes are carried as the source gave them, known to our code tables or not; `reply.py`
judges them. Dates are inclusive, calendar dates of Belgium; an absent end is an open period.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one quality and one kind of contribution; `equality` says why it is assimilated."""

    begin_date: date
    end_date: date | None
    self_employed_quality: int
    contribution: int
    equality: int | None = None

    def overlaps(self, begin: date, end: date | None) -> bool:
        """Say whether at least one day of the segment lies in the period."""
        return (end is None or self.begin_date <= end) and (self.end_date is None or begin <= self.end_date)


@dataclass(frozen=True, slots=True)
class Affiliation:
    """The membership of one social insurance fund, named by its three-digit code."""

    social_insurance_fund: str
    signature_date: date | None
    career_segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Career:
    """One person's record in ARZA."""

    ssin: str
    nisse_reference: str
    self_employed_enterprise_number: str | None
    occupation: str | None
    affiliations: tuple[Affiliation, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one fund says of one quarter; `ziv` tells the right to health insurance, where known."""

    quarter: str
    social_insurance_fund: str
    contribution_situation: str
    ziv: int | None = None


@dataclass(frozen=True, slots=True)
class MissingDelivery:
    """A quarter for which the fund concerned gave no answer."""

    quarter: str
    social_insurance_fund: str


@dataclass(frozen=True, slots=True)
class ContributionAccount:
    """The answers of the funds concerned about the quarters asked; empty when they have none in these."""

    ssin: str
    contributions: tuple[Contribution, ...]
    missing: tuple[MissingDelivery, ...] = ()
