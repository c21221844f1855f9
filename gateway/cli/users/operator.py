"""`users operator …`: the gateway's own operators."""

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from gateway.cli.output import JsonOption, StateOption, console, print_json, print_table
from gateway.cli.terminal import PasswordStdinOption, read_new_password
from gateway.cli.users.acting import acting, opened_store
from gateway.users.operators import Operators, list_operators

app = typer.Typer(
    help="Operators of the gateway: they approve managers, keep the registers and import.", no_args_is_help=True
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the operator: small letters, digits, dots, hyphens.")
]


@app.command()
def add(name: Name, password_stdin: PasswordStdinOption = False, state: StateOption = None) -> None:
    """Add an operator. The first one is added by whoever runs commands on this machine, others by an operator.

    Example: [cyan]ksz-gateway users operator add nele[/]
    """
    with opened_store(state) as (_, store):
        with store.database.read() as connection:
            first = not list_operators(connection)
        if first:
            typed = read_new_password("Password", from_stdin=password_stdin)
            Operators(store).add(name, typed, by=None, machine_user=getuser(), now=datetime.now(UTC))
    if not first:
        with acting(state) as command:
            command.require_operator()
            typed = read_new_password("Provisional password", from_stdin=password_stdin)
            Operators(command.store).add(name, typed, by=command.session, machine_user=getuser(), now=command.now)
    console.print(f"{name} is an operator.")


@app.command()
def remove(name: Name, state: StateOption = None) -> None:
    """Remove an operator, and end its sessions."""
    with acting(state) as command:
        command.require_operator()
        Operators(command.store).remove(name, by=command.session, now=command.now)
    console.print(f"{name} is no operator any more.")


@app.command("list")
def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the operators."""
    with acting(state) as command:
        command.require_operator()
        with command.store.database.read() as connection:
            names = list_operators(connection)
    if as_json:
        print_json(names)
    else:
        print_table(("operator",), ((name,) for name in names))
