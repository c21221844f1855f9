"""`contract …`: are the committed WSDLs and XSDs whole, and what do they publish?"""

import typer

from gateway.cli.output import JsonOption, Problem, console, print_json, print_table
from gateway.contract_check import check_contracts

app = typer.Typer(help="Check the published contracts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `check` a command of its own, whatever its number of siblings."""


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Check that WSDL, XSD and services agree, and that every sample message is valid."""
    findings = check_contracts()
    if as_json:
        print_json([{"subject": one.subject, "problem": one.problem} for one in findings])
    else:
        print_table(("subject", "result"), ((one.subject, one.problem or "OK") for one in findings))
    wrong = [one for one in findings if one.problem]
    if wrong:
        raise Problem(f"{len(wrong)} of {len(findings)} checks failed.")
    if not as_json:
        console.print(f"{len(findings)} checks passed.")
