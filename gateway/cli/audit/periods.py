"""Periods at the command line: days of Brussels, both included, or a month (UTC), as the audit's keys are."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from authz.brussels import day_begin
from gateway.cli.output import Problem, parse_date

SinceOption = Annotated[str | None, typer.Option(metavar="DATE", help="First day (Brussels).")]
UntilOption = Annotated[str | None, typer.Option(metavar="DATE", help="Last day (Brussels).")]
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def parse_since(text: str | None) -> datetime | None:
    """Return the moment at which a day begins; None for none."""
    return None if text is None else day_begin(parse_date(text))


def parse_until(text: str | None) -> datetime | None:
    """Return the first moment after a day; None for none."""
    return None if text is None else day_begin(parse_date(text) + timedelta(days=1))


def parse_month(text: str) -> str:
    """Return a month such as 2026-01; Problem for any other text."""
    if not _MONTH.fullmatch(text):
        raise Problem(f"{text} is no month such as 2026-01.")
    return text
