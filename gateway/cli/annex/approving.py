"""`annex proposals`, `annex approve` and `annex withdraw`: the second of the two operators."""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Annotated, Any

import typer

from authz.annex_difference import compare_annexes
from authz.annex_document import AnnexInvalid
from gateway.annexes.activation import Activation
from gateway.annexes.approval import AnnexRefused, Approvals
from gateway.annexes.history import read_histories
from gateway.annexes.operators import Operator
from gateway.annexes.store import AnnexStore, Proposal
from gateway.bootstrap import open_annex_store, open_approvals, opened_storage
from gateway.cli.annex.difference import print_differences
from gateway.cli.annex.documents import describe_proposal
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
from gateway.cli.terminal import PasswordStdinOption, confirm
from gateway.contracts import load_contracts


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
        newest = _newest(store)
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
    as_json: JsonOption = False,
) -> None:
    """Approve what another operator proposed: see what changes, and sign just that with your key."""
    if bool(clients) == everything:
        raise Problem("name the clients whose proposals to approve, or say --all.")
    if as_json and not yes:
        raise Problem("--json shows nothing to approve and asks nobody: say --yes too.")
    with opened_storage(get_settings(state=state)) as storage:
        approvals = open_approvals(storage)
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        waiting = {each.order.client: each for each in approvals.store.load_proposals()}
        newest = _newest(approvals.store)
        if everything:
            now = datetime.now(UTC)
            clients = [
                client for client, each in waiting.items() if each.order.proposed_by != by.name and now < each.lapses_at
            ]
        approved: list[dict[str, Any]] = []
        try:
            for client in clients or ():
                if client not in waiting:
                    raise Problem(f"nothing is proposed for {client}: see ksz-gateway annex proposals.")
                if not as_json:
                    _show(waiting[client], newest.get(client))
                if not yes and not confirm(f"Approve this for {client}?"):
                    raise Problem(f"{client} stays as it is.")
                approved.append(_approve(approvals, waiting[client], by))
                if not as_json:
                    _tell(approved[-1])
        finally:
            # One that is refused takes nothing back of those before it.
            if as_json:
                print_json(approved)
        if not clients and not as_json:
            console.print("Nothing waits for your approval.")


def _approve(approvals: Approvals, proposal: Proposal, by: Operator) -> dict[str, Any]:
    """Approve it, and return what is in force then; Problem."""
    try:
        activation = approvals.approve(proposal, by=by)
    except (AnnexRefused, AnnexInvalid) as refused:
        raise Problem(f"{refused}.") from None
    return {
        "client": activation.client,
        "revision": activation.revision,
        "activeFrom": activation.active_from,
        "proposedBy": proposal.order.proposed_by,
        "approvedBy": by.name,
    }


def _tell(approved: Mapping[str, Any]) -> None:
    console.print(
        f"{approved['client']}: revision {approved['revision'][:12]} is in force from "
        f"{to_text(approved['activeFrom'])}, "
        f"proposed by {approved['proposedBy']}, approved by {approved['approvedBy']}",
        soft_wrap=True,
    )


def withdraw(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose proposal.")],
    key: KeyOption,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a proposal: any operator may, and the audit keeps who did."""
    with opened_storage(get_settings(state=state)) as storage:
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        try:
            open_approvals(storage).withdraw(client, by=by)
        except AnnexRefused as refused:
            raise Problem(f"{refused}.") from None
    if as_json:
        print_json({"client": client, "withdrawnBy": by.name})
    else:
        console.print(f"{client}: nothing is proposed any more.")


def _newest(store: AnnexStore) -> dict[str, Activation]:
    """Return the proved activation of each client that is in force, or will be, the longest.

    Only those that are proved: beside a text that somebody changed in the database, a proposal could look harmless.
    """
    histories = read_histories(store.load_after(), store.operators)
    proved = {client: history.list_proved() for client, history in histories.items()}
    return {client: activations[-1] for client, activations in proved.items() if activations}


def _describe(proposal: Proposal, replaced: Activation | None, now: datetime) -> dict[str, Any]:
    return describe_proposal(proposal) | {
        "replaces": None if replaced is None else replaced.revision,
        "lapsed": now >= proposal.lapses_at,
    }


def _show(proposal: Proposal, replaced: Activation | None) -> None:
    """Print when it is to come into force, what it changes, line by line, and in words what it allows and forbids."""
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
    if replaced is not None:
        try:
            print_differences(compare_annexes(before, proposal.document, load_contracts().shapes()))
        except AnnexInvalid as invalid:
            console.print(f"No words for it, an annex of the two cannot be used: {invalid.problems[0]}", markup=False)
