"""The RSVZ as a broker: it asks the social insurance funds concerned side by side, each at its own service.

Implements `services.self_employed.repository`. Careers and the list of PCSAs are the register's own. Which fund keeps
the account of which quarter, the register knows; what the account says, the fund alone.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import date
from typing import Protocol

import structlog

from services.consultation import (
    SourceAnswerInvalid,
    SourceCommunicationFailed,
    SourceUnavailable,
    SsinUnknownToSource,
)
from services.self_employed.career import Career, Contribution, ContributionAccount, MissingDelivery
from services.self_employed.repository import SelfEmployedRepository

log = structlog.get_logger(__name__)

FundsConcerned = Callable[[str, str, str], Mapping[str, tuple[str, ...]] | None]
"""Returns, for an SSIN and quarters from begin to end, the quarters by fund; None when no fund ever kept an account."""


class FundAccounts(Protocol):
    """What a broker asks of a fund."""

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Return what the fund says of its quarters."""
        ...

    def close(self) -> None:
        """Take no more questions."""
        ...


class FundsBroker:
    """Asks all funds concerned at once, and merges what they say; the rest is asked of the register."""

    def __init__(
        self,
        register: SelfEmployedRepository,
        find_funds: FundsConcerned,
        funds: Mapping[str, FundAccounts],
        deadline_seconds: float,
        questions: int,
    ) -> None:
        """A fund answers within `deadline_seconds`; so many `questions` at a time may ask every fund."""
        self._register = register
        self._find_funds = find_funds
        self._funds = funds
        # What a fund needs to say that it was too late is added: its own deadline comes first.
        self._patience = deadline_seconds + 0.5
        self._pool = ThreadPoolExecutor(max(1, len(funds)) * questions, thread_name_prefix="funds")

    def probe(self) -> None:
        """Ask for nobody: return if the register answers. Each fund is measured by itself."""
        probe = getattr(self._register, "probe", None)
        if probe is not None:
            probe()

    def find_career(self, ssin: str, begin: date = date.min, end: date | None = None) -> Career | None:
        """Ask the register."""
        return self._register.find_career(ssin, begin, end)

    def is_pcsa(self, cbe_number: str) -> bool:
        """Ask the register."""
        return self._register.is_pcsa(cbe_number)

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Ask each fund concerned for its quarters, all at once; what one does not say is missing.

        SourceAnswerInvalid when a fund answers what it may not: about another person, or for another fund.
        """
        concerned = self._find_funds(ssin, begin, end)
        if concerned is None:
            return None
        asked = {
            fund: self._pool.submit(self._ask, fund, ssin, quarters) for fund, quarters in sorted(concerned.items())
        }
        wait_for(asked.values(), self._patience)
        told: list[Contribution] = []
        missing: list[MissingDelivery] = []
        for fund, future in asked.items():
            account = _take(fund, future)
            if account is None:
                missing += (MissingDelivery(quarter, fund) for quarter in concerned[fund])
            else:
                told += _keep(fund, concerned[fund], account.contributions)
                missing += (each for each in account.missing if each.quarter in concerned[fund])
        told.sort(key=lambda each: (each.quarter, each.social_insurance_fund))
        missing.sort(key=lambda each: (each.quarter, each.social_insurance_fund))
        return ContributionAccount(ssin, tuple(told), tuple(missing))

    def close(self) -> None:
        """Take no more questions."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for fund in self._funds.values():
            fund.close()

    def _ask(self, fund: str, ssin: str, quarters: Iterable[str]) -> ContributionAccount | None:
        """Return what a fund says; an account without anything when it keeps none, None when it cannot be asked."""
        source = self._funds.get(fund)
        if source is None:
            return None
        try:
            return source.find_contributions(ssin, min(quarters), max(quarters)) or ContributionAccount(ssin, ())
        except SsinUnknownToSource:
            return ContributionAccount(ssin, ())


def _take(fund: str, future: "Future[ContributionAccount | None]") -> ContributionAccount | None:
    """Return what came back, None when the fund could not be asked; raises what else it did."""
    if not future.done():
        future.cancel()
        return None
    try:
        return future.result()
    except (SourceUnavailable, SourceCommunicationFailed) as error:
        log.warning("fund_missing", fund=fund, error=type(error).__name__)
        return None


def _keep(fund: str, quarters: tuple[str, ...], told: Iterable[Contribution]) -> Iterable[Contribution]:
    """Yield the contributions of the quarters asked; SourceAnswerInvalid when they are of another fund."""
    for each in told:
        if each.social_insurance_fund != fund:
            raise SourceAnswerInvalid.giving(f"an account of another fund than {fund}")
        if each.quarter in quarters:
            yield each
