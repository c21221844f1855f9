"""CheckUnauthenticatedUserAccess: what is asked of User Management, and how its answer is told."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.consultation import Consultation, Outcome, SourceUnavailable
from services.employer import EmployerReference, Register
from services.employer_mandate.operations import check_user_access
from services.employer_numbers import complete_nsso_number
from services.user_access import (
    AccessGiven,
    AccessPath,
    AccessQuestion,
    AccessRefused,
    Mandate,
    NoAccessReason,
)
from tests.unit.fakes_user_access import FakeUserAccess

NSSO = complete_nsso_number("01234567")
CBE = "0999910345"
# Half past midnight in Belgium, the day before in UTC.
NOW = datetime(2026, 6, 14, 22, 30, tzinfo=UTC)


def ask(users: FakeUserAccess, element: str = "enterpriseNumber", number: str = CBE, **criteria: Any) -> Outcome:
    values = {
        "criteria": {"technicalUserId": "U1", "entity": {element: number}, "application": "DIMONA"} | criteria,
    }
    return check_user_access(Consultation("CheckUnauthenticatedUserAccess", values, NOW, ""), users)


@pytest.mark.parametrize(
    ("element", "number", "entity"),
    [
        ("enterpriseNumber", CBE, EmployerReference(enterprise_number=CBE)),
        ("nssoRegistrationNumber", NSSO, EmployerReference(Register.NSSO, NSSO)),
        ("nssoPpoRegistrationNumber", NSSO, EmployerReference(Register.NSSO_PPO, NSSO)),
    ],
)
def test_the_entity_is_asked_by_the_number_that_names_it(element: str, number: str, entity: EmployerReference) -> None:
    users = FakeUserAccess(answer=AccessGiven(AccessPath.USER))
    ask(users, element, number)
    assert users.asked == [AccessQuestion("U1", entity, "DIMONA", date(2026, 6, 15))]


def test_the_reference_date_is_the_day_that_is_asked_about() -> None:
    users = FakeUserAccess(answer=AccessGiven(AccessPath.USER))
    ask(users, referenceDate=date(2020, 2, 29))
    assert users.asked[0].day == date(2020, 2, 29)


@pytest.mark.parametrize("path", [AccessPath.MANAGER, AccessPath.USER])
def test_access_of_the_enterprises_own_has_a_path_and_no_mandate(path: AccessPath) -> None:
    outcome = ask(FakeUserAccess(answer=AccessGiven(path)))
    assert (outcome.case, outcome.data) == ("data_found", {"userAccess": {"access": True, "path": path.value}})


@pytest.mark.parametrize("path", [AccessPath.RECOGNISED_SOCIAL_SECRETARIAT, AccessPath.SERVICE_PROVIDER])
@pytest.mark.parametrize("end", [None, date(2026, 12, 31)])
def test_access_through_another_names_the_mandate_and_its_validity(path: AccessPath, end: date | None) -> None:
    outcome = ask(FakeUserAccess(answer=AccessGiven(path, Mandate("0999900249", date(2025, 1, 1), end))))
    validity = {"beginDate": date(2025, 1, 1)} | ({"endDate": end} if end else {})
    mandate = {"provider": "0999900249", "validity": validity}
    assert outcome.data["userAccess"] == {"access": True, "path": path.value, "mandate": mandate}


@pytest.mark.parametrize("reason", NoAccessReason)
def test_a_reason_is_told_in_every_language(reason: NoAccessReason) -> None:
    told = ask(FakeUserAccess(answer=AccessRefused(reason))).data["userAccess"]
    texts = told["reason"]["descriptions"]["description"]
    assert (told["access"], told["reason"]["code"]) == (False, reason.value)
    assert [each["@language"] for each in texts] == ["NL", "FR", "DE"]
    assert all(0 < len(each["#text"]) <= 256 for each in texts)


@pytest.mark.parametrize(
    ("element", "number"),
    [
        ("enterpriseNumber", "0999910346"),
        ("nssoRegistrationNumber", CBE),
        ("nssoPpoRegistrationNumber", f"{NSSO[:9]}{(int(NSSO[9]) + 1) % 10}"),
    ],
)
def test_a_number_with_wrong_check_digits_is_not_asked(element: str, number: str) -> None:
    users = FakeUserAccess(answer=AccessGiven(AccessPath.USER))
    outcome = ask(users, element, number)
    assert outcome.case == "criterion_unusable"
    assert outcome.information[0] == ("field", f"criteria/entity/{element}")
    assert users.asked == []


def test_a_fault_of_user_management_passes_through() -> None:
    users = FakeUserAccess(answer=AccessGiven(AccessPath.USER))
    users.fault = SourceUnavailable("away")
    with pytest.raises(SourceUnavailable, match="away"):
        ask(users)
