"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import check, export, importing

app = typer.Typer(help="Check, import and export annexes.", no_args_is_help=True)
for module in (check, importing, export):
    module.register(app)
