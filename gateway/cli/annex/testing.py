"""`annex test`: the golden cases beside each annex."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from authz.annex_yaml import read_yaml
from gateway.annexes.cases import CasesReport, cases_beside, is_cases, run_cases
from gateway.cli.annex.documents import read_document, usable
from gateway.cli.annex.named import compile_file
from gateway.cli.output import JsonOption, Problem, console, print_json, print_table
from gateway.contracts import load_contracts


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(decide_cases)


def decide_cases(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR…", help="Annexes, YAML; or directories, for all that are in them.")
    ],
    fail_under: Annotated[
        float, typer.Option(metavar="PERCENT", min=0, max=100, help="Fail when less of an annex is exercised.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Decide the golden cases beside each annex, and tell which of its clauses none exercises.

    The cases of economy.yaml stand in economy.cases.yaml; an annex without them fails.
    """
    contracts = load_contracts()
    reports: dict[Path, CasesReport] = {}
    for file in _annexes(paths):
        annex, document = compile_file(file, contracts.shapes()), read_yaml(read_document(file))
        beside = cases_beside(file)
        if not beside.exists():
            raise Problem(f"{file} has no golden cases: write them in {beside}; docs/annex-tools.md shows how.")
        with usable(beside):
            reports[file] = run_cases(read_document(beside), annex, document, contracts)
    if not reports:
        raise Problem(f"there are no annexes (.yaml) in {', '.join(map(str, paths))}.")
    if as_json:
        print_json([_document(file, report) for file, report in reports.items()])
    else:
        _print(reports)
    failed = sum(len(report.failures) for report in reports.values())
    if failed:
        raise Problem(f"cases decided otherwise than expected: {failed}.")
    low = [file.stem for file, report in reports.items() if report.coverage < fail_under]
    if low:
        raise Problem(f"less than {fail_under:g} % is exercised of: {', '.join(low)}.")


def _annexes(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in sorted(path.glob("*.yaml")) if not is_cases(file))
        elif is_cases(path):
            raise Problem(f"{path} holds cases: name their annex instead, and they are found beside it.")
        else:
            yield path


def _print(reports: dict[Path, CasesReport]) -> None:
    for file, report in reports.items():
        for failure in report.failures:
            place = f"{cases_beside(file)}:{failure.line}"
            console.print(f"[red]failed[/] {escape(place)}: {escape(failure.rule)}", soft_wrap=True)
            for name, expected, decided in failure.differences:
                console.print(
                    f"  {escape(name)}: expected {escape(expected)}, decided {escape(decided)}", soft_wrap=True
                )
        for clause in report.unexercised:
            console.print(f"[yellow]no case[/] {escape(f'{file}:{clause.line}: {clause.clause}')}", soft_wrap=True)
    rows = (
        (file.stem, report.cases, len(report.failures), f"{report.coverage:.0f} % of {report.clauses}")
        for file, report in reports.items()
    )
    print_table(("annex", "cases", "failed", "clauses exercised"), rows)


def _document(file: Path, report: CasesReport) -> dict[str, Any]:
    return {
        "annex": file,
        "cases": report.cases,
        "failures": [
            {
                "rule": failure.rule,
                "line": failure.line,
                "differences": [
                    {"of": name, "expected": expected, "decided": decided}
                    for name, expected, decided in failure.differences
                ],
            }
            for failure in report.failures
        ],
        "clauses": report.clauses,
        "coverage": round(report.coverage, 1),
        "unexercised": [{"clause": each.clause, "line": each.line} for each in report.unexercised],
    }
