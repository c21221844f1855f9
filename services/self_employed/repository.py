"""The port behind which the RSVZ stands: `gateway/sources/` has its adapters, the tests have a fake."""

from typing import Protocol

from services.self_employed.career import Career, ContributionAccount


class SelfEmployedRepository(Protocol):
    """Asks the RSVZ.

    Every method may raise `SourceUnavailable` (it cannot be asked now), `SourceAnswerInvalid` (it answered
    what it may not), `SsinUnknownToSource` or `SourceCommunicationFailed` (the exchange broke off).
    """

    def find_career(self, ssin: str) -> Career | None:
        """Return the whole career, affiliations in the source's order, or None when ARZA has no record."""
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
