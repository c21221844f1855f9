"""How commands speak: tables and text for people, JSON for programs, one clear line for a problem."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from authz.brussels import day_begin
from authz.organisation import Organisation
from gateway.inscription_lines import read_organisation
from gateway.settings import InvalidSettings, Settings, load_settings

# What acts on a terminal instead of being seen there: controls, and what turns text around. Tab and line end may, and
# a carriage return, which rich takes out of texts, where a command prints its progress over itself.
_ACTING = [each for each in map(chr, range(0x2070)) if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")]
_SHOWN = {ord(each): "\N{REPLACEMENT CHARACTER}" for each in _ACTING if each not in "\t\n\r"}
_ESCAPED = {code: f"\\u{code:04x}" for code in _SHOWN}


class PlainConsole(Console):
    """A console on which nothing but our own styles acts: what clients and operators wrote is only shown."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render as usual, and replace what would act."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(_SHOWN))


console = PlainConsole(highlight=False)
errors = PlainConsole(stderr=True, highlight=False)

StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Directory of the gateway's state.", show_default="var, or KSZ_STATE"),
]
_UNBOUNDED = 10_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Problem(Exception):
    """The command cannot do what was asked; the text says what to do about it."""


def show_problem(problem: Exception) -> None:
    """Print it to standard error."""
    errors.print(f"[bold red]ksz-gateway:[/] {escape(str(problem))}", soft_wrap=True)


def get_settings(**given: Any) -> Settings:
    """Read the settings; Problem when they are wrong."""
    try:
        return load_settings(**given)
    except InvalidSettings as invalid:
        raise Problem(str(invalid)) from None


def print_json(document: Any) -> None:
    """Print a document as JSON; dates and paths as text, and what would act on a terminal as JSON's escapes."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=to_text).translate(_ESCAPED))


def to_text(value: object) -> str:
    """Return a value as messages write it: times in UTC with a Z, truth in small letters."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_moment(value: datetime) -> str:
    """Return a time for people, to the second; a narrow column breaks it between day and hour."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows under columns; a cell may be rich's Text, which has a style.

    Nothing is cut off: a narrow terminal gets more lines, and a file or pipe each row on one line, as wide as it is.
    """
    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else escape(str(cell)) for cell in row))
    if console.is_terminal:
        console.print(table)
    else:
        widest = Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).maximum
        PlainConsole(file=console.file, width=widest).print(table)


def parse_organisation(text: str) -> Organisation:
    """Read an enterprise number, or SECTOR/INSTITUTION; Problem for anything else."""
    try:
        return read_organisation(text)
    except ValueError as error:
        raise Problem(f"{text} {error}.") from None


def parse_date(text: str) -> date:
    """Read an ISO date; Problem for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(f"{text} is no date such as 2026-06-30.") from None


def parse_day(text: str) -> date:
    """Read an ISO date that a period can begin or end with; Problem for anything else."""
    day = parse_date(text)
    _check_year(day)
    return day


def parse_moment(text: str) -> datetime:
    """Read an ISO time with its zone, or a day, which begins in Brussels; Problem for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(f"{text} is no time such as 2026-06-30T12:00:00Z, and no day such as 2026-06-30.") from None
    if moment.tzinfo is None and len(text) > len("2026-06-30"):
        raise Problem(f"{text} has no time zone: end it with Z for UTC, or +02:00.")
    _check_year(moment.date())
    return (moment if moment.tzinfo else day_begin(moment.date())).astimezone(UTC)


def _check_year(day: date) -> None:
    """Problem for a year that no record is of: at the ends of the calendar no other day can be computed."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise Problem(f"{day} is not of a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
