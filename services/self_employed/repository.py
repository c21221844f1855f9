"""The port behind which the RSVZ stands: `gateway/sources/` has its adapters, the tests have a fake."""

from datetime import date
from typing import Protocol

from services.consultation import SourceFault
from services.self_employed.career import Career, ContributionAccount


class NothingInPeriod(SourceFault):
    """The source knows the person, and says that it has nothing in the period."""

    case = "nothing_in_period"


class CareerTooLarge(SourceFault):
    """The source has more of the period than it can tell."""

    case = "result_too_large"

    def __init__(self, element: str, maximum: int) -> None:
        fields = (("element", element), ("maximum", str(maximum)), ("narrow", "criteria/period"))
        super().__init__("the source has more than it can tell", fields)


class SelfEmployedRepository(Protocol):
    """Asks the RSVZ.

    Every method may raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered
    what it may not), `SsinUnknownToSource` or `SourceCommunicationFailed` (the exchange broke off).
    """

    def find_career(self, ssin: str, begin: date = date.min, end: date | None = None) -> Career | None:
        """Return the career, affiliations in the source's order, or None when ARZA has no record.

        What does not overlap the days from `begin` to `end` may be left out: a source that is not ours is not asked
        for it. Such a one may raise `NothingInPeriod` or `CareerTooLarge`.
        """
        ...

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Ask, for each quarter from `begin` to `end`, the funds concerned.

        Return None when no fund ever kept an account of the person. A fund that should have answered and did
        not stands in `missing` with each quarter concerned; only the quarters asked count.
        """
        ...

    def is_pcsa(self, cbe_number: str) -> bool:
        """Say whether the RSVZ knows the organisation as a public centre for social action."""
        ...
