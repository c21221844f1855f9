"""`annex proposals`, `annex approve` and `annex withdraw`: the second of the two operators."""

from collections.abc import Container
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Annotated, Any

import typer

from authz.annex_document import AnnexInvalid
from gateway.annexes.activation import Activation, list_proved
from gateway.annexes.approval import AnnexRefused
from gateway.annexes.store import AnnexStore, Proposal
from gateway.bootstrap import open_annex_store, open_approvals, opened_storage
from gateway.cli.annex.signing import KeyOption, read_operator
from gateway.cli.output import (
    JsonOption,
    Problem,
    StateOption,
    console,
    get_settings,
    print_json,
    print_table,
    to_text,
)
from gateway.cli.users.terminal import PasswordStdinOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (proposals, approve, withdraw):
        app.command()(command)


def proposals(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List what waits for a second operator: who proposed it, for when, and which revision it replaces."""
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        now = datetime.now(UTC)
        waiting = store.load_proposals()
        newest = _newest(store, {each.order.client for each in waiting})
        documents = [_describe(each, newest.get(each.order.client), now) for each in waiting]
    if as_json:
        print_json(documents)
        return
    print_table(
        ("client", "revision", "replaces", "in force from", "proposed by", "until"),
        (
            (
                each["client"],
                each["revision"][:12],
                (each["replaces"] or "")[:12],
                to_text(each["activeFrom"] or "the approval"),
                each["proposedBy"],
                "lapsed" if each["lapsed"] else to_text(each["lapsesAt"]),
            )
            for each in documents
        ),
    )


def approve(
    key: KeyOption,
    clients: Annotated[list[str] | None, typer.Argument(metavar="CLIENT…", help="Whose proposals.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every proposal of others that has not lapsed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve what is shown without asking.")] = False,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
) -> None:
    """Approve what another operator proposed: see what changes, and sign just that with your key."""
    if bool(clients) == everything:
        raise Problem("name the clients whose proposals to approve, or say --all.")
    with opened_storage(get_settings(state=state)) as storage:
        approvals = open_approvals(storage)
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        waiting = {each.order.client: each for each in approvals.store.load_proposals()}
        newest = _newest(approvals.store, waiting)
        if everything:
            now = datetime.now(UTC)
            clients = [
                client for client, each in waiting.items() if each.order.proposed_by != by.name and now < each.lapses_at
            ]
        for client in clients or ():
            if client not in waiting:
                raise Problem(f"nothing is proposed for {client}: see ksz-gateway annex proposals.")
            _show(waiting[client], newest.get(client))
            if not yes and not typer.confirm(f"Approve this for {client}?"):
                raise Problem(f"{client} stays as it is.")
            try:
                activation = approvals.approve(waiting[client], by=by)
            except (AnnexRefused, AnnexInvalid) as refused:
                raise Problem(f"{refused}.") from None
            console.print(
                f"{client}: revision {activation.revision[:12]} is in force from {to_text(activation.active_from)}, "
                f"proposed by {waiting[client].order.proposed_by}, approved by {by.name}",
                soft_wrap=True,
            )


def withdraw(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose proposal.")],
    key: KeyOption,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
) -> None:
    """Withdraw a proposal: any operator may, and the audit keeps who did."""
    with opened_storage(get_settings(state=state)) as storage:
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        try:
            open_approvals(storage).withdraw(client, by=by)
        except AnnexRefused as refused:
            raise Problem(f"{refused}.") from None
    console.print(f"{client}: nothing is proposed any more.")


def _newest(store: AnnexStore, clients: Container[str]) -> dict[str, Activation]:
    """Return the activation of each of these clients that is in force, or will be, the longest.

    Only those that are proved: beside a text that somebody changed in the database, a proposal could look harmless.
    """
    history = (each for each in store.load_after() if each.client in clients)
    by_instant = sorted(list_proved(history, store.operators), key=lambda each: (each.active_from, each.sequence))
    return {each.client: each for each in by_instant}


def _describe(proposal: Proposal, replaced: Activation | None, now: datetime) -> dict[str, Any]:
    order = proposal.order
    return {
        "client": order.client,
        "revision": order.revision,
        "replaces": None if replaced is None else replaced.revision,
        "activeFrom": order.active_from,
        "proposedBy": order.proposed_by,
        "proposedAt": order.proposed_at,
        "lapsesAt": proposal.lapses_at,
        "lapsed": now >= proposal.lapses_at,
    }


def _show(proposal: Proposal, replaced: Activation | None) -> None:
    """Print when it is to come into force, and what it changes, line by line."""
    order = proposal.order
    start = to_text(order.active_from or "the approval")
    console.print(
        f"{order.client}: proposed by {order.proposed_by}, in force from {start}", markup=False, soft_wrap=True
    )
    before = "" if replaced is None else replaced.document
    names = "nothing" if replaced is None else replaced.revision[:12], order.revision[:12]
    lines = unified_diff(before.splitlines(), proposal.document.splitlines(), *names, lineterm="")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
