"""`personas`, `employers` and `clients`: who is there to ask about, and who may ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer
from rich.markup import escape

from authz.annex import Annex, ClientKind, RoleAnnex
from authz.annex_document import read_any_annex
from fixtures.employers import load_employers
from fixtures.persona import Expectation
from fixtures.world import load_all_personas
from gateway.bootstrap import CannotStart, list_all_annexes, opened_storage
from gateway.cli.output import JsonOption, StateOption, console, errors, get_settings, print_json, print_table
from gateway.contracts import load_contracts
from gateway.demo_world import demo_annexes
from gateway.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(personas)
    app.command()(employers)
    app.command()(clients)


def personas(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List every synthetic person of the demo world: who may consult it, and what is answered."""
    loaded = load_all_personas()
    if as_json:
        print_json([persona.to_document() for persona in loaded])
        return
    for persona in loaded:
        console.print(f"[bold]{persona.ssin}[/] {escape(f'{persona.name}: {persona.description}')}", soft_wrap=True)
        for each in persona.expectations:
            criteria = " ".join(f"{name} {value}" for name, value in each.leaves())
            question = " ".join(filter(None, (each.operation, _asker(each), criteria)))
            console.print(f"  {escape(question)}: [cyan]{each.value} {each.code}[/]", soft_wrap=True)


def employers(as_json: JsonOption = False) -> None:
    """List every employer of the synthetic register, with the numbers to ask by.

    Of a natural person nobody is told but a user who may reach that employer.
    """
    loaded = load_employers()
    if as_json:
        print_json([employer.to_document() for employer in loaded])
        return
    rows = (
        (
            employer.key,
            employer.register.value,
            employer.registration_number,
            employer.enterprise_number or "",
            employer.description,
        )
        for employer in loaded
    )
    print_table(("employer", "register", "registration number", "enterprise number", "situation"), rows)


def clients(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List every client whose annex is in force, with its operations and legal contexts; and the annexes for a role.

    Before a state is prepared: those of the demo world.
    """
    documents = [describe(annex) for annex in _annexes(get_settings(state=state))]
    if as_json:
        print_json(documents)
        return
    for document in documents:
        proof = " or ".join(document["authentication"])
        console.print(
            f"[bold]{document['name']}[/] {document['kind']} {_identity(document)}, proves itself by {proof}",
            soft_wrap=True,
        )
        for each in document["operations"]:
            contexts = ", ".join(each["legalContexts"])
            under = f" under [cyan]{contexts}[/]" if contexts else ""
            console.print(f"  {each['service']} {each['operation']}{under}", soft_wrap=True)


def _asker(each: Expectation) -> str:
    customer = "/".join(str(part) for part in each.customer.values())
    return f"by {each.client} for {customer} under {each.legal_context}"


def describe(annex: Annex | RoleAnnex) -> dict[str, Any]:
    """Return a client as a document: its identity, or its role, and its operations with their legal contexts."""
    contexts: dict[tuple[str, str], list[str]] = {}
    for service, operation, legal_context in annex.grants:
        contexts.setdefault((service, operation), []).extend([legal_context] if legal_context else [])
    return {
        "name": annex.client,
        **_who(annex),
        "authentication": sorted(annex.methods),
        "operations": [
            {"service": service, "operation": operation, "legalContexts": sorted(named)}
            for (service, operation), named in contexts.items()
        ],
    }


def _who(annex: Annex | RoleAnnex) -> dict[str, Any]:
    if isinstance(annex, RoleAnnex):
        return {"kind": ClientKind.ENTERPRISE.value, "role": annex.role.value, "represents": []}
    return {
        "kind": annex.kind.value,
        **annex.identity.to_values(),
        "represents": [
            {**organisation.to_values(), "name": known.name} for organisation, known in annex.represents.items()
        ],
    }


def _annexes(settings: Settings) -> list[Annex | RoleAnnex]:
    """Return the annexes in force, or those of the demo world where no state was prepared yet."""
    try:
        with opened_storage(settings) as storage:
            return list_all_annexes(storage, datetime.now(UTC))
    except CannotStart as reason:
        errors.print(f"These are the clients of the demo world: {reason}", soft_wrap=True)
        shapes = load_contracts().shapes()
        return [read_any_annex(document, shapes) for document in demo_annexes()]


def _identity(document: Mapping[str, Any]) -> str:
    if "role" in document:
        return f"with the role {document['role']}"
    return document.get("cbeNumber") or f"{document['sector']}/{document['institution']}"
