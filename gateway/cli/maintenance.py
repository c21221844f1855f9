"""`maintenance …`: close the gateway with a message for its callers, and open it again."""

from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from gateway.bootstrap import opened_storage
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, parse_moment, print_json
from gateway.maintenance import MaintenanceRefused, begin_maintenance, end_maintenance, find_maintenance

app = typer.Typer(help="Close the gateway with a message for its callers, and open it again.", no_args_is_help=True)


@app.command()
def on(
    message: Annotated[str, typer.Option(metavar="TEXT", help="What callers are told, strangers too.")],
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="The announced end, such as 2026-06-30T22:00+02:00.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Close all nodes within a second: callers get GTW00002, HealthCheck is answered and says so.

    It stays closed until `maintenance off`, whatever end was announced. Run it again to change what is told.
    Example: [cyan]ksz-gateway maintenance on --message "New version; back soon."[/]
    """
    end = parse_moment(until) if until is not None else None
    with opened_storage(get_settings(state=state)) as storage:
        try:
            begun = begin_maintenance(storage.commit, storage.trail, message, end, getuser(), datetime.now(UTC))
        except MaintenanceRefused as refused:
            raise Problem(f"{refused}.") from None
    console.print(f"Closed. Callers are told: {begun.told}", soft_wrap=True, markup=False)


@app.command()
def off(state: StateOption = None) -> None:
    """Open all nodes again, within a second."""
    with opened_storage(get_settings(state=state)) as storage:
        try:
            end_maintenance(storage.commit, storage.trail, getuser(), datetime.now(UTC))
        except MaintenanceRefused as refused:
            raise Problem(f"{refused}.") from None
    console.print("Open.")


@app.command()
def status(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Tell whether the gateway is closed, by whom, since when, and what callers are told."""
    with opened_storage(get_settings(state=state)) as storage, storage.database.read() as connection:
        found = find_maintenance(connection)
    if as_json:
        print_json({"on": False} if found is None else {"on": True, **asdict(found)})
    elif found is None:
        console.print("Open.")
    else:
        since = f"{found.since:%Y-%m-%d %H:%M} UTC"
        console.print(f"Closed by {found.account} since {since}: {found.told}", soft_wrap=True, markup=False)
