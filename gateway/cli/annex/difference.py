"""`annex diff`: what a change of an annex allows and forbids."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from authz.annex_difference import list_differences, read_compared
from authz.difference import Difference, Effect, Side
from gateway.annexes.history import History, read_histories
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.annex.documents import usable
from gateway.cli.annex.named import read_named
from gateway.cli.output import JsonOption, StateOption, console, get_settings, print_json
from gateway.contracts import load_contracts
from gateway.settings import Settings

_COLOURS = {Effect.ALLOWS: "green", Effect.FORBIDS: "red", Effect.NEUTRAL: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(diff)


def diff(
    before: Annotated[
        str, typer.Argument(metavar="BEFORE", help="A file, CLIENT (what is in force now), or CLIENT@REVISION.")
    ],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="The same, for what comes after it.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell in words what a change allows and what it forbids; what is only written otherwise is no difference."""
    now = datetime.now(UTC)
    histories = _histories(get_settings(state=state)) if not _are_files(before, after) else {}
    first, second = (read_named(name, histories, now) for name in (before, after))
    shapes = load_contracts().shapes()
    with usable(first.name):
        earlier = read_compared(Side.BEFORE, first.text, shapes)
    with usable(second.name):
        later = read_compared(Side.AFTER, second.text, shapes)
    found = list_differences(earlier, later)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    print_differences(found)
    counts = ", ".join(f"{effect} {sum(each.effect is effect for each in found)}" for effect in Effect)
    console.print(f"{first.name} -> {second.name}: {counts}" if found else "They say the same.", soft_wrap=True)


def print_differences(found: Iterable[Difference]) -> None:
    """Print each difference in words, under what it is about."""
    about = None
    for each in found:
        if each.about != about:
            about = each.about
            console.print(f"[bold]{escape(about)}[/]", soft_wrap=True)
        console.print(_line(each), soft_wrap=True)


def _line(difference: Difference) -> str:
    place = f"{difference.side} line {difference.line}, {difference.clause}"
    effect = f"[{_COLOURS[difference.effect]}]{difference.effect:7}[/]"
    return f"  {effect} {escape(difference.text)} [dim]({escape(place)})[/]"


def _are_files(*names: str) -> bool:
    return all("/" in name or name.endswith(".yaml") for name in names)


def _histories(settings: Settings) -> dict[str, History]:
    with opened_storage(settings) as storage:
        return read_histories(open_annex_store(storage).load_after(), storage.annex_operators)
