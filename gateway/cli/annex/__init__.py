"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import approving, check, operators, proposing

app = typer.Typer(help="Check annexes, propose and approve them.", no_args_is_help=True)
for module in (check, proposing, approving, operators):
    module.register(app)
