"""`users history …`: every change ever made, by whom; and the check that none was altered."""

import json
from typing import Annotated

import typer

from gateway.cli.output import JsonOption, Problem, StateOption, console, print_json, print_table, to_text
from gateway.cli.users.acting import EnterpriseOption, acting
from gateway.users.documents import UnreadableDocument
from gateway.users.history import Head, HistoryAltered, read_history
from gateway.users.sessions import Kind
from gateway.users.verification import verify_history

app = typer.Typer(help="The history of User Management.", no_args_is_help=True)


@app.command()
def show(
    after: Annotated[int, typer.Option(metavar="N", help="Begin after the enterprise's event N.")] = 0,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many events.")] = 1000,
    operators: Annotated[bool, typer.Option("--operators", help="What concerns the operators themselves.")] = False,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the changes to an enterprise's account, oldest first: what, by whom, in which session, when."""
    with acting(state, enterprise) as command:
        command.require_chief_or_operator()
        if operators:
            command.require_operator()
        elif command.session.kind is not Kind.OPERATOR:
            command.account()
        number = "" if operators else command.enterprise
        with command.store.database.read() as connection:
            entries = list(read_history(connection, number, after=after, limit=limit))
    if as_json:
        print_json(
            [
                {
                    "sequence": each.sequence,
                    "version": each.version,
                    "actor": each.author.name,
                    "session": each.author.session,
                    "recordedAt": each.recorded_at,
                    **json.loads(each.event),
                }
                for each in entries
            ]
        )
        return
    print_table(
        ("event", "what", "by", "when"),
        (
            (
                each.version,
                json.loads(each.event)["event"],
                each.author.name,
                to_text(each.recorded_at),
            )
            for each in entries
        ),
    )


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="SEQUENCE:DIGEST", help="Head that an earlier verification gave: nothing before is gone."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no event was altered, inserted or removed, and that every account is what its events make it.

    Keep the head that it prints somewhere else: only with one can it be told that the newest events were not cut off.
    """
    kept = _read_head(head) if head is not None else None
    with acting(state) as command:
        command.require_operator()
        try:
            with command.store.database.read() as connection:
                found = verify_history(connection, kept)
        except (HistoryAltered, UnreadableDocument) as altered:
            raise Problem(f"the history is NOT intact: {altered}.") from None
    if as_json:
        print_json({"intact": True, "sequence": found.sequence, "digest": found.digest, "headGiven": kept is not None})
        return
    console.print(f"Intact: {found.sequence} events. Head: {found.sequence}:{found.digest}", soft_wrap=True)
    if kept is None:
        console.print("No earlier head was given: whether the newest events were cut off cannot be known.")


def _read_head(text: str) -> Head:
    sequence, _, digest = text.partition(":")
    if not sequence.isdecimal() or len(digest) != 64:
        raise Problem("a head is a number, a colon and 64 hexadecimal digits.")
    return Head(int(sequence), digest.lower())
