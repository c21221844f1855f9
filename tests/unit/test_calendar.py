"""The Belgian calendar of the services."""

from datetime import UTC, date, datetime

import pytest

from services.calendar import get_brussels_date, get_next_quarter, get_quarter, render_quarters


def test_a_day_begins_at_midnight_in_brussels() -> None:
    assert get_brussels_date(datetime(2025, 12, 31, 22, 59, tzinfo=UTC)) == date(2025, 12, 31)
    assert get_brussels_date(datetime(2025, 12, 31, 23, 0, tzinfo=UTC)) == date(2026, 1, 1)
    assert get_brussels_date(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2015, 1, 1), "2015Q1"),
        (date(2015, 3, 31), "2015Q1"),
        (date(2015, 4, 1), "2015Q2"),
        (date(2015, 12, 31), "2015Q4"),
    ],
)
def test_a_day_lies_in_its_quarter(day: date, quarter: str) -> None:
    assert get_quarter(day) == quarter


def test_the_quarter_after_the_fourth_is_the_first_of_the_next_year() -> None:
    assert get_next_quarter("2015Q3") == "2015Q4"
    assert get_next_quarter("2015Q4") == "2016Q1"


def test_quarters_are_written_as_runs() -> None:
    assert render_quarters(["2020Q1", "2019Q4", "2021Q2", "2019Q4"], 256) == "2019Q4-2020Q1, 2021Q2"
    assert render_quarters([], 256) == ""


def test_quarters_that_take_too_much_room_are_written_as_one_run() -> None:
    assert render_quarters(["2019Q1", "2019Q3", "2020Q1"], 13) == "2019Q1-2020Q1"
