"""`python -m fuzz`: fuzz the gateway, print what came of it, and end with 1 if anything was found."""

import argparse
import os
import sys
from pathlib import Path

from fuzz.mutate import make_input
from fuzz.run import Report, run_in_processes, try_one
from fuzz.target import open_target

LEAST_SHARE = 0.2


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what they are made from (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="send the one input of this number, and show it")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="write the inputs that found something there")
    options = parser.parse_args(arguments)
    if options.only is not None:
        return _show_one(options.seed, options.only)
    report = run_in_processes(options.seed, options.count, options.processes)
    print(describe(report))
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        for finding in report.findings:
            (options.keep / f"{finding.seed}-{finding.number}.xml").write_bytes(finding.content)
    return is_bad(report)


def is_bad(report: Report) -> bool:
    """Tell whether anything was found, or too little was tried behind the signature."""
    return bool(report.findings) or report.share < LEAST_SHARE


def describe(report: Report) -> str:
    """Return the report as text: no line holds anything of an input, except of those that found something."""
    rate = report.inputs / report.seconds if report.seconds else 0.0
    lines = [
        f"{report.inputs} inputs in {report.seconds:.0f} s ({rate:.0f}/s)",
        f"{report.verified} passed verification ({report.share:.1%}; at least {LEAST_SHARE:.0%} must)",
        "answers: " + ", ".join(f"{code} {count}" for code, count in report.codes.most_common()),
        f"findings: {len(report.findings)}",
    ]
    for finding in report.findings:
        lines.append(f"  python -m fuzz --seed {finding.seed} --only {finding.number}")
        lines += [f"    {problem}" for problem in finding.problems]
    return "\n".join(lines)


def _show_one(seed: int, number: int) -> int:
    with open_target() as target:
        asked = make_input(target, seed, number)
        verdict = try_one(target, asked)
    print(f"{asked.request.method} {asked.request.path} {dict(asked.request.headers)} as {asked.client}")
    print(asked.request.content.decode("utf-8", "backslashreplace"))
    print(f"answered {verdict.code}" + "".join(f"\n  {problem}" for problem in verdict.problems))
    return bool(verdict.problems)


if __name__ == "__main__":
    sys.exit(main())
