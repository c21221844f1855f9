"""`personas` and `clients`: who is there to ask about, and who may ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer

from authz.annex import Annex
from authz.annex_document import read_annex
from fixtures.world import load_all_personas
from gateway.bootstrap import CannotStart, list_annexes, opened_storage
from gateway.cli.output import JsonOption, StateOption, errors, get_settings, print_json, print_table
from gateway.contracts import load_contracts
from gateway.demo_world import demo_annexes
from gateway.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(personas)
    app.command()(clients)


def personas(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List every synthetic person of the demo world: who may consult it, and what is answered."""
    loaded = load_all_personas()
    if as_json:
        print_json([persona.to_document() for persona in loaded])
        return
    print_table(
        ("ssin", "name", "description", "operation", "client", "legal context", "answer"),
        (
            ((persona.ssin, persona.name, persona.description) if first else ("", "", ""))
            + (each.operation, each.client, each.legal_context, f"{each.value} {each.code}")
            for persona in loaded
            for first, each in _marking_first(persona.expectations)
        ),
    )


def clients(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List every client whose annex is in force, with its operations and legal contexts.

    Before a state is prepared: those of the demo world.
    """
    documents = [describe(annex) for annex in _annexes(get_settings(state=state))]
    if as_json:
        print_json(documents)
        return
    print_table(
        ("name", "kind", "identity", "authentication", "service", "operation", "legal contexts"),
        (
            (
                (
                    document["name"],
                    document["kind"],
                    _identity(document),
                    ", ".join(document["authentication"]),
                )
                if first
                else ("", "", "", "")
            )
            + (each["service"], each["operation"], ", ".join(each["legalContexts"]))
            for document in documents
            for first, each in _marking_first(document["operations"] or [_NOTHING])
        ),
    )


_NOTHING = {"service": "(nothing that needs a grant)", "operation": "", "legalContexts": []}


def describe(annex: Annex) -> dict[str, Any]:
    """Return a client as a document: its identity, and its operations with their legal contexts."""
    contexts: dict[tuple[str, str], list[str]] = {}
    for service, operation, legal_context in annex.grants:
        contexts.setdefault((service, operation), []).extend([legal_context] if legal_context else [])
    return {
        "name": annex.client,
        "kind": annex.kind.value,
        **annex.identity.to_values(),
        "represents": [
            {**organisation.to_values(), "name": known.name} for organisation, known in annex.represents.items()
        ],
        "authentication": sorted(annex.methods),
        "operations": [
            {"service": service, "operation": operation, "legalContexts": sorted(named)}
            for (service, operation), named in contexts.items()
        ],
    }


def _annexes(settings: Settings) -> list[Annex]:
    """Return the annexes in force, or those of the demo world where no state was prepared yet."""
    try:
        with opened_storage(settings) as storage:
            return list_annexes(storage, datetime.now(UTC))
    except CannotStart as reason:
        errors.print(f"These are the clients of the demo world: {reason}", soft_wrap=True)
        shapes = load_contracts().shapes()
        return [read_annex(document, shapes) for document in demo_annexes()]


def _identity(document: Mapping[str, Any]) -> str:
    return document.get("cbeNumber") or f"{document['sector']}/{document['institution']}"


def _marking_first(items: Any) -> Any:
    return ((index == 0, item) for index, item in enumerate(items))
