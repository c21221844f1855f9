"""`audit export`: the log as files, to keep or verify elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit.export import roots_file, write_export
from gateway.audit.part import find_part
from gateway.audit.stored_log import StoredLog
from gateway.audit.verification import EntryUnreadable
from gateway.bootstrap import opened_storage
from gateway.cli.audit.periods import SinceOption, UntilOption, parse_month, parse_period
from gateway.cli.audit.progress import advancing
from gateway.cli.output import Problem, StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the entries go, JSON lines; the roots go beside it.")
    ],
    month: Annotated[str | None, typer.Option(metavar="MONTH", help="Only this month, such as 2026-01.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    state: StateOption = None,
) -> None:
    """Export the log, or the part of it that holds a period: one line a record, and the signed roots in FILE.roots.

    A part goes on to the next signed root after it, so that all of it can be verified.
    """
    month = parse_month(month) if month else None
    begin, end = parse_period(since, until)
    with opened_storage(get_settings(state=state)) as storage, storage.database.read() as connection:
        part = find_part(connection, month, begin, end)
        if part is None:
            raise Problem("nothing was recorded then.")
        try:
            with advancing("exporting", part[1]) as progress:
                exported = write_export(StoredLog(connection), out, *part, progress)
        except FileExistsError as error:
            raise Problem(f"{error.filename} is there already: an export replaces nothing.") from None
        except OSError as error:
            raise Problem(f"{error.filename}: {error.strerror}.") from None
        except EntryUnreadable as unreadable:
            raise Problem(f"{unreadable}: audit verify tells more.") from None
    console.print(
        f"{out}: records {exported.begin} to {exported.end - 1}; {roots_file(out)}: their signed roots.", soft_wrap=True
    )
