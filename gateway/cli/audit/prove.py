"""`audit prove`: a file that proves to a third party that a record is in the log."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit.proof import NotProvable, prove_record
from gateway.audit.search import find_record
from gateway.audit.stored_log import StoredLog
from gateway.bootstrap import opened_storage
from gateway.cli.audit.show import RecordArgument
from gateway.cli.output import Problem, StateOption, console, get_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(prove)


def prove(
    record: RecordArgument,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the proof goes, such as record.tlog-proof; new.")],
    state: StateOption = None,
) -> None:
    """Prove that a record is in the log, as a small text file that docs/verify_proof.py verifies by itself.

    It holds the record's entry (persons as pseudonyms, the rest encrypted), its path to the root, and the signed root.
    """
    with opened_storage(get_settings(state=state)) as storage, storage.database.read() as connection:
        found = find_record(connection, record)
        if len(found) != 1:
            told = "there is no record" if not found else f"{len(found)} records answer to"
            raise Problem(f"{told} {record}: name one by its position; audit search shows it.")
        try:
            with console.status("Following the path to the root ..."):
                proof = prove_record(StoredLog(connection), found[0]["position"])
        except NotProvable as reason:
            raise Problem(f"{reason}: audit verify tells more.") from None
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(proof.text)
    except FileExistsError:
        raise Problem(f"{out} is there already: a proof replaces nothing.") from None
    except OSError as error:
        raise Problem(f"{out}: {error.strerror}.") from None
    console.print(f"{out}: proves record {proof.index} of {proof.size}.", soft_wrap=True)
