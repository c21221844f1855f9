"""`python -m fuzz`: fuzz the gateway and what it reads, print what came of it, and end with 1 if anything was found."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fuzz.run import Report, run_in_processes, try_one
from fuzz.targets import TARGETS, share_out


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.only is not None:
        return _show_one(options.target[0] if options.target else "messages", options.seed, options.only)
    counts = dict.fromkeys(options.target, options.count) if options.target else share_out(options.count)
    progress = Console(stderr=True, highlight=False)

    def tell(name: str, report: Report) -> None:
        progress.print(f"{name}: {report.inputs} of {counts[name]} inputs, findings: {len(report.findings)}")

    reports = run_in_processes(counts, options.seed, options.processes, tell)
    if options.json:
        print(json.dumps({name: _to_document(name, report) for name, report in reports.items()}, indent=2))
    else:
        describe(reports, Console(highlight=False))
    if options.keep is not None:
        _keep(options.keep, reports)
    return is_bad(reports)


def is_bad(reports: Mapping[str, Report]) -> bool:
    """Tell whether anything was found, or too little of a target was tried behind verification."""
    return any(report.is_bad(TARGETS[name]) for name, report in reports.items())


def describe(reports: Mapping[str, Report], console: Console) -> None:
    """Print the reports: no line holds anything of an input, except of those that found something."""
    table = Table("target", "inputs", "a second", "passed", "at least", "answers", "findings", header_style="bold")
    for name, report in reports.items():
        target, answers = TARGETS[name], ", ".join(f"{code} {count}" for code, count in report.codes.most_common(8))
        rate = report.inputs / report.seconds if report.seconds else 0.0
        table.add_row(
            *(f"{name}: {target.about}", str(report.inputs), f"{rate:.0f}", f"{report.share:.1%}"),
            *(f"{target.least:.0%}", answers, str(len(report.findings))),
        )
    console.print(table)
    inputs, passed = (sum(getattr(each, name) for each in reports.values()) for name in ("inputs", "passed"))
    console.print(f"{inputs} inputs, {passed} passed ({passed / inputs if inputs else 0:.1%})")
    for report in reports.values():
        for finding in report.findings:
            place = f"--target {finding.target} --seed {finding.seed} --only {finding.number}"
            console.print(f"python -m fuzz {place}", markup=False, soft_wrap=True)
            for problem in finding.problems:
                console.print(f"  {problem}", markup=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs (default: %(default)s)")
    parser.add_argument(
        "--target",
        action="append",
        choices=sorted(TARGETS),
        help="all of the inputs for this target; may be repeated (default: shared out among all)",
    )
    parser.add_argument("--seed", type=int, default=1, help="what they are made from (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="try the one input of this number, and show it")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="write the inputs that found something there")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _to_document(name: str, report: Report) -> dict[str, object]:
    findings = [{"seed": each.seed, "number": each.number, "problems": each.problems} for each in report.findings]
    return {
        "inputs": report.inputs,
        "passed": report.passed,
        "atLeast": TARGETS[name].least,
        "seconds": round(report.seconds, 1),
        "answers": dict(report.codes),
        "findings": findings,
    }


def _keep(directory: Path, reports: Mapping[str, Report]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for report in reports.values():
        for finding in report.findings:
            (directory / f"{finding.target}-{finding.seed}-{finding.number}").write_bytes(finding.content)


def _show_one(name: str, seed: int, number: int) -> int:
    tried = try_one(name, seed, number)
    print(tried.content.decode("utf-8", "backslashreplace"))
    print(f"answered {tried.code}" + "".join(f"\n  {problem}" for problem in tried.problems))
    return bool(tried.problems)


if __name__ == "__main__":
    sys.exit(main())
