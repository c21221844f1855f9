"""`annex list`: whose annexes are in force, and what comes."""

from datetime import UTC, date, datetime
from typing import Any

import typer

from authz.annex import RoleAnnex
from authz.brussels import brussels_day
from gateway.annexes.history import History, read_histories
from gateway.annexes.store import AnnexStore
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.output import JsonOption, StateOption, get_settings, print_json, print_table, to_moment

_COLUMNS = ("client", "kind", "standing", "revision", "since", "operations", "next change")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)


def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the clients that have an annex: its revision, since when, how many operations, and what changes next."""
    now = datetime.now(UTC)
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        documents = [_describe(history, store, now) for history in read_histories(store.load_after()).values()]
    if as_json:
        print_json(documents)
        return
    print_table(_COLUMNS, map(_to_row, documents))


def _describe(history: History, store: AnnexStore, now: datetime) -> dict[str, Any]:
    current, coming = history.find_at(now), history.find_after(now)
    # A history holds one activation at least: what is not in force yet comes.
    shown = current or history.activations[0]
    annex = store.read_annex(shown.document)
    return {
        "client": history.client,
        "kind": f"role {annex.role}" if isinstance(annex, RoleAnnex) else annex.kind,
        "standing": _standing(current is not None, annex.valid_from, annex.valid_until, brussels_day(now)),
        "revision": shown.revision,
        "since": shown.active_from,
        "operations": len({key[:2] for key in annex.grants}),
        "validFrom": annex.valid_from,
        "validUntil": annex.valid_until,
        "next": {"revision": coming.revision, "activeFrom": coming.active_from} if current and coming else None,
    }


def _standing(is_activated: bool, begin: date, end: date | None, today: date) -> str:
    if not is_activated:
        return "coming"
    if today < begin:
        return "not valid yet"
    return "in force" if end is None or today <= end else "expired"


def _to_row(document: dict[str, Any]) -> tuple[str, ...]:
    following, end = document["next"], document["validUntil"]
    changes = [f"{to_moment(following['activeFrom'])} {following['revision'][:12]}"] if following else []
    changes += [f"ends {end}"] if end else []
    return (
        document["client"],
        document["kind"],
        document["standing"],
        document["revision"][:12],
        to_moment(document["since"]),
        str(document["operations"]),
        ", ".join(changes),
    )
