"""`users mandate …`: the other service providers that act for an employer."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.commands import ActivateMandate, Command, EndMandate, RegisterMandate
from gateway.cli.output import JsonOption, StateOption, parse_date, print_json, print_table
from gateway.cli.users.acting import EnterpriseOption, acting, show_events
from gateway.users.documents import to_document

app = typer.Typer(help="Mandates: service providers who act for an employer.", no_args_is_help=True)

MandateArgument = Annotated[str, typer.Argument(metavar="MANDATE", help="Mandate: ksz-gateway users mandate list.")]


@app.command()
def register(
    mandatary: Annotated[str, typer.Argument(metavar="PROVIDER", help="Enterprise number of the provider.")],
    group: Annotated[str, typer.Option(metavar="GROUP", help="Application group, such as employment or declarations.")],
    begin: Annotated[str, typer.Option(metavar="QUARTER", help="First quarter, such as 2026Q1.")],
    end: Annotated[
        str | None, typer.Option(metavar="QUARTER", help="Last quarter. Default: until it is ended.")
    ] = None,
    agreement: Annotated[bool, typer.Option("--agreement", help="There is a contract with the provider.")] = False,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report that another enterprise acts for an employer, provisionally.

    Example: [cyan]ksz-gateway users mandate register 0999900546 --group declarations --begin 2026Q1 --agreement[/]
    """
    _run(RegisterMandate(mandatary, group, begin, end, agreement), enterprise, state, as_json)


@app.command()
def activate(
    mandate: MandateArgument,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a provisional mandate definitive."""
    _run(ActivateMandate(mandate), enterprise, state, as_json)


@app.command()
def end(
    mandate: MandateArgument,
    last_day: Annotated[str, typer.Option(metavar="DAY", help="Last day on which the provider acts: 2026-06-30.")],
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report the end of the relation with a provider: the employer must."""
    _run(EndMandate(mandate, parse_date(last_day)), enterprise, state, as_json)


@app.command("list")
def list_(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the mandates that an employer gave."""
    with acting(state, enterprise) as command:
        found = [to_document(each) for each in command.account().mandates.values()]
    if as_json:
        print_json(found)
        return
    print_table(
        ("mandate", "provider", "group", "from", "to", "state"),
        (
            (
                each["mandate_id"],
                each["mandatary"],
                each["application_group"],
                each["begin_quarter"],
                each["ended_on"] or each["end_quarter"] or "",
                "ended" if each["ended_on"] else "definitive" if each["definitive"] else "provisional",
            )
            for each in found
        ),
    )


def _run(wanted: Command, enterprise: str | None, state: Path | None, as_json: bool) -> None:
    with acting(state, enterprise) as command:
        show_events(command.run(wanted), as_json)
