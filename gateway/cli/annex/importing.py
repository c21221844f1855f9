"""`annex import`: put annexes in force."""

from datetime import UTC, datetime
from getpass import getuser

import typer

from authz.annex_document import AnnexInvalid
from gateway.annexes.store import AnnexRefused
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.annex.documents import Files, print_problems, read_document
from gateway.cli.output import Problem, StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(files: Files, state: StateOption = None) -> None:
    """Import annexes: each comes into force two seconds later, in every running worker.

    An annex whose exact text is in force already stays as it is. A client's earlier annex is kept, and replaced.
    """
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        for file in files:
            try:
                activation = store.add(read_document(file), actor=getuser(), now=datetime.now(UTC))
            except AnnexInvalid as invalid:
                print_problems([(file, problem) for problem in invalid.problems])
                raise Problem(f"{file} cannot be used; problems found: {len(invalid.problems)}.") from None
            except AnnexRefused as refused:
                raise Problem(f"{file}: {refused}.") from None
            console.print(
                f"{activation.client}: revision {activation.revision[:12]}, in force from {activation.active_from}",
                soft_wrap=True,
            )
