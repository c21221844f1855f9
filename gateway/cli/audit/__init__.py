"""`audit …`: the evidence of what the gateway did, for auditors and security advisers."""

import typer

from gateway.cli.audit import erase, export, key, person, prove, report, search, show, verify

app = typer.Typer(help="Read, verify and prove what the gateway recorded.", no_args_is_help=True)
for module in (search, show, person, report, verify, prove, export, erase, key):
    module.register(app)
