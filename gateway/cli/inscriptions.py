"""`inscriptions …`: in whose file which person is; what integration control reads."""

from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import opened_storage
from gateway.cli.output import (
    JsonOption,
    Problem,
    StateOption,
    console,
    errors,
    get_settings,
    parse_date,
    parse_organisation,
    print_json,
    print_table,
)
from gateway.inscription_import import import_inscriptions
from gateway.inscriptions import NotInscribed, close_inscription, list_inscriptions

app = typer.Typer(help="Import, close and list inscriptions.", no_args_is_help=True)

OrganisationOption = Annotated[
    str,
    typer.Option("--organisation", metavar="CBE|SECTOR/INSTITUTION", help="Whose file: 0999900150, or 21/0."),
]
SsinOption = Annotated[str, typer.Option("--ssin", help="The person.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: ssin,organisation,context,begin,end.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import inscriptions from a CSV file: all of its lines, or none if one is wrong."""
    settings = get_settings(state=state)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines, opened_storage(settings) as storage:
            report = import_inscriptions(
                lines,
                storage.database,
                storage.commit,
                storage.trail,
                actor=getuser(),
                now=datetime.now(UTC),
                environment=settings.environment,
                progress=lambda count: errors.print(f"{count} lines written", end="\r"),
            )
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Problem(f"{file} cannot be read: it is not UTF-8; save it as that.") from None
    if as_json:
        print_json(
            {
                "added": report.added,
                "unchanged": report.unchanged,
                "problems": [
                    {"line": one.line, "column": one.column, "message": one.message} for one in report.problems
                ],
            }
        )
    elif report.problems:
        print_table(("line", "column", "problem"), ((one.line, one.column, one.message) for one in report.problems))
    else:
        console.print(f"{report.added} inscriptions added, {report.unchanged} were there already.")
    if report.problems:
        raise Problem(f"{len(report.problems)} lines are wrong: mend them and import the file again.")


@app.command()
def close(
    ssin: SsinOption,
    organisation: OrganisationOption,
    context: Annotated[str, typer.Option(help="Inscription context, such as PCSA:FILE.")],
    end: Annotated[str, typer.Option(help="Last day of the inscription, 2026-06-30.")],
    state: StateOption = None,
) -> None:
    """End an open inscription."""
    with opened_storage(get_settings(state=state)) as storage:
        try:
            close_inscription(
                storage.commit,
                storage.trail,
                ssin=ssin,
                organisation=parse_organisation(organisation),
                context=context,
                end=parse_date(end),
                actor=getuser(),
                now=datetime.now(UTC),
            )
        except NotInscribed as reason:
            raise Problem(f"nothing was closed: {reason}.") from None
    console.print("Closed.")


@app.command("list")
def list_(
    ssin: Annotated[str | None, typer.Option("--ssin", help="Inscriptions of this person.")] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", metavar="CBE|SECTOR/INSTITUTION", help="Inscriptions of this file."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the inscriptions of a person, of an organisation, or of both."""
    if ssin is None and organisation is None:
        raise Problem("name a person with --ssin, an organisation with --organisation, or both.")
    with opened_storage(get_settings(state=state)) as storage, storage.database.read() as connection:
        found = [
            {
                "ssin": one.ssin,
                "organisation": one.inscription.organisation,
                "context": one.inscription.context,
                "begin": one.inscription.begin,
                "end": one.inscription.end,
            }
            for one in list_inscriptions(
                connection,
                ssin=ssin,
                organisation=parse_organisation(organisation) if organisation else None,
            )
        ]
    if as_json:
        print_json(found)
        return
    print_table(
        ("ssin", "organisation", "context", "begin", "end"),
        ((one["ssin"], one["organisation"], one["context"], one["begin"], one["end"] or "") for one in found),
    )
