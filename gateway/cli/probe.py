"""`probe`: a check of a running gateway for Nagios and Icinga."""

from typing import Annotated

import typer

from gateway.cli.output import JsonOption, Problem, StateOption, get_settings, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(probe)


def probe(
    level: Annotated[str, typer.Option(metavar="PING|DEFAULT|DEEP", help="How thoroughly to look.")] = "DEEP",
    service: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this service's sources, such as SelfEmployedService/v2."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the gateway.", show_default="the public_url setting")
    ] = None,
    client: Annotated[str, typer.Option(metavar="NAME", help="Client to ask as, whose annex grants it.")] = "probe",
    warning: Annotated[
        int | None, typer.Option(metavar="MS", help="WARNING when the answer takes longer than so many milliseconds.")
    ] = None,
    critical: Annotated[
        int | None, typer.Option(metavar="MS", help="CRITICAL when the answer takes longer than so many milliseconds.")
    ] = None,
    timeout: Annotated[
        int, typer.Option(metavar="S", min=1, help="CRITICAL after so many seconds without answer.")
    ] = 10,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a running gateway how it is, and answer as a Nagios or Icinga plugin: one line with performance data.

    Exit code 0 OK, 1 WARNING (a component is DEGRADED, or the answer was slow), 2 CRITICAL (a component is NOK, or the
    gateway does not answer), 3 UNKNOWN (the probe itself cannot ask, or may not).
    """
    # Imported here: requests and lxml are not needed to print a help text.
    from gateway.cli.probing import Limits, Result, Status, ask

    try:
        result = ask(get_settings(state=state), client, level, service, url, Limits(warning, critical, timeout))
    except Problem as problem:
        result = Result(Status.UNKNOWN, str(problem).partition("\n")[0])
    except Exception as error:
        result = Result(Status.UNKNOWN, f"the probe failed ({type(error).__name__})")
    if as_json:
        print_json(result.to_document())
    else:
        typer.echo(result.to_line())
    raise typer.Exit(result.status)
