"""`ksz-gateway`, the command: one module per group of commands, each a thin layer over the gateway's own functions."""

import sys

import typer
from sqlalchemy.exc import DBAPIError

from gateway.bootstrap import CannotStart
from gateway.cli import (
    annex,
    audit,
    call,
    contract,
    demo,
    doctor,
    inscriptions,
    maintenance,
    migrate,
    notifications,
    probe,
    serve,
    simulate,
    tour,
    users,
    world,
)
from gateway.cli.output import Problem, show_problem
from gateway.logs import configure_logs
from gateway.storage.naming import MEND_DATABASE, reason_of

app = typer.Typer(
    name="ksz-gateway",
    help="A SOAP gateway for social security consultations: run it, call it, and manage who may use it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for module in (demo, migrate, serve, simulate, tour, call, doctor, probe, world):
    module.register(app)
app.add_typer(annex.app, name="annex")
app.add_typer(audit.app, name="audit")
app.add_typer(inscriptions.app, name="inscriptions")
app.add_typer(notifications.app, name="notifications")
app.add_typer(contract.app, name="contract")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(users.app, name="users")


def main() -> None:
    """Run the command; what it cannot do is one clear line on standard error and exit code 1."""
    # Of what a gateway logs, a command shows what went wrong, and never among what it prints for programs.
    configure_logs("error", "console")
    try:
        app()
    except (Problem, CannotStart) as problem:
        show_problem(problem)
        sys.exit(1)
    except DBAPIError as error:
        show_problem(Problem(f"the database failed ({reason_of(error)}): {MEND_DATABASE}."))
        sys.exit(1)
