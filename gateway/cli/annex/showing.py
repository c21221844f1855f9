"""`annex show`: the text of a client's annex, and when which revision of it was in force."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.syntax import Syntax

from gateway.annexes.activation import Activation
from gateway.annexes.compiled import to_document
from gateway.annexes.history import History, read_histories
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.annex.named import compile_stored, get_activation, get_history
from gateway.cli.output import (
    JsonOption,
    StateOption,
    console,
    get_settings,
    parse_moment,
    print_json,
    print_table,
    to_text,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(show)


def show(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Name of the client.")],
    revision: Annotated[
        str | None, typer.Option(metavar="HASH", help="This revision, by the beginning of its hash.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="What is in force at a time with its zone, or as a day of Brussels begins."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a client's annex, by default the one in force now, and the history of its activations.

    What two operators are not proved to have signed gives no rights, and is marked so. As JSON it is the compiled
    annex: what a decision looks things up in.
    """
    moment = parse_moment(at) if at else datetime.now(UTC)
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        history = get_history(read_histories(store.load_after(), store.operators), client)
        shown = get_activation(history, revision, moment)
    if as_json:
        compiled = to_document(compile_stored(shown, store))
        print_json(compiled | {"activations": [_describe(history, each) for each in history.activations]})
        return
    text = Syntax(shown.document.rstrip("\n"), "yaml", line_numbers=True, word_wrap=True, background_color="default")
    console.print(text if console.is_terminal else shown.document.rstrip("\n"), markup=False, soft_wrap=True)
    rows = (
        (
            str(each["sequence"]),
            each["revision"][:12],
            to_text(each["activeFrom"]),
            to_text(each["until"] or ""),
            _mark(each, shown),
        )
        for each in (_describe(history, each) for each in history.activations)
    )
    print_table(("number", "revision", "in force from", "until", ""), rows, title="Activations")


def _describe(history: History, activation: Activation) -> dict[str, Any]:
    following = history.find_after(activation.active_from)
    return {
        "sequence": activation.sequence,
        "revision": activation.revision,
        "activeFrom": activation.active_from,
        "until": following.active_from if following else None,
        "doubt": history.proofs.find_doubt(activation),
    }


def _mark(described: dict[str, Any], shown: Activation) -> str:
    marks = ["shown above"] if described["sequence"] == shown.sequence else []
    marks += [f"not proved: {described['doubt']}"] if described["doubt"] else []
    return ", ".join(marks)
