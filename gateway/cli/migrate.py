"""`migrate`: bring the database to the schema of this version."""

import typer

from gateway import bootstrap
from gateway.cli.demo import unwritable
from gateway.cli.output import StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(state: StateOption = None) -> None:
    """Bring the database to the schema of this version, making it if need be. Run it before a new version serves.

    All of the change is made or none; nodes that start it together take turns. Before the first record it also makes
    the keys of the audit; later they must be there.
    """
    settings = get_settings(state=state)
    try:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        bootstrap.migrate(settings)
    except OSError as error:
        raise unwritable(settings, error) from None
    unsigned = bootstrap.list_unsigned_annexes(settings)
    console.print("The database is at the schema of this version.")
    if unsigned:
        console.print(
            f"[bold red]{len(unsigned)} annexes give no rights before two operators have signed them:[/] "
            "ksz-gateway annex import --unsigned, then ksz-gateway annex approve --all",
            soft_wrap=True,
        )
