"""`demo`: prepare a world to try things in."""

import re
from typing import Annotated

import typer

from gateway.cli.output import Problem, StateOption, console, get_settings
from gateway.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def unwritable(settings: Settings, error: OSError) -> Problem:
    """Say what to do about a state directory that cannot be written."""
    return Problem(
        f"{error.filename or settings.state}: {error.strerror}: choose a place you may write to with --state."
    )


def demo(
    state: StateOption = None,
    certify: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Also make a key and a certificate for another client, and say how to bind it."
        ),
    ] = None,
) -> None:
    """Prepare a demo world: a development CA with every key, the database, demo annexes, synthetic persons.

    What is there already is kept, so that it can be run again at any time. Not for production.
    """
    from gateway.demo_world import certify_client, prepare_demo

    if certify is not None and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", certify) is None:
        raise Problem("--certify takes a client's name: small letters, digits and hyphens.")

    settings = get_settings(state=state)
    try:
        with console.status("Preparing the demo world ..."):
            world = prepare_demo(settings)
            binding = certify_client(settings, certify) if certify is not None else None
    except OSError as error:
        raise unwritable(settings, error) from None
    console.print(
        f"{settings.state}: {world.clients} clients, {world.persons} persons. "
        f"Next: ksz-gateway serve --state {settings.state}",
        soft_wrap=True,
    )
    if binding is not None:
        console.print(f"Bind the certificate of {certify} in its annex:\n")
        console.print(f"certificates:\n  - issuer: {binding.issuer}\n    serial: {binding.serial}", soft_wrap=True)
