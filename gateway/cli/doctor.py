"""`doctor`: look a deployment over, and say what to mend."""

from datetime import UTC, datetime

import typer
from rich.text import Text

from gateway.cli.output import JsonOption, StateOption, get_settings, print_json, print_table
from services.health import State

_EXIT_CODES = {State.OK: 0, State.DEGRADED: 1, State.NOK: 2}
_STYLES = {State.OK: "green", State.DEGRADED: "yellow", State.NOK: "bold red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Look a deployment over: keys, clocks, database, audit, annexes, sources, permissions, versions, settings.

    It changes nothing. Exit code 0 all is well, 1 something wants mending soon (DEGRADED), 2 something is broken (NOK).
    """
    # Imported here: the database is not needed to print a help text.
    from gateway.doctor.checks import examine
    from gateway.doctor.deployment import Deployment

    deployment = Deployment(get_settings(state=state), datetime.now(UTC))
    try:
        results = list(examine(deployment))
    finally:
        deployment.close()
    rows = [
        {
            "check": result.check.name,
            "state": result.finding.state.value,
            "found": result.finding.detail,
            "mend": "" if result.finding.state is State.OK else result.remedy,
        }
        for result in results
    ]
    if as_json:
        print_json(rows)
    else:
        cells = (
            (row["check"], Text(row["state"], _STYLES[State(row["state"])]), row["found"], row["mend"]) for row in rows
        )
        print_table(("check", "state", "found", "mend"), cells)
    raise typer.Exit(max(_EXIT_CODES[result.finding.state] for result in results))
