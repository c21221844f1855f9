"""Records as the commands show them: documents for programs, rows and lines for people."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from gateway.audit.record import Sealed
from gateway.audit.search import Row
from gateway.cli.output import console, to_moment, to_text

_OCTETS = frozenset({"sealed", "leaf"})
COLUMNS = ("position", "received", "kind", "client", "organisation", "operation", "outcome", "code")


def to_document(row: Row) -> dict[str, Any]:
    """Return what stands in the open of a record."""
    return {name: value for name, value in row.items() if name not in _OCTETS}


def to_row(row: Row) -> tuple[str, ...]:
    """Return a record as the line of a table, under `COLUMNS`."""
    operation = "/".join(filter(None, (row["service"], row["operation"])))
    shown = (row["kind"], row["client"], row["organisation"], operation, row["outcome"], row["code"])
    return (str(row["position"]), to_moment(row["received_at"]), *(value or "" for value in shown))


def sealed_document(sealed: Sealed) -> dict[str, Any]:
    """Return the sealed part of a record; the message as text, or as base64 where it is none."""
    message = sealed["message"]
    try:
        text = message.decode()
    except UnicodeDecodeError:
        text = base64.b64encode(message).decode()
    return {**sealed, "message": text}


def print_document(document: Mapping[str, Any], indent: str = "") -> None:
    """Print a document for people, one value a line, without what is empty."""
    for name, value in document.items():
        if value is None or value == "" or (isinstance(value, Sequence | Mapping) and not value):
            continue
        if isinstance(value, Mapping):
            console.print(f"{indent}[bold]{escape(name)}[/]")
            print_document(value, f"{indent}  ")
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(value[0], Mapping):
            for number, each in enumerate(value, start=1):
                print_document({f"{name} {number}": each}, indent)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            shown = ", ".join(to_text(each) for each in value)
            console.print(f"{indent}[bold]{escape(name)}[/] {escape(shown)}", soft_wrap=True)
        else:
            console.print(f"{indent}[bold]{escape(name)}[/] {escape(to_text(value))}", soft_wrap=True)
