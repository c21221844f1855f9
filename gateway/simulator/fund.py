"""One social insurance fund: of what the RSVZ's register holds, the accounts that this fund keeps, and nothing else."""

from datetime import date

from services.self_employed.career import Career, ContributionAccount
from services.self_employed.repository import SelfEmployedRepository

_FIRST, _LAST = "1000Q1", "2999Q4"


class FundAccounts:
    """Implements `services.self_employed.repository` for one fund, by its code."""

    def __init__(self, register: SelfEmployedRepository, code: str) -> None:
        self._register = register
        self._code = code

    def find_career(self, ssin: str, begin: date = date.min, end: date | None = None) -> Career | None:
        """Return None: careers are the RSVZ's."""
        return None

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Return what this fund says; None when it never kept an account of the person."""
        asked = self._find(ssin, begin, end)
        if asked is not None:
            return asked
        return ContributionAccount(ssin, ()) if self._find(ssin, _FIRST, _LAST) else None

    def is_pcsa(self, cbe_number: str) -> bool:
        """Return False: the list of PCSAs is the RSVZ's."""
        return False

    def _find(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        account = self._register.find_contributions(ssin, begin, end)
        if account is None:
            return None
        kept = tuple(each for each in account.contributions if each.social_insurance_fund == self._code)
        missing = tuple(each for each in account.missing if each.social_insurance_fund == self._code)
        return ContributionAccount(ssin, kept, missing) if kept or missing else None
