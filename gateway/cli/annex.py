"""`annex …`: check and import the annexes that say what each client may do."""

from collections.abc import Iterable
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from authz.annex_document import AnnexInvalid, read_any_annex
from authz.annex_yaml import AnnexProblem
from gateway.annex_store import AnnexRefused
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json
from gateway.contracts import load_contracts

app = typer.Typer(help="Check and import annexes.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Annexes, YAML.")]


@app.command()
def check(files: Files, as_json: JsonOption = False) -> None:
    """Check annexes against their schema and the contracts; every problem with its line and its remedy."""
    shapes = load_contracts().shapes()
    problems = []
    for file in files:
        try:
            read_any_annex(_read(file), shapes)
        except AnnexInvalid as invalid:
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
        _print_problems(problems)
    if problems:
        wrong = len({file for file, _ in problems})
        raise Problem(f"{wrong} of {len(files)} annexes cannot be used; problems found: {len(problems)}.")
    if not as_json:
        console.print(f"{len(files)} annexes are in order.")


@app.command("import")
def import_(files: Files, state: StateOption = None) -> None:
    """Import annexes: each comes into force two seconds later, in every running worker.

    An annex whose exact text is in force already stays as it is. A client's earlier annex is kept, and replaced.
    """
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        for file in files:
            try:
                activation = store.add(_read(file), actor=getuser(), now=datetime.now(UTC))
            except AnnexInvalid as invalid:
                _print_problems([(file, problem) for problem in invalid.problems])
                raise Problem(f"{file} cannot be used; problems found: {len(invalid.problems)}.") from None
            except AnnexRefused as refused:
                raise Problem(f"{file}: {refused}.") from None
            console.print(
                f"{activation.client}: revision {activation.revision[:12]}, in force from {activation.active_from}",
                soft_wrap=True,
            )


def _print_problems(problems: Iterable[tuple[Path, AnnexProblem]]) -> None:
    for file, one in problems:
        console.print(f"{file}:{one.line}: {one.path}: {one.message}. {one.remedy}.", markup=False, soft_wrap=True)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file} cannot be read: {error}") from None
