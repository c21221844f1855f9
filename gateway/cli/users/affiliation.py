"""`users affiliation …`: to which recognised social secretariat an employer is affiliated, as the NSSO knows it."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.commands import Command, EndAffiliation, RecordAffiliation
from gateway.cli.output import JsonOption, StateOption, parse_date, print_json, print_table
from gateway.cli.users.acting import EnterpriseOption, acting, show_events
from gateway.users.documents import to_document

app = typer.Typer(help="Affiliations to recognised social secretariats, kept by operators.", no_args_is_help=True)

SecretariatArgument = Annotated[
    str, typer.Argument(metavar="SECRETARIAT", help="Enterprise number of the secretariat.")
]
BeginOption = Annotated[str, typer.Option(metavar="DAY", help="First day: 2026-01-01.")]


@app.command()
def record(
    secretariat: SecretariatArgument,
    begin: BeginOption,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="Last day, if it is known.")] = None,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note that an employer is affiliated: the secretariat then reaches its data by itself.

    Example: [cyan]ksz-gateway users affiliation record 0999900447 --enterprise 0999900150 --begin 2026-01-01[/]
    """
    wanted = RecordAffiliation(secretariat, parse_date(begin), parse_date(end) if end else None)
    _run(wanted, enterprise, state, as_json)


@app.command()
def end(
    secretariat: SecretariatArgument,
    begin: BeginOption,
    last_day: Annotated[str, typer.Option(metavar="DAY", help="Last day of the affiliation: 2026-06-30.")],
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note the last day of the affiliation that began on the day given."""
    _run(EndAffiliation(secretariat, parse_date(begin), parse_date(last_day)), enterprise, state, as_json)


@app.command("list")
def list_(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the affiliations of an employer, past and present."""
    with acting(state, enterprise) as command:
        found = [to_document(each) for each in command.account().affiliations]
    if as_json:
        print_json(found)
    else:
        print_table(
            ("secretariat", "begin", "end"), ((each["secretariat"], each["begin"], each["end"] or "") for each in found)
        )


def _run(wanted: Command, enterprise: str | None, state: Path | None, as_json: bool) -> None:
    with acting(state, enterprise) as command:
        show_events(command.run(wanted), as_json)
