"""A hand-written RSVZ: implements the repository port of SelfEmployedService over plain synthetic persons."""

from collections.abc import Iterable

from fixtures.persons import SyntheticFundOutage, SyntheticPerson
from services.self_employed.career import Career, ContributionAccount, MissingDelivery


class FakeSelfEmployedRepository:
    """Answers from the persons given; `fault`, when set, is raised in place of any answer."""

    def __init__(
        self,
        persons: Iterable[SyntheticPerson] = (),
        pcsas: Iterable[str] = (),
        fund_outages: Iterable[SyntheticFundOutage] = (),
    ) -> None:
        self.persons = {person.ssin: person for person in persons}
        self.pcsas = set(pcsas)
        self.fund_outages = tuple(fund_outages)
        self.fault: Exception | None = None
        self.asked: list[tuple[str, ...]] = []

    def find_career(self, ssin: str, *period: object) -> Career | None:
        self._note("find_career", ssin)
        person = self.persons.get(ssin)
        return person.career if person else None

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        self._note("find_contributions", ssin, begin, end)
        person = self.persons.get(ssin)
        if person is None or not person.contributions:
            return None
        asked = sorted(
            (told for told in person.contributions if begin <= told.quarter <= end),
            key=lambda told: (told.quarter, told.social_insurance_fund),
        )
        missing = {
            (told.quarter, told.social_insurance_fund)
            for told in asked
            for outage in self.fund_outages
            if outage.social_insurance_fund == told.social_insurance_fund
            and outage.begin_quarter <= told.quarter <= outage.end_quarter
        }
        return ContributionAccount(
            ssin,
            tuple(told for told in asked if (told.quarter, told.social_insurance_fund) not in missing),
            tuple(MissingDelivery(*delivery) for delivery in sorted(missing)),
        )

    def is_pcsa(self, cbe_number: str) -> bool:
        self._note("is_pcsa", cbe_number)
        return cbe_number in self.pcsas

    def _note(self, *question: str) -> None:
        self.asked.append(question)
        if self.fault is not None:
            raise self.fault
