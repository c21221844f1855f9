"""`annex import` and `annex reinstate`: what the first of the two operators proposes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.annexes.approval import AnnexRefused, Approvals
from gateway.annexes.history import list_unsigned, read_documents, read_histories
from gateway.annexes.operators import Operator
from gateway.annexes.store import AnnexStore, Proposal
from gateway.bootstrap import open_approvals, opened_storage
from gateway.cli.annex.documents import describe_proposal, read_document, usable
from gateway.cli.annex.named import get_history
from gateway.cli.annex.signing import KeyOption, read_operator
from gateway.cli.output import (
    JsonOption,
    Problem,
    StateOption,
    console,
    get_settings,
    parse_moment,
    print_json,
    to_text,
)
from gateway.cli.terminal import PasswordStdinOption

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="When it shall come into force: a time with its zone, or as a day of Brussels begins.",
        show_default="two seconds after the approval",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command()(reinstate)


def import_(
    key: KeyOption,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Annexes, YAML.")] = None,
    at: AtOption = None,
    unsigned: Annotated[
        bool,
        typer.Option(
            "--unsigned", help="Import again what is in force from before activations were signed, as it is in force."
        ),
    ] = False,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import annexes as proposals, signed with your key: each is in force once another operator has approved it.

    Until then nothing changes. A client's first annex may be in force from earlier on, any other at least two seconds
    ahead.
    """
    if bool(files) == unsigned:
        raise Problem("name the annexes to import, or say --unsigned.")
    active_from = None if at is None else parse_moment(at)
    with opened_storage(get_settings(state=state)) as storage:
        approvals = open_approvals(storage)
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        wanted = ((read_document(file), str(file), active_from) for file in files or ())
        if unsigned:
            found = list_unsigned(approvals.store.load_after(), datetime.now(UTC))
            wanted = ((each.document, each.client, each.active_from) for each in found)
        proposed = []
        try:
            for document, named, start in wanted:
                proposed.append(_propose(approvals, document, named, by, start, as_json))
        finally:
            # One that is refused takes nothing back of those before it.
            if as_json:
                print_json([describe_proposal(each) for each in proposed])
        if unsigned and not as_json:
            console.print(f"{len(proposed)} annexes from before activations were signed are proposed.")


def reinstate(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="Whose annex.")],
    revision: Annotated[
        str, typer.Argument(metavar="REVISION", help="The revision that was in force before, or how it begins.")
    ],
    key: KeyOption,
    at: AtOption = None,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose an earlier revision of an annex again; it too needs another operator's approval."""
    active_from = None if at is None else parse_moment(at)
    with opened_storage(get_settings(state=state)) as storage:
        approvals = open_approvals(storage)
        by = read_operator(storage.annex_operators, key, from_stdin=password_stdin)
        document = _find_revision(approvals.store, client, revision)
        proposal = _propose(approvals, document, f"{client} {revision}", by, active_from, as_json)
    if as_json:
        print_json(describe_proposal(proposal))


def _find_revision(store: AnnexStore, client: str, revision: str) -> str:
    """Return the document of the only revision of this client that begins so."""
    history = get_history(read_histories(store.load_after(), store.operators), client)
    stored = read_documents([history])
    found = [hashed for hashed in stored if hashed.startswith(revision)]
    if len(found) != 1:
        known = ", ".join(hashed[:12] for hashed in stored)
        raise Problem(f"{len(found)} revisions of {client} begin with {revision}; it had {known}.")
    return stored[found[0]]


def _propose(
    approvals: Approvals, document: str, named: str, by: Operator, active_from: datetime | None, as_json: bool
) -> Proposal:
    try:
        with usable(named):
            proposal = approvals.propose(document, by=by, active_from=active_from)
    except AnnexRefused as refused:
        raise Problem(f"{named}: {refused}.") from None
    if not as_json:
        _tell(proposal)
    return proposal


def _tell(proposal: Proposal) -> None:
    order = proposal.order
    when = "two seconds after the approval" if order.active_from is None else f"from {to_text(order.active_from)}"
    console.print(
        f"{order.client}: {order.proposed_by} proposes revision {order.revision[:12]}, in force {when}. "
        f"Another operator approves it: ksz-gateway annex approve {order.client}",
        soft_wrap=True,
    )
