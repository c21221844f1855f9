"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import check, difference, explain, export, importing, listing, replaying, showing, testing

app = typer.Typer(help="Annexes, from a draft to what is in force.", no_args_is_help=True)
for module in (check, difference, importing, listing, showing, explain, testing, replaying, export):
    module.register(app)
