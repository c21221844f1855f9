"""The calendar of validity, reference dates and quarters: days as they are counted in Brussels."""

import re
from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_BRUSSELS = ZoneInfo("Europe/Brussels")
_QUARTER = re.compile(r"([12][0-9]{3})Q([1-4])")


def brussels_day(now: datetime) -> date:
    """Return the day it is in Brussels at `now`, held inside the calendar; it must be aware (ValueError otherwise)."""
    if now.tzinfo is None:
        raise ValueError("a time without a time zone belongs to no day")
    try:
        return now.astimezone(_BRUSSELS).date()
    except OverflowError:
        return now.date()


@lru_cache(maxsize=64)
def day_begin(day: date) -> datetime:
    """Return the moment (UTC) at which a day of Brussels begins."""
    return datetime(day.year, day.month, day.day, tzinfo=_BRUSSELS).astimezone(UTC)


def years_before(day: date, years: int) -> date:
    """Return the same day `years` earlier; 29 February becomes 28 February."""
    year = max(day.year - years, date.min.year)
    return day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) and not isleap(year) else day.day)


def shift_days(day: date, days: int) -> date:
    """Return the day `days` later (earlier if negative), held inside the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def find_quarter(text: str) -> tuple[int, int] | None:
    """Return year and quarter of a text such as `2015Q1`, None for any other text."""
    match = _QUARTER.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def quarter_of(day: date) -> tuple[int, int]:
    """Return year and quarter of a day."""
    return day.year, (day.month + 2) // 3


def quarter_begin(year: int, quarter: int) -> date:
    """Return the first day of a quarter."""
    return date(year, 3 * quarter - 2, 1)


def quarter_end(year: int, quarter: int) -> date:
    """Return the last day of a quarter."""
    return date(year, 3 * quarter, 31 if quarter in (1, 4) else 30)
