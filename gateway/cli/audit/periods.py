"""Periods at the command line: days of Brussels, both included, or a month (UTC), as the audit's keys are."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from authz.brussels import day_begin
from gateway.cli.output import Problem, parse_day

SinceOption = Annotated[str | None, typer.Option(metavar="DATE", help="First day (Brussels).")]
UntilOption = Annotated[str | None, typer.Option(metavar="DATE", help="Last day (Brussels).")]
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def parse_period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the moment at which the first day begins and the first moment after the last; None for none; Problem."""
    first, last = None if since is None else parse_day(since), None if until is None else parse_day(until)
    check_order(first, last)
    return day_begin(first) if first else None, day_begin(last + timedelta(days=1)) if last else None


def check_order(first: date | None, last: date | None) -> None:
    """Problem for a period that ends before it begins."""
    if first is not None and last is not None and last < first:
        raise Problem(f"--until {last} lies before --since {first}: no day is in both.")


def parse_month(text: str) -> str:
    """Return a month such as 2026-01; Problem for any other text."""
    if not _MONTH.fullmatch(text):
        raise Problem(f"{text} is no month such as 2026-01.")
    return text
