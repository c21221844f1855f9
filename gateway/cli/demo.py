"""`demo`: prepare a world to try things in."""

import typer

from gateway.cli.output import Problem, StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(state: StateOption = None) -> None:
    """Prepare a demo world: a development CA with every key, the database, demo annexes, synthetic persons.

    What is there already is kept, so that it can be run again at any time. Not for production.
    """
    from gateway.demo_world import prepare_demo

    settings = get_settings(state=state)
    try:
        with console.status("Preparing the demo world ..."):
            world = prepare_demo(settings)
    except OSError as error:
        raise Problem(f"{error.filename or settings.state}: {error.strerror}: choose a writable place with --state.") from None
    console.print(
        f"{settings.state}: {world.clients} clients, {world.persons} persons. "
        f"Next: ksz-gateway serve --state {settings.state}",
        soft_wrap=True,
    )
