"""`serve`: run the gateway."""

from typing import Annotated

import typer

from gateway.cli.output import Problem, StateOption, get_settings
from gateway.collector import loading_what_stays


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    state: StateOption = None,
    bind: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where to serve the SOAP services.")] = None,
    management_bind: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to serve /live, /ready and /metrics.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address that clients use; it stands in the WSDLs.")
    ] = None,
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Plain HTTP, behind a proxy that terminates TLS.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each worker.")] = None,
) -> None:
    """Serve until stopped: with Ctrl-C at once, with SIGTERM after finishing the requests in hand.

    The state must be prepared: `ksz-gateway demo` makes one to try things with.
    """
    given = {
        "state": state,
        "bind": bind,
        "management_bind": management_bind,
        "public_url": public_url,
        "tls": False if no_tls else None,
        "workers": workers,
        "threads": threads,
    }
    settings = get_settings(**given)
    if bind is not None and not bind.startswith("unix:") and "public_url" not in settings.model_fields_set:
        # Where no public address is known, clients come to where we listen.
        settings = get_settings(**given | {"public_url": f"{'https' if settings.tls else 'http'}://{bind}"})
    # Imported here: gunicorn and the contracts are not needed to print a help text.
    with loading_what_stays():
        from gateway.serve import CannotServe
        from gateway.serve import serve as run

    try:
        run(settings)
    except CannotServe as reason:
        raise Problem(str(reason)) from None
