"""`users import`: enterprises, users, affiliations and mandates from CSV files."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from gateway.bootstrap import opened_scratch_store
from gateway.cli.output import JsonOption, Problem, StateOption, console, errors, print_json, print_table
from gateway.cli.users.acting import Acting, acting
from gateway.users.bulk import KINDS, Counts, Refusal, import_file
from gateway.users.store import UserStore, author_of

# So many refused lines are shown; all of them stand in the report.
_SHOWN = 20

File = Path | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    enterprises: Annotated[File, typer.Option(metavar="FILE", help="CSV of enterprises.")] = None,
    users: Annotated[File, typer.Option(metavar="FILE", help="CSV of users.")] = None,
    affiliations: Annotated[File, typer.Option(metavar="FILE", help="CSV of affiliations to secretariats.")] = None,
    mandates: Annotated[File, typer.Option(metavar="FILE", help="CSV of mandates.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen; keep nothing.")] = False,
    report: Annotated[File, typer.Option(metavar="FILE", help="Write every refused line to this CSV.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import CSV files, each line through the rules; a line that is refused stops no other.

    Exit code 1 when a line was refused. Example:
    [cyan]ksz-gateway users import --enterprises e.csv --users u.csv --dry-run --report refused.csv[/]
    """
    given = {"enterprises": enterprises, "users": users, "affiliations": affiliations, "mandates": mandates}
    files = {kind: path for kind in KINDS if (path := given[kind]) is not None}
    if not files:
        raise Problem("name at least one file, such as --users users.csv.")
    refused: list[Refusal] = []
    counted: dict[str, dict[str, int]] = {}
    with acting(state) as command, _reporting(report) as write:
        command.require_operator()

        def refuse(refusal: Refusal) -> None:
            write((refusal.file, refusal.line, refusal.rule, refusal.reason))
            if len(refused) < _SHOWN:
                refused.append(refusal)

        with opened_scratch_store(command.store, command.now) if dry_run else nullcontext(command.store) as store:
            for kind, path in files.items():
                counts = _import_one(kind, path, store, command, refuse)
                counted[kind] = {
                    "changed": counts.changed,
                    "unchanged": counts.unchanged,
                    "refused": counts.refused,
                }
    total = sum(each["refused"] for each in counted.values())
    if as_json:
        shown = [{"file": one.file, "line": one.line, "rule": one.rule, "reason": one.reason} for one in refused]
        print_json({"dryRun": dry_run, "files": counted, "refused": shown})
    else:
        _show(counted, refused, dry_run=dry_run)
    if total:
        where = f"; {report} has them all" if report is not None else "; --report FILE writes them all"
        raise Problem(f"{total} lines were refused{where if total > len(refused) or report else ''}.")


def _import_one(kind: str, path: Path, store: UserStore, command: Acting, refuse: Callable[[Refusal], None]) -> Counts:
    try:
        with path.open("rb") as file:
            return import_file(
                kind,
                file,
                store,
                author_of(command.session),
                command.now,
                refuse=refuse,
                progress=lambda count: errors.print(f"{kind}: {count} lines", end="\r"),
            )
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from None


def _show(counted: dict[str, dict[str, int]], refused: list[Refusal], *, dry_run: bool) -> None:
    if refused:
        print_table(("file", "line", "rule", "reason"), ((one.file, one.line, one.rule, one.reason) for one in refused))
    for kind, counts in counted.items():
        verb = "would change something" if dry_run else "changed something"
        console.print(
            f"{kind}: {counts['changed']} lines {verb}, {counts['unchanged']} were so already, "
            f"{counts['refused']} refused."
        )


@contextmanager
def _reporting(path: Path | None) -> Iterator[Callable[[Sequence[object]], object]]:
    """Give what writes a line of the report, if one is asked for."""
    if path is None:
        yield lambda row: None
        return
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "line", "rule", "reason"))
            yield writer.writerow
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}") from None
