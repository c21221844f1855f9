"""`notifications …`: what clients are told without having asked, and what of it they have."""

from collections.abc import Mapping
from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated, Any

import typer

from gateway.bootstrap import Storage, list_annexes, opened_storage
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json, print_table, to_text
from gateway.notifications import Notification, NotificationUnknown, acknowledge, list_subscriptions, pull

app = typer.Typer(help="Pull and acknowledge what clients are notified of.", no_args_is_help=True)

ClientOption = Annotated[str, typer.Option("--client", metavar="NAME", help="The client, by the name of its annex.")]


@app.command("pull")
def pull_(
    client: ClientOption,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what the client has not acknowledged, oldest first; with --json, all of each."""
    now = datetime.now(UTC)
    with opened_storage(get_settings(state=state)) as storage:
        annexes = [annex for annex in list_annexes(storage, now) if annex.client == client]
        subscriptions = [each for annex in annexes for each in list_subscriptions(annex)]
        found = pull(
            storage.commit,
            storage.trail,
            client=client,
            subscriptions=subscriptions,
            limit=limit,
            actor=getuser(),
            now=now,
        )
        if not found:
            _check_client(storage, client, now)
    if as_json:
        print_json([_to_document(each) for each in found])
        return
    if not found:
        console.print(f"Nothing waits for {client}.")
        return
    print_table(("id", "received", "action", "declaration", "worker"), (_to_row(each) for each in found))


@app.command("acknowledge")
def acknowledge_(
    client: ClientOption,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="What the client has, by its ids.")],
    state: StateOption = None,
) -> None:
    """Tell these never again: all of them, or none if one is not the client's."""
    now = datetime.now(UTC)
    with opened_storage(get_settings(state=state)) as storage:
        try:
            count = acknowledge(storage.commit, storage.trail, client=client, ids=set(ids), actor=getuser(), now=now)
        except NotificationUnknown as unknown:
            _check_client(storage, client, now)
            raise Problem(f"nothing was acknowledged: {client} has no notification {unknown}.") from None
    console.print(f"{count} acknowledged, {len(set(ids)) - count} were already.")


def _check_client(storage: Storage, client: str, now: datetime) -> None:
    names = [annex.client for annex in list_annexes(storage, now)]
    if client not in names:
        raise Problem(f"there is no client {client}; there are {', '.join(names)}.")


def _to_document(each: Notification) -> dict[str, Any]:
    return {
        "id": each.id,
        "receivedAt": each.created_at,
        "organisation": each.organisation,
        **each.content,
    }


def _to_row(each: Notification) -> tuple[object, ...]:
    worker: Mapping[str, Any] = each.content["employmentPeriod"].get("worker", {})
    number, action = each.content["declarationNumber"], each.content["action"]
    return each.id, to_text(each.created_at), action, number, worker.get("ssin", "")
