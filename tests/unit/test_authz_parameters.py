"""How far back a search parameter reaches: as a day, a moment with or without a time zone, or a quarter."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from authz_shapes import read_demo_annex

from authz.parameters import refused_parameters

ANNEX = read_demo_annex("economy")
((GRANT,),) = [grants for (_, operation, _), grants in ANNEX.grants.items() if operation == "consultCareer"]
TODAY = date(2024, 6, 1)
BEGIN = "criteria/period/beginDate"


def refusals(begin: Any) -> list[str]:
    """Return what is refused of a period that begins then."""
    return [reason for _, reason, _ in refused_parameters(GRANT, {"criteria/ssin": "1", BEGIN: begin}, TODAY)]


@pytest.mark.parametrize(
    "begin",
    [
        date(2019, 6, 1),
        datetime.fromisoformat("2019-06-01T00:00:00"),
        datetime(2019, 5, 31, 22, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        "2019Q2",
    ],
)
def test_what_lies_within_the_bound_is_not_refused(begin: Any) -> None:
    assert refusals(begin) == []


@pytest.mark.parametrize(
    "begin",
    [
        date(2019, 5, 31),
        datetime.fromisoformat("2019-05-31T23:59:59"),
        datetime(2019, 5, 31, 21, 59, 59, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        "2019Q1",
    ],
)
def test_what_lies_before_the_bound_is_refused(begin: Any) -> None:
    (reason,) = refusals(begin)
    assert reason.startswith("criteria/period: goes back more than 5 years")
