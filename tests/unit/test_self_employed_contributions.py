"""consultContributions: which quarters are asked, which funds answer, and which case each situation is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.persons import SyntheticFundOutage, SyntheticPerson
from services.consultation import Consultation, SourceAnswerInvalid, SourceFault, SourceUnavailable
from services.self_employed.career import Contribution, ContributionAccount
from services.self_employed.operations import consult_contributions
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

SSIN = "75631290176"
# Half past midnight of 1 April in Belgium: the second quarter has begun.
NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)


def ask(begin: str, end: str | None = None, legal_context: str = "PPSSI:SOCIAL_FRAUD") -> Consultation:
    period: dict[str, Any] = {"beginQuarter": begin} | ({"endQuarter": end} if end else {})
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999900645"}},
        "legalContext": legal_context,
        "criteria": {"ssin": SSIN, "period": period},
    }
    return Consultation("consultContributions", values, NOW, "")


def paid(first: str, count: int, fund: str = "003") -> list[Contribution]:
    start = 4 * int(first[:4]) + int(first[5]) - 1
    return [Contribution(f"{i // 4}Q{i % 4 + 1}", fund, "01", 1) for i in range(start, start + count)]


def repository_with(
    contributions: list[Contribution], *fund_outages: SyntheticFundOutage
) -> FakeSelfEmployedRepository:
    person = SyntheticPerson(SSIN, contributions=tuple(contributions))
    return FakeSelfEmployedRepository([person], fund_outages=fund_outages)


def told_quarters(data: Any) -> list[tuple[str, str]]:
    return [(told["quarter"], told["socialInsuranceFund"]["code"]) for told in data["contributions"]["contribution"]]


def test_contribution_is_told_in_the_words_of_the_contract() -> None:
    repository = repository_with([Contribution("2020Q1", "008", "04", 0), Contribution("2020Q2", "011", "05", None)])
    outcome = consult_contributions(ask("2020Q1", "2020Q2"), repository)
    assert outcome.case == "data_found"
    assert outcome.data["ssin"] == {"#text": SSIN, "@canceled": False}
    first, second = outcome.data["contributions"]["contribution"]
    assert first["quarter"] == "2020Q1"
    assert dict(first["socialInsuranceFund"]) == {"enterpriseNumber": "0999910840", "code": "008"}
    assert first["contributionSituation"]["code"] == "04"
    assert first["contributionSituation"]["description"][1] == {"#text": "Dispensée", "@language": "FR"}
    assert first["ziv"]["code"] == 0
    assert "ziv" not in second


def test_contributions_are_told_by_quarter_then_fund() -> None:
    repository = repository_with([*paid("2020Q2", 2, "008"), *paid("2020Q1", 2, "003")])
    outcome = consult_contributions(ask("2020Q1"), repository)
    assert told_quarters(outcome.data) == [
        ("2020Q1", "003"),
        ("2020Q2", "003"),
        ("2020Q2", "008"),
        ("2020Q3", "008"),
    ]


@pytest.mark.parametrize(
    ("end", "asked"), [(None, "2026Q2"), ("2026Q1", "2026Q1"), ("2026Q2", "2026Q2"), ("2030Q4", "2026Q2")]
)
def test_no_quarter_after_the_current_one_is_asked(end: str | None, asked: str) -> None:
    repository = repository_with(paid("2026Q1", 4))
    consult_contributions(ask("2026Q1", end), repository)
    assert repository.asked == [("find_contributions", SSIN, "2026Q1", asked)]


@pytest.mark.parametrize(("begin", "end"), [("2020Q2", "2020Q1"), ("2026Q3", None), ("2026Q3", "2027Q1")])
def test_quarter_after_the_end_or_to_come_is_invalid(begin: str, end: str | None) -> None:
    repository = repository_with(paid("2020Q1", 1))
    outcome = consult_contributions(ask(begin, end), repository)
    assert outcome.case == "quarter_invalid"
    expected = (("beginQuarter", begin),) + ((("endQuarter", end),) if end else ())
    assert outcome.information == expected
    assert repository.asked == []


def test_person_without_account_has_no_data() -> None:
    assert consult_contributions(ask("2020Q1"), repository_with([])).case == "no_data"


def test_account_without_a_quarter_asked_holds_nothing_in_the_period() -> None:
    repository = repository_with(paid("2020Q1", 4))
    assert consult_contributions(ask("2019Q1", "2019Q4"), repository).case == "nothing_in_period"


def test_legal_context_of_pcsas_demands_a_pcsa() -> None:
    outcome = consult_contributions(ask("2020Q1", None, "PCSA:SOCIAL_INQUIRY"), repository_with(paid("2020Q1", 1)))
    assert (outcome.case, outcome.information) == ("not_a_pcsa", (("cbeNumber", "0999900645"),))


def test_forty_contributions_fit() -> None:
    outcome = consult_contributions(ask("2010Q1"), repository_with(paid("2010Q1", 40)))
    assert len(outcome.data["contributions"]["contribution"]) == 40


@pytest.mark.parametrize(
    ("contributions", "fits"),
    [
        (paid("2010Q1", 41), "2019Q4"),
        (paid("2010Q1", 60), "2019Q4"),
        # Two funds for 2012Q4: the quarter would be cut in two, so it does not fit.
        ([*paid("2003Q1", 40), Contribution("2012Q4", "008", "01")], "2012Q3"),
    ],
)
def test_too_many_contributions_are_refused_with_the_end_quarter_that_fits(
    contributions: list[Contribution], fits: str
) -> None:
    repository = repository_with(contributions)
    begin = contributions[0].quarter
    outcome = consult_contributions(ask(begin), repository)
    assert outcome.case == "result_too_large"
    assert dict(outcome.information) == {
        "element": "contribution",
        "maximum": "40",
        "narrow": "criteria/period",
        "endQuarter": fits,
    }
    assert consult_contributions(ask(begin, fits), repository).case == "data_found"


def test_a_quarter_that_alone_is_too_much_promises_no_end_quarter() -> None:
    repository = repository_with([Contribution("2020Q1", f"{fund:03}", "01") for fund in range(1, 42)])
    outcome = consult_contributions(ask("2020Q1"), repository)
    assert outcome.case == "result_too_large"
    assert "endQuarter" not in dict(outcome.information)


def test_missing_delivery_makes_the_whole_answer_unavailable_and_names_fund_and_quarters() -> None:
    repository = repository_with(
        [*paid("2018Q1", 12, "009"), *paid("2018Q1", 12, "003")],
        SyntheticFundOutage("009", "2019Q1", "2019Q2"),
        SyntheticFundOutage("009", "2020Q1", "2020Q1"),
        SyntheticFundOutage("003", "2020Q4", "2021Q4"),
        SyntheticFundOutage("004", "2018Q1", "2020Q4"),
    )
    with pytest.raises(SourceUnavailable) as caught:
        consult_contributions(ask("2018Q1", "2020Q4"), repository)
    assert caught.value.information == (
        ("socialInsuranceFund", "003"),
        ("quarters", "2020Q4"),
        ("socialInsuranceFund", "009"),
        ("quarters", "2019Q1-2019Q2, 2020Q1"),
    )


def test_missing_delivery_of_a_quarter_not_asked_harms_nobody() -> None:
    repository = repository_with(paid("2018Q1", 12, "009"), SyntheticFundOutage("009", "2019Q1", "2019Q4"))
    assert consult_contributions(ask("2020Q1", "2020Q4"), repository).case == "data_found"


def test_all_funds_missing_still_fit_in_the_fields_of_a_status() -> None:
    funds = [f"{fund:03}" for fund in range(1, 12)]
    repository = repository_with(
        [Contribution("2020Q1", fund, "01") for fund in funds],
        *(SyntheticFundOutage(fund, "2020Q1", "2020Q1") for fund in funds),
    )
    with pytest.raises(SourceUnavailable) as caught:
        consult_contributions(ask("2020Q1", "2020Q1"), repository)
    assert caught.value.information == (("socialInsuranceFund", ", ".join(funds)), ("quarters", "2020Q1"))


@pytest.mark.parametrize(
    ("contribution", "code_list", "code"),
    [
        (Contribution("2020Q1", "012", "01"), "socialInsuranceFund", "012"),
        (Contribution("2020Q1", "003", "99"), "contributionSituation", "99"),
        (Contribution("2020Q1", "003", "01", 99), "ziv", "99"),
    ],
)
def test_code_outside_the_tables_is_unexpected(contribution: Contribution, code_list: str, code: str) -> None:
    with pytest.raises(SourceFault) as caught:
        consult_contributions(ask("2020Q1"), repository_with([contribution]))
    assert caught.value.case == "source_code_unexpected"
    assert caught.value.information == (("codeList", code_list), ("code", code))


class AnotherAnswer(FakeSelfEmployedRepository):
    """A source that answers what it was not asked."""

    def __init__(self, account: ContributionAccount) -> None:
        super().__init__()
        self.account = account

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount:
        return self.account


@pytest.mark.parametrize(
    "account",
    [
        ContributionAccount("82710590203", (Contribution("2020Q1", "003", "01"),)),
        ContributionAccount(SSIN, (Contribution("2019Q4", "003", "01"),)),
        ContributionAccount(SSIN, (Contribution("2020Q5", "003", "01"),)),
    ],
    ids=["another SSIN", "a quarter not asked", "no quarter"],
)
def test_answer_to_another_question_is_no_answer(account: ContributionAccount) -> None:
    with pytest.raises(SourceAnswerInvalid) as caught:
        consult_contributions(ask("2020Q1"), AnotherAnswer(account))
    assert [name for name, _ in caught.value.information] == ["details"]
