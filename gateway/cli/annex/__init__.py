"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import check, explain, importing

app = typer.Typer(help="Check, import and explain annexes.", no_args_is_help=True)
for module in (check, importing, explain):
    module.register(app)
