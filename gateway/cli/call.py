"""`call`: call an operation of a running gateway as one of its clients."""

from typing import Annotated

import typer

from gateway.cli.asking import Asked
from gateway.cli.output import JsonOption, StateOption, get_settings, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(call)


def call(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Such as SelfEmployedService.")],
    operation: Annotated[str, typer.Argument(metavar="OPERATION", help="Such as consultCareer.")],
    client: Annotated[str, typer.Option(metavar="NAME", help="Client to call as: ksz-gateway clients lists them.")],
    ssin: Annotated[str | None, typer.Option(help="Person to ask about: ksz-gateway personas lists them.")] = None,
    legal_context: Annotated[str | None, typer.Option(help="Default: the first that the annex grants.")] = None,
    begin: Annotated[str | None, typer.Option(help="Begin of the period: 2015-01-01, or 2015Q1 for quarters.")] = None,
    end: Annotated[str | None, typer.Option(help="End of the period.")] = None,
    text: Annotated[str | None, typer.Option(help="Text to echo, for sendTestMessage.")] = None,
    on_behalf_of: Annotated[
        str | None,
        typer.Option(metavar="CBE|SECTOR/INSTITUTION", help="Organisation to speak for. Default: the client's own."),
    ] = None,
    ticket: Annotated[
        str | None,
        typer.Option(help="Reference of the call; sent again, it declares nothing twice.", show_default="a new one"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Any other element of the request, such as latestSituationOnly=true or, for one that is repeated, "
            "declaration[2]/out/endingDate=2026-06-30; may be repeated.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the gateway.", show_default="the public_url setting")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask whether it would pass, and why; nothing is consulted or declared.")
    ] = False,
    show_xml: Annotated[bool, typer.Option("--show-xml", help="Print both messages.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call an operation, signed or over mutual TLS as the client's annex asks, and print the reply; of a dry run, why.

    Exit code 0 for any reply, 2 for a SOAP fault.
    """
    # Imported here: zeep is not needed to print a help text.
    from gateway.cli.calling import Caller, show_call, to_document

    asked = Asked(ssin, legal_context, begin, end, text, on_behalf_of, ticket, set_ or ())
    with Caller(get_settings(state=state), client, url) as caller:
        made = caller.call(service, operation, asked, dry_run=dry_run)
    if as_json:
        print_json(to_document(made))
    else:
        show_call(made, show_xml=show_xml)
    if made.fault is not None:
        raise typer.Exit(2)
