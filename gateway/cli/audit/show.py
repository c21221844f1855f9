"""`audit show`: all of a record."""

from typing import Annotated

import typer

from gateway.audit.sealing import SealBroken
from gateway.audit.search import find_record
from gateway.bootstrap import opened_storage
from gateway.cli.audit.auditor import AuditorKeyOption, PasswordStdinOption, auditing
from gateway.cli.audit.documents import print_document, sealed_document, to_document
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json

RecordArgument = Annotated[
    str, typer.Argument(metavar="RECORD", help="A ticketCBSS, a client's ticket, or a position.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(show)


def show(
    record: RecordArgument,
    auditor_key: AuditorKeyOption = None,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what stands in the open of a record; with the auditor's key the question, the facts, the reason too.

    Reading what is sealed is itself recorded.
    """
    settings = get_settings(state=state)
    with opened_storage(settings) as storage:
        with storage.database.read() as connection:
            found = find_record(connection, record)
        if not found:
            raise Problem(f"there is no record {record}: audit search finds what there is.")
        documents = [to_document(row) for row in found]
        if auditor_key is not None:
            with auditing(storage, settings, auditor_key, password_stdin=password_stdin) as reader:
                for row, document in zip(found, documents, strict=True):
                    try:
                        document["sealed"] = sealed_document(reader.unseal(row))
                    except SealBroken as broken:
                        raise Problem(
                            f"the sealed part of record {row['position']} cannot be read: {broken}."
                        ) from None
    if as_json:
        print_json(documents)
        return
    for number, document in enumerate(documents):
        if number:
            console.print()
        print_document(document)
