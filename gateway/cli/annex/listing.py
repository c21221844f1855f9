"""`annex list`: whose annexes are in force, and what comes."""

from datetime import UTC, date, datetime
from typing import Any

import typer

from authz.annex import RoleAnnex
from authz.annex_document import AnnexInvalid
from authz.brussels import brussels_day
from gateway.annexes.activation import Activation
from gateway.annexes.history import History, read_histories
from gateway.annexes.store import AnnexStore
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.output import JsonOption, StateOption, get_settings, print_json, print_table, to_moment

_COLUMNS = ("client", "kind", "standing", "revision", "since", "operations", "next change")
# Of what nobody is proved to have signed, or this version cannot read, nothing is told as if it held.
_UNTOLD = {"kind": "", "operations": None, "validFrom": None, "validUntil": None}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)


def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the clients that have an annex: its revision, since when, how many operations, and what changes next.

    An annex that two operators are not proved to have signed gives no rights, and is listed as not proved.
    """
    now = datetime.now(UTC)
    with opened_storage(get_settings(state=state)) as storage:
        store = open_annex_store(storage)
        documents = [
            _describe(history, store, now) for history in read_histories(store.load_after(), store.operators).values()
        ]
    if as_json:
        print_json(documents)
        return
    print_table(_COLUMNS, map(_to_row, documents))


def _describe(history: History, store: AnnexStore, now: datetime) -> dict[str, Any]:
    latest, coming = history.find_latest(now), history.find_after(now)
    # A history holds one activation at least: what is not in force yet comes.
    shown = latest or history.activations[0]
    doubt = history.find_objection(now) if latest else history.proofs.find_doubt(shown)
    about = _UNTOLD | {"standing": "not proved"} if doubt else _describe_annex(shown, store, latest is not None, now)
    return {
        "client": history.client,
        "revision": shown.revision,
        "since": shown.active_from,
        "doubt": doubt,
        **about,
        "next": _describe_next(history, coming) if latest and coming else None,
    }


def _describe_annex(shown: Activation, store: AnnexStore, is_activated: bool, now: datetime) -> dict[str, Any]:
    try:
        annex = store.read_annex(shown.document)
    except AnnexInvalid:
        return _UNTOLD | {"standing": "unreadable"}
    return {
        "kind": f"role {annex.role}" if isinstance(annex, RoleAnnex) else annex.kind,
        "standing": _standing(is_activated, annex.valid_from, annex.valid_until, brussels_day(now)),
        "operations": len({key[:2] for key in annex.grants}),
        "validFrom": annex.valid_from,
        "validUntil": annex.valid_until,
    }


def _describe_next(history: History, coming: Activation) -> dict[str, Any]:
    doubt = history.proofs.find_doubt(coming)
    return {"revision": coming.revision, "activeFrom": coming.active_from, "doubt": doubt}


def _standing(is_activated: bool, begin: date, end: date | None, today: date) -> str:
    if not is_activated:
        return "coming"
    if today < begin:
        return "not valid yet"
    return "in force" if end is None or today <= end else "expired"


def _to_row(document: dict[str, Any]) -> tuple[str, ...]:
    following, end = document["next"], document["validUntil"]
    changes = [document["doubt"]] if document["doubt"] else []
    if following:
        mark = " (not proved)" if following["doubt"] else ""
        changes.append(f"{to_moment(following['activeFrom'])} {following['revision'][:12]}{mark}")
    changes += [f"ends {end}"] if end else []
    return (
        document["client"],
        document["kind"],
        document["standing"],
        document["revision"][:12],
        to_moment(document["since"]),
        "" if document["operations"] is None else str(document["operations"]),
        ", ".join(changes),
    )
