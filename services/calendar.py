"""The Belgian calendar of the services: dates of Europe/Brussels, quarters as texts such as `2015Q1`.

Quarters of four-digit years compare as texts the way they follow each other in time, so they need no type of
their own; `YearQuarterType` of CommonV3 has just this form.
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")


def get_brussels_date(now: datetime) -> date:
    """Return the calendar date in Belgium at an aware moment."""
    return now.astimezone(BRUSSELS).date()


def get_quarter(day: date) -> str:
    """Return the quarter that holds a day."""
    return f"{day.year:04}Q{(day.month + 2) // 3}"


def get_next_quarter(quarter: str) -> str:
    """Return the quarter that follows."""
    year, number = int(quarter[:4]), int(quarter[5])
    return f"{year:04}Q{number + 1}" if number < 4 else f"{year + 1:04}Q1"


def render_quarters(quarters: Iterable[str], max_length: int) -> str:
    """Return quarters as a short text, runs joined: `2019Q1-2019Q3, 2021Q2`.

    When that is longer than `max_length`, return the one run from the first to the last: it says too much
    rather than too little.
    """
    runs: list[list[str]] = []
    for quarter in sorted(set(quarters)):
        if runs and get_next_quarter(runs[-1][-1]) == quarter:
            runs[-1].append(quarter)
        else:
            runs.append([quarter])
    text = ", ".join(_render_run(run[0], run[-1]) for run in runs)
    return text if len(text) <= max_length else _render_run(runs[0][0], runs[-1][-1])


def _render_run(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"
