"""The checks of a request as the commands show them: how each ended, and of a dry run all that the gateway told."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.text import Text

from authz.explanation import Result
from gateway.cli.output import console, print_table

_COLOURS = {Result.PASSED: "green", Result.REFUSED: "bold red", Result.NOT_APPLICABLE: "dim", Result.NOT_REACHED: "dim"}


def result_cell(result: Result) -> Text:
    """Return how a check ended as the cell of a table."""
    return Text(result, _COLOURS[result])


def show_dry_run(status: Mapping[str, Any], explanation: Mapping[str, Any]) -> None:
    """Print a line for each check of a dry run, then whether the request would pass and what that rests on."""
    rows = (
        (each["name"], each.get("ssin", ""), result_cell(Result[each["result"]]), each.get("clause", ""))
        for each in explanation["check"]
    )
    print_table(("check", "person", "result", "clause"), rows)
    decision, clause = explanation["decision"].lower(), explanation.get("clause", "no clause")
    console.print(f"[bold]{decision}[/] {status['value']} {status['code']}, by {escape(clause)}", soft_wrap=True)
    told = {name: explanation[name] for name in ("allowed", "withheld", "dropped") if name in explanation}
    told |= {each["fieldName"]: each["fieldValue"] for each in status["information"]}
    for name, value in told.items():
        text = value if isinstance(value, str) else ", ".join(value)
        console.print(f"  {escape(name)}: {escape(text)}", soft_wrap=True)
    console.print(escape(status["description"]), soft_wrap=True)
