"""`annex replay`: past consultations decided again."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress

from authz.annex import Annex
from gateway.annexes.history import History, list_proved_revisions, read_documents, read_histories
from gateway.annexes.replay import NotOfTheRole, Replayer, Verdict
from gateway.annexes.replay_report import ReplayReport
from gateway.annexes.store import AnnexStore
from gateway.audit.search import Row
from gateway.audit.walk import Stretch, count_exchanges, walk_exchanges
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.annex.named import compile_file
from gateway.cli.audit.auditor import AuditorKeyOption, PasswordStdinOption, auditing
from gateway.cli.output import (
    JsonOption,
    Problem,
    StateOption,
    console,
    errors,
    get_settings,
    parse_moment,
    print_json,
    print_table,
    to_text,
)
from gateway.contracts import load_contracts
from gateway.storage.database import Database
from services.registry import load_services


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From this time with its zone on, or from a day of Brussels on.")
    ],
    draft: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Annex to decide under. Without one: under the revisions of then, which must decide the same.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Up to this time, itself not included.", show_default="now")
    ] = None,
    client: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose consultations.", show_default="those of the draft's client, or all"),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="List at most so many records; all are counted.")] = 20,
    auditor_key: AuditorKeyOption = None,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide past consultations again under a draft, and tell which answers would change.

    Each is decided from the request, the facts and the moment that the audit keeps sealed; nothing else is asked.
    What the draft says about certificates, methods and quotas changes no answer here. Reading is recorded.
    """
    settings = get_settings(state=state)
    begin, end = parse_moment(since), parse_moment(until) if until else datetime.now(UTC)
    if end <= begin:
        raise Problem(f"--since {to_text(begin)} does not lie before --until {to_text(end)}: nothing is between them.")
    compiled = compile_file(draft, load_contracts().shapes()) if draft else None
    name = client or (compiled.client if compiled else None)
    with opened_storage(settings) as storage:
        store = open_annex_store(storage)
        histories = read_histories(store.load_after(), store.operators)
        of_role = _find_role_revisions(name, histories, store)
        stretch = Stretch(begin, end, name if of_role is None else None)
        documents = read_documents(histories.values())
        report = ReplayReport(
            load_services(), limit, unproved=documents.keys() - list_proved_revisions(histories.values())
        )
        replayer = Replayer(documents, store.read_annex, settings.environment, compiled)
        rows = (
            row
            for row in _with_progress(storage.database, stretch)
            if of_role is None or row["annex_revision"] in of_role
        )
        request = {**asdict(stretch), "client": name, "draft": compiled.revision if compiled else None}
        with auditing(storage, settings, auditor_key, password_stdin=password_stdin) as reader:
            try:
                for replayed in replayer.replay(reader.open_all(rows, "annex replay", request)):
                    report.add(replayed)
            except NotOfTheRole as other:
                raise Problem(f"{other}: name one who has it with --client.") from None
    if as_json:
        print_json(report.to_document())
    else:
        _print(report)
    unreadable = report.verdicts[Verdict.UNREADABLE]
    if unreadable and unreadable == report.verdicts.total():
        message = "was it sealed for another auditor's key, or its month erased?"
        raise Problem(f"none of the {unreadable} records could be read, so nothing is known: {message}")
    wrong = report.verdicts[Verdict.NOT_REPRODUCED]
    if wrong:
        message = "the records, the annexes or the program changed since; audit verify tells about the records"
        raise Problem(f"{wrong} decisions are not as they were recorded: {message}.")


def _find_role_revisions(
    name: str | None, histories: Mapping[str, History], store: AnnexStore
) -> frozenset[str] | None:
    """Return the revisions of an annex for a role, of whose decisions the records name the clients; None for others."""
    history = histories.get(name or "")
    proved = history.list_proved() if history else []
    if not proved or isinstance(store.read_annex(proved[-1].document), Annex):
        return None
    return frozenset(each.revision for each in proved)


def _with_progress(database: Database, stretch: Stretch) -> Iterator[Row]:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("Deciding again", total=count_exchanges(database, stretch))
        for row in walk_exchanges(database, stretch):
            yield row
            progress.advance(task)


def _print(report: ReplayReport) -> None:
    document = report.to_document()
    if not document["records"]:
        console.print("No consultation was recorded then.")
        return
    print_table(("records", "count"), [(verdict, count) for verdict, count in document["verdicts"].items() if count])
    if document["groups"]:
        keys = ("count", "verdict", "service", "operation", "code", "clauseBefore", "clauseAfter")
        columns = ("count", "change", "service", "operation", "code", "clause then", "clause now")
        print_table(columns, ([each[key] for key in keys] for each in document["groups"]), title="Changes")
    if document["listed"]:
        rows = (
            (each["position"], to_text(each["receivedAt"]), each["client"], each["operation"], each["verdict"])
            for each in document["listed"]
        )
        print_table(("position", "received", "client", "operation", "change"), rows, title="The first of them")
    if report.under_unproved:
        told = "were decided under an annex that two operators are not proved to have signed"
        console.print(f"[red]{report.under_unproved} of them {told}.[/]", soft_wrap=True)
    if unreadable := report.verdicts[Verdict.UNREADABLE]:
        told = "could not be read: whether their answers would change is not known"
        console.print(f"[red]{unreadable} of them {told}.[/]", soft_wrap=True)
    console.print(f"{document['records']} records; {sum(each['count'] for each in document['groups'])} changes.")
