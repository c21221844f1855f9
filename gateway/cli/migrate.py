"""`migrate`: bring the database to the schema of this version."""

from datetime import UTC, datetime

import typer

from gateway import bootstrap
from gateway.cli.annex.proposing import list_unsigned
from gateway.cli.output import StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)


def migrate(state: StateOption = None) -> None:
    """Bring the database to the schema of this version, making it if need be. Run it before a new version serves.

    All of the change is made or none; nodes that start it together take turns.
    """
    settings = get_settings(state=state)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    storage = bootstrap.open_storage(settings)
    try:
        bootstrap.migrate(storage)
        unsigned = list_unsigned(bootstrap.open_annex_store(storage).load_after(), datetime.now(UTC))
    finally:
        storage.close()
    console.print("The database is at the schema of this version.")
    if unsigned:
        console.print(
            f"[bold red]{len(unsigned)} annexes give no rights before two operators have signed them:[/] "
            "ksz-gateway annex propose --unsigned, then ksz-gateway annex approve --all",
            soft_wrap=True,
        )
