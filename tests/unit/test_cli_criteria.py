"""What stands on a command line becomes the elements of a request, repeated and nested ones too."""

from datetime import date
from typing import Any

import pytest

from gateway.cli.criteria import fill_options, fill_request
from gateway.cli.output import Problem
from gateway.contracts import load_contracts
from services.dimona import DESCRIPTOR

OPERATIONS = {
    each.descriptor.name: each for each in load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path].operations.values()
}


def fill(operation: str, *settings: str, **options: Any) -> Any:
    request: dict[str, Any] = {}
    fill_request(OPERATIONS[operation], request, settings)
    given = dict.fromkeys(("ssin", "begin", "end", "text")) | options
    fill_options(OPERATIONS[operation], request, **given)
    return request["criteria"]


def test_repeated_elements_are_numbered_and_the_first_needs_no_number() -> None:
    assert fill(
        "submitDeclarations",
        "employer/nssoRegistrationNumber=0192020132",
        "declaration/in/worker/ssin=85631494189",
        "criteria/declaration[1]/in/features/workerType=OTH",
        "declaration[1]/in/startingDate=2026-06-01",
        "declaration[2]/out/dimonaPeriodId=100000000135",
        "declaration[2]/out/endingDate=2026-06-30",
    ) == {
        "employer": {"nssoRegistrationNumber": "0192020132"},
        "declaration": [
            {
                "in": {
                    "worker": {"ssin": "85631494189"},
                    "features": {"workerType": "OTH"},
                    "startingDate": date(2026, 6, 1),
                }
            },
            {"out": {"dimonaPeriodId": "100000000135", "endingDate": date(2026, 6, 30)}},
        ],
    }


def test_a_repeated_value_is_given_again() -> None:
    assert fill("consultPeriods", "workerType=OTH", "workerType=STU") == {"workerType": ["OTH", "STU"]}
    assert fill("checkEmployment", "worker/ssin=82621290221", ssin="85631494189") == {
        "worker": {"ssin": ["82621290221", "85631494189"]}
    }


def test_options_find_their_place_in_each_operation() -> None:
    options = {"ssin": "85631494189", "begin": "2026-01-01", "end": "2026-06-30"}
    period = {"beginDate": date(2026, 1, 1), "endDate": date(2026, 6, 30)}
    worker = {"worker": {"ssin": "85631494189"}}
    assert fill("consultPeriods", **options) == worker | {"period": period}
    assert fill("consultDeclarations", **options) == worker | {"receptionPeriod": period}
    with pytest.raises(Problem, match="--ssin"):
        fill("submitDeclarations", **options)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("declaration[2]/cancel/dimonaPeriodId=1", "number repeated elements"),
        ("declaration[0]/cancel/dimonaPeriodId=1", "write path=value"),
        ("declaration/in=1", "write path=value"),
        ("declaration/cancel/dimonaPeriodId", "write path=value"),
        ("declaration/in/plannedHours=many", "many is no unsignedShort"),
    ],
)
def test_what_cannot_be_set_is_said(setting: str, said: str) -> None:
    with pytest.raises(Problem, match=said.replace("[", r"\[")):
        fill("submitDeclarations", setting)


def test_a_time_outside_the_calendar_is_said() -> None:
    with pytest.raises(Problem, match="is no dateTime"):
        fill("submitDeclarations", "informationCustomer/timestampSent=0001-01-01T00:00:00+14:00")
