"""`annex …`: the annexes that say what each client may do, from a draft to what is in force."""

import typer

from gateway.cli.annex import check, difference, explain, importing, listing, replaying, showing, testing

app = typer.Typer(help="Check, compare, explain, test, replay and import annexes.", no_args_is_help=True)
for module in (check, importing, listing, showing, difference, explain, testing, replaying):
    module.register(app)
