"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import (
    approving,
    check,
    difference,
    explain,
    export,
    importing,
    listing,
    operators,
    replaying,
    showing,
    testing,
)

app = typer.Typer(help="Annexes, from a draft to what is in force.", no_args_is_help=True)
for module in (
    check,
    difference,
    testing,
    replaying,
    importing,
    approving,
    listing,
    showing,
    explain,
    export,
    operators,
):
    module.register(app)
