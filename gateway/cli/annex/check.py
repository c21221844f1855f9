"""`annex check`: find every mistake in annexes before anybody imports them."""

import typer

from authz.annex_document import AnnexInvalid, read_any_annex
from authz.decision_cases import CasesInvalid, CasesPart, read_cases
from gateway.annexes.cases import is_cases
from gateway.cli.annex.documents import Files, print_problems, read_document
from gateway.cli.output import JsonOption, Problem, console, print_json
from gateway.contracts import load_contracts


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(files: Files, as_json: JsonOption = False) -> None:
    """Check annexes against their schema and the contracts; every problem with its line and its remedy.

    Of golden cases, which stand beside them, the schema is checked; `annex test` decides them.
    """
    shapes = load_contracts().shapes()
    problems = []
    for file in files:
        try:
            if is_cases(file):
                read_cases(read_document(file), CasesPart)
            else:
                read_any_annex(read_document(file), shapes)
        except (AnnexInvalid, CasesInvalid) as invalid:
            problems += [(file, problem) for problem in invalid.problems]
    if as_json:
        print_json(
            [
                {
                    "file": file,
                    "line": one.line,
                    "path": one.path,
                    "message": one.message,
                    "remedy": one.remedy,
                }
                for file, one in problems
            ]
        )
    else:
        print_problems(problems, console)
    if problems:
        wrong = len({file for file, _ in problems})
        raise Problem(f"{wrong} of {len(files)} files cannot be used; problems found: {len(problems)}.")
    if not as_json:
        console.print(f"In order: {', '.join(map(str, files))}.", markup=False, soft_wrap=True)
