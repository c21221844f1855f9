"""Organisations by enterprise number or by sector and institution, and the calendar of Brussels."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from authz.brussels import (
    brussels_day,
    find_quarter,
    quarter_begin,
    quarter_end,
    quarter_of,
    shift_days,
    years_before,
)
from authz.organisation import Organisation


@pytest.mark.parametrize(
    ("values", "key"),
    [({"cbeNumber": "0208044709"}, "cbe:0208044709"), ({"sector": 25, "institution": 0}, "sector:25/0")],
)
def test_an_organisation_survives_its_values_and_its_key(values: dict[str, Any], key: str) -> None:
    organisation = Organisation.from_values(values)
    assert organisation.to_values() == values
    assert organisation.key == key
    assert Organisation.from_key(key) == organisation
    assert hash(Organisation.from_key(key)) == hash(organisation)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"sector": 1},
        {"institution": 1},
        {"cbeNumber": "0208044709", "sector": 1, "institution": 2},
        {"cbeNumber": "0208044709", "sector": 1},
    ],
)
def test_an_organisation_has_exactly_one_form(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not both"):
        Organisation.from_values(values)


@pytest.mark.parametrize("key", ["", "cbe:", "0208044709", "sector:1", "sector:a/b", "vat:0208044709"])
def test_a_text_that_is_no_key_names_no_organisation(key: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Organisation.from_key(key)


def test_a_day_begins_at_midnight_in_brussels() -> None:
    assert brussels_day(datetime(2024, 6, 1, 21, 59, 59, tzinfo=UTC)) == date(2024, 6, 1)
    assert brussels_day(datetime(2024, 6, 1, 22, 0, tzinfo=UTC)) == date(2024, 6, 2)
    assert brussels_day(datetime(2024, 12, 1, 22, 59, tzinfo=UTC)) == date(2024, 12, 1)


def test_the_29th_of_february_becomes_the_28th_in_other_years() -> None:
    assert years_before(date(2024, 2, 29), 5) == date(2019, 2, 28)
    assert years_before(date(2024, 2, 29), 4) == date(2020, 2, 29)
    assert years_before(date(50, 1, 1), 100) == date(1, 1, 1)


def test_days_stay_inside_the_calendar() -> None:
    assert shift_days(date(2024, 1, 1), -1) == date(2023, 12, 31)
    assert shift_days(date.min, -1) == date.min
    assert shift_days(date.max, 1) == date.max


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2015Q1", date(2015, 1, 1), date(2015, 3, 31)),
        ("2015Q2", date(2015, 4, 1), date(2015, 6, 30)),
        ("2015Q3", date(2015, 7, 1), date(2015, 9, 30)),
        ("2015Q4", date(2015, 10, 1), date(2015, 12, 31)),
    ],
)
def test_a_quarter_has_its_first_and_last_day(text: str, begin: date, end: date) -> None:
    quarter = find_quarter(text)
    assert quarter is not None
    assert (quarter_begin(*quarter), quarter_end(*quarter)) == (begin, end)
    assert quarter_of(begin) == quarter_of(end) == quarter


@pytest.mark.parametrize("text", ["", "2015Q5", "0015Q1", "2015-Q1", "2015Q1\n"])
def test_another_text_is_no_quarter(text: str) -> None:
    assert find_quarter(text) is None
