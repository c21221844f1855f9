"""consultCareer: which segments are told, and which case each situation is."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from fixtures.persons import SyntheticPerson
from services.consultation import Consultation, SourceAnswerInvalid, SourceFault, SourceUnavailable
from services.self_employed.career import Affiliation, Career, Segment
from services.self_employed.operations import consult_career
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

SSIN = "75631290176"
PCSA = "0999900150"
NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
TODAY_IN_BRUSSELS = date(2026, 3, 2)

EARLY = Segment(date(2001, 1, 1), date(2005, 12, 31), 100, 200)
LATE = Segment(date(2006, 1, 1), date(2010, 12, 31), 100, 100)
OPEN = Segment(date(2011, 1, 1), None, 100, 600, 100)


def ask(
    period: dict[str, date] | None = None,
    legal_context: str = "SIGEDIS:CAREER_ACCOUNT",
    customer: dict[str, Any] | None = None,
) -> Consultation:
    criteria: dict[str, Any] = {"ssin": SSIN}
    if period is not None:
        criteria["period"] = period
    values = {
        "informationCustomer": {"customerIdentification": customer or {"sector": 21, "institution": 0}},
        "legalContext": legal_context,
        "criteria": criteria,
    }
    return Consultation("consultCareer", values, NOW, "")


def career_of(*affiliations: Affiliation, ssin: str = SSIN) -> Career:
    return Career(ssin, "REFERENCE", "0999901140", "401000", affiliations)


def repository_with(*affiliations: Affiliation, ssin: str = SSIN) -> FakeSelfEmployedRepository:
    return FakeSelfEmployedRepository([SyntheticPerson(SSIN, career=career_of(*affiliations, ssin=ssin))], [PCSA])


@pytest.fixture
def repository() -> FakeSelfEmployedRepository:
    return repository_with(Affiliation("003", date(2000, 12, 20), (EARLY, LATE)), Affiliation("011", None, (OPEN,)))


def test_career_is_told_in_the_words_of_the_contract(repository: FakeSelfEmployedRepository) -> None:
    outcome = consult_career(ask({"beginDate": date(2010, 12, 31)}), repository)
    assert outcome.case == "data_found"
    assert outcome.data["ssin"] == {"#text": SSIN, "@canceled": False}
    career = outcome.data["career"]
    assert set(career) == {"nisseReference", "selfEmployedEnterpriseNumber", "occupation", "affiliations"}
    first, second = career["affiliations"]["affiliation"]
    assert dict(first["socialInsuranceFund"]) == {"enterpriseNumber": "0999910345", "code": "003"}
    assert first["signatureDate"] == date(2000, 12, 20)
    (segment,) = first["careerSegments"]["careerSegment"]
    assert segment["period"] == {"beginDate": date(2006, 1, 1), "endDate": date(2010, 12, 31)}
    assert segment["contribution"]["code"] == 100
    assert segment["contribution"]["description"][0] == {"#text": "Hoofdberoep", "@language": "NL"}
    assert [text["@language"] for text in segment["contribution"]["description"]] == ["NL", "FR", "DE"]
    assert "equality" not in segment
    assert dict(second["socialInsuranceFund"]) == {"code": "011"}
    assert "signatureDate" not in second
    (assimilated,) = second["careerSegments"]["careerSegment"]
    assert assimilated["period"] == {"beginDate": date(2011, 1, 1)}
    assert assimilated["equality"]["code"] == 100


def test_absent_parts_of_a_career_have_no_element() -> None:
    career = Career(SSIN, "REFERENCE", None, None, (Affiliation("003", None, (OPEN,)),))
    repository = FakeSelfEmployedRepository([SyntheticPerson(SSIN, career=career)])
    assert set(consult_career(ask(), repository).data["career"]) == {"nisseReference", "affiliations"}


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        (date(2001, 1, 1), None, [EARLY, LATE, OPEN]),
        (date(2005, 12, 31), date(2006, 1, 1), [EARLY, LATE]),
        (date(2006, 1, 1), date(2006, 1, 1), [LATE]),
        (date(1990, 1, 1), date(2001, 1, 1), [EARLY]),
        (date(2011, 1, 1), date(2011, 1, 1), [OPEN]),
        (TODAY_IN_BRUSSELS, date(2099, 1, 1), [OPEN]),
    ],
)
def test_segments_that_overlap_the_period_are_told_whole(
    repository: FakeSelfEmployedRepository, begin: date, end: date | None, told: list[Segment]
) -> None:
    period = {"beginDate": begin} | ({"endDate": end} if end else {})
    affiliations = consult_career(ask(period), repository).data["career"]["affiliations"]["affiliation"]
    segments = [one for affiliation in affiliations for one in affiliation["careerSegments"]["careerSegment"]]
    assert [one["period"]["beginDate"] for one in segments] == [one.begin_date for one in told]
    assert [one["period"].get("endDate") for one in segments] == [one.end_date for one in told]


def test_period_before_every_segment_holds_nothing(repository: FakeSelfEmployedRepository) -> None:
    period = {"beginDate": date(1990, 1, 1), "endDate": date(2000, 12, 31)}
    assert consult_career(ask(period), repository).case == "nothing_in_period"


def test_person_without_career_has_no_data() -> None:
    assert consult_career(ask(), FakeSelfEmployedRepository([SyntheticPerson(SSIN)])).case == "no_data"


def test_period_that_begins_after_its_end_is_invalid(repository: FakeSelfEmployedRepository) -> None:
    period = {"beginDate": date(2010, 1, 2), "endDate": date(2010, 1, 1)}
    outcome = consult_career(ask(period), repository)
    assert outcome.case == "period_invalid"
    assert outcome.information == (("beginDate", "2010-01-02"), ("endDate", "2010-01-01"))
    assert repository.asked == []


def test_period_that_begins_tomorrow_in_belgium_is_invalid(repository: FakeSelfEmployedRepository) -> None:
    assert consult_career(ask({"beginDate": TODAY_IN_BRUSSELS}), repository).case == "data_found"
    outcome = consult_career(ask({"beginDate": date(2026, 3, 3)}), repository)
    assert outcome.case == "period_invalid"
    assert outcome.information == (("beginDate", "2026-03-03"),)


def test_legal_context_of_pcsas_demands_a_pcsa(repository: FakeSelfEmployedRepository) -> None:
    assert consult_career(ask(None, "PCSA:DEBT_RECOVERY", {"cbeNumber": PCSA}), repository).case == "data_found"
    outcome = consult_career(ask(None, "PCSA:SOCIAL_INQUIRY", {"cbeNumber": "0999900546"}), repository)
    assert (outcome.case, outcome.information) == ("not_a_pcsa", (("cbeNumber", "0999900546"),))
    outcome = consult_career(ask(None, "PCSA:SOCIAL_INQUIRY", {"sector": 21, "institution": 0}), repository)
    assert outcome.case == "not_a_pcsa"
    assert outcome.information == (("sector", "21"), ("institution", "0"))


def test_pcsa_is_checked_before_the_period(repository: FakeSelfEmployedRepository) -> None:
    period = {"beginDate": date(2010, 1, 2), "endDate": date(2010, 1, 1)}
    outcome = consult_career(ask(period, "PCSA:SOCIAL_INQUIRY", {"cbeNumber": "0999900546"}), repository)
    assert outcome.case == "not_a_pcsa"


def days(count: int) -> tuple[Segment, ...]:
    return tuple(
        Segment(date(2010 + i // 12, 1 + i % 12, 1), date(2010 + i // 12, 1 + i % 12, 2), 100, 100)
        for i in range(count)
    )


def test_hundred_segments_and_affiliations_fit() -> None:
    repository = repository_with(*(Affiliation("003", None, days(100)) for _ in range(100)))
    affiliations = consult_career(ask(), repository).data["career"]["affiliations"]["affiliation"]
    assert [len(told["careerSegments"]["careerSegment"]) for told in affiliations] == [100] * 100


@pytest.mark.parametrize(
    ("affiliations", "element"),
    [
        ((Affiliation("003", None, days(101)),), "careerSegment"),
        (tuple(Affiliation("003", None, days(1)) for _ in range(101)), "affiliation"),
    ],
)
def test_more_than_the_contract_carries_is_refused_whole(affiliations: tuple[Affiliation, ...], element: str) -> None:
    outcome = consult_career(ask(), repository_with(*affiliations))
    assert outcome.case == "result_too_large"
    assert outcome.information == (("element", element), ("maximum", "100"), ("narrow", "criteria/period"))
    assert outcome.data == {}


def test_only_what_is_told_counts_for_the_limit() -> None:
    repository = repository_with(Affiliation("003", None, days(101)))
    assert consult_career(ask({"beginDate": date(2010, 1, 3)}), repository).case == "data_found"


@pytest.mark.parametrize(
    ("segment", "fund", "occupation", "code_list", "code"),
    [
        (Segment(date(2010, 1, 1), None, 999, 100), "003", None, "selfEmployedQuality", "999"),
        (Segment(date(2010, 1, 1), None, 100, 998, None), "003", None, "careerContribution", "998"),
        (Segment(date(2010, 1, 1), None, 100, 100, 997), "003", None, "equality", "997"),
        (OPEN, "012", None, "socialInsuranceFund", "012"),
        (OPEN, "003", "999999", "occupation", "999999"),
    ],
)
def test_code_outside_the_tables_is_unexpected(
    segment: Segment, fund: str, occupation: str | None, code_list: str, code: str
) -> None:
    career = Career(SSIN, "REFERENCE", None, occupation, (Affiliation(fund, None, (segment,)),))
    repository = FakeSelfEmployedRepository([SyntheticPerson(SSIN, career=career)])
    with pytest.raises(SourceFault) as caught:
        consult_career(ask(), repository)
    assert caught.value.case == "source_code_unexpected"
    assert caught.value.information == (("codeList", code_list), ("code", code))


@pytest.mark.parametrize(
    "repository",
    [
        repository_with(Affiliation("003", None, (EARLY,)), ssin="82710590203"),
        repository_with(Affiliation("003", None, (Segment(date(2010, 1, 2), date(2010, 1, 1), 100, 100),))),
        repository_with(Affiliation("003", None, (EARLY,)), Affiliation("008", None, ())),
        repository_with(),
    ],
    ids=["another SSIN", "end before begin", "affiliation without segments", "career without affiliations"],
)
def test_record_that_contradicts_itself_is_no_answer(repository: FakeSelfEmployedRepository) -> None:
    with pytest.raises(SourceAnswerInvalid) as caught:
        consult_career(ask(), repository)
    assert [name for name, _ in caught.value.information] == ["details"]
    assert SSIN not in str(caught.value)


@pytest.mark.parametrize(("reference", "number"), [("R" * 16, None), ("R", "2999901140"), ("R", "099990114")])
def test_value_that_the_contract_cannot_carry_is_no_answer(reference: str, number: str | None) -> None:
    career = Career(SSIN, reference, number, None, (Affiliation("003", None, (OPEN,)),))
    with pytest.raises(SourceAnswerInvalid):
        consult_career(ask(), FakeSelfEmployedRepository([SyntheticPerson(SSIN, career=career)]))


def test_fault_of_the_source_passes_unchanged(repository: FakeSelfEmployedRepository) -> None:
    repository.fault = SourceUnavailable("out")
    with pytest.raises(SourceUnavailable):
        consult_career(ask(), repository)
