"""`audit …`: the evidence of what the gateway did, for auditors and security advisers."""

import typer

from gateway.cli.audit import key

app = typer.Typer(help="Read, verify and prove what the gateway recorded.", no_args_is_help=True)
for module in (key,):
    module.register(app)
