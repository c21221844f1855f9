"""The RSVZ, or a social insurance fund, behind SelfEmployedService as another institution's service.

Implements `services.self_employed.repository`. The contract has no question about PCSAs: that list is kept here.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator
from datetime import date

from gateway.sources.remote import Answer, RemoteSource
from gateway.sources.remote_persons import about_person
from gateway.sources.remote_quarters import read_quarters
from gateway.sources.remote_statuses import FOUND, expect
from services.calendar import get_next_quarter
from services.consultation import SourceAnswerInvalid, Values
from services.self_employed.career import (
    Affiliation,
    Career,
    Contribution,
    ContributionAccount,
    MissingDelivery,
    Segment,
)
from services.self_employed.codes import SourceCodeUnexpected, read_rows
from services.self_employed.operations import MAX_AFFILIATIONS, MAX_SEGMENTS
from services.self_employed.repository import CareerTooLarge, NothingInPeriod

_NO_DATA, _NOTHING_IN_PERIOD, _CODE_UNEXPECTED = "SES00100", "SES00200", "SES00500"
_TOO_LARGE, _UNAVAILABLE = "GTW00003", "MSG00020"
_CODE_LISTS = frozenset(read_rows())
_CODE = re.compile(r"[0-9A-Za-z]{1,16}")


class RemoteSelfEmployedRepository:
    """Asks the source; `is_pcsa` tells of our own list."""

    def __init__(self, source: RemoteSource, is_pcsa: Callable[[str], bool]) -> None:
        self._source = source
        self._is_pcsa = is_pcsa

    def probe(self) -> None:
        """Ask for nobody: return if the source answers."""
        self._source.probe()

    def find_career(self, ssin: str, begin: date = date.min, end: date | None = None) -> Career | None:
        """Ask for what overlaps the period; for the whole career when it begins with the calendar."""
        period = {"beginDate": begin} | ({"endDate": end} if end is not None else {})
        criteria = {"ssin": ssin} | ({"period": period} if begin > date.min else {})
        answer = self._source.ask("consultCareer", criteria, about_person(ssin))
        _expect(answer, FOUND | {_NO_DATA, _NOTHING_IN_PERIOD, _TOO_LARGE})
        if answer.code == _NO_DATA:
            return None
        if answer.code == _NOTHING_IN_PERIOD:
            raise NothingInPeriod("the source has nothing in the period")
        if answer.code == _TOO_LARGE:
            raise _too_large(dict(answer.information).get("element", ""))
        return _read_career(ssin, answer.values.get("career"))

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Ask for the quarters, in as many parts as the source wants; all within one deadline."""
        until = self._source.begin()
        contributions: list[Contribution] = []
        while True:
            answer, last = self._ask_part(ssin, begin, end, until)
            if answer.code == _NO_DATA:
                return None
            if answer.code == _UNAVAILABLE:
                # Nothing partial can be told in this contract: what else was found does not matter any more.
                return ContributionAccount(ssin, (), tuple(_read_missing(answer.information)))
            contributions += _read_contributions(answer.values.get("contributions", {}).get("contribution", ()))
            if last == end:
                return ContributionAccount(ssin, tuple(contributions))
            begin = get_next_quarter(last)

    def is_pcsa(self, cbe_number: str) -> bool:
        """Say whether our own list has the organisation."""
        return self._is_pcsa(cbe_number)

    def close(self) -> None:
        """Take no more questions."""
        self._source.close()

    def _ask_part(self, ssin: str, begin: str, end: str, until: float) -> tuple[Answer, str]:
        """Return the answer to as much of the period as fits into one, and the last quarter of it."""
        while True:
            criteria = {"ssin": ssin, "period": {"beginQuarter": begin, "endQuarter": end}}
            answer = self._source.ask("consultContributions", criteria, about_person(ssin), until)
            if answer.code == _UNAVAILABLE and dict(answer.information).get("quarters"):
                return answer, end
            _expect(answer, FOUND | {_NO_DATA, _NOTHING_IN_PERIOD, _TOO_LARGE})
            if answer.code != _TOO_LARGE:
                return answer, end
            fitting = dict(answer.information).get("endQuarter", "")
            if not begin <= fitting < end:
                raise SourceAnswerInvalid.giving("more than it can tell, and does not say what would fit")
            end = fitting


def _expect(answer: Answer, expected: Container[str]) -> None:
    """Do as `expect`; SourceCodeUnexpected when the source knows a code that its own tables do not have."""
    if answer.code == _CODE_UNEXPECTED:
        told = dict(answer.information)
        code_list, code = told.get("codeList", ""), told.get("code", "")
        if code_list in _CODE_LISTS and _CODE.fullmatch(code):
            raise SourceCodeUnexpected(code_list, code)
    expect(answer, expected)


def _too_large(element: str) -> CareerTooLarge:
    maximum = {"affiliation": MAX_AFFILIATIONS, "careerSegment": MAX_SEGMENTS}.get(element)
    if maximum is None:
        raise SourceAnswerInvalid.giving("more than it can tell, and does not say of what")
    return CareerTooLarge(element, maximum)


def _read_missing(information: Iterable[tuple[str, str]]) -> Iterator[MissingDelivery]:
    """Yield what a status says is missing: a fund, or several, and then their quarters as `2019Q1-2019Q3, 2021Q2`."""
    funds: tuple[str, ...] = ()
    for name, text in information:
        if name == "socialInsuranceFund":
            funds = tuple(text.split(", "))
        elif name == "quarters":
            yield from (MissingDelivery(quarter, fund) for fund in funds for quarter in read_quarters(text))


def _read_career(ssin: str, career: Values | None) -> Career:
    if career is None:
        raise SourceAnswerInvalid.giving("an answer without a career")
    return Career(
        ssin=ssin,
        nisse_reference=career["nisseReference"],
        self_employed_enterprise_number=career.get("selfEmployedEnterpriseNumber"),
        occupation=career["occupation"]["code"] if "occupation" in career else None,
        affiliations=tuple(_read_affiliation(each) for each in career["affiliations"]["affiliation"]),
    )


def _read_affiliation(affiliation: Values) -> Affiliation:
    return Affiliation(
        social_insurance_fund=affiliation["socialInsuranceFund"]["code"],
        signature_date=affiliation.get("signatureDate"),
        career_segments=tuple(_read_segment(each) for each in affiliation["careerSegments"]["careerSegment"]),
    )


def _read_segment(segment: Values) -> Segment:
    return Segment(
        begin_date=segment["period"]["beginDate"],
        end_date=segment["period"].get("endDate"),
        self_employed_quality=segment["selfEmployedQuality"]["code"],
        contribution=segment["contribution"]["code"],
        equality=segment["equality"]["code"] if "equality" in segment else None,
    )


def _read_contributions(contributions: Iterable[Values]) -> Iterator[Contribution]:
    for each in contributions:
        yield Contribution(
            quarter=each["quarter"],
            social_insurance_fund=each["socialInsuranceFund"]["code"],
            contribution_situation=each["contributionSituation"]["code"],
            ziv=each["ziv"]["code"] if "ziv" in each else None,
        )
