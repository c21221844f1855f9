"""`python -m faults [NAME …] [--json]`: run the faults, report what was lost and for how long service was away.

Ends with 1 when a promise was broken.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from faults.processes import measure_idle_share
from faults.promises import PROMISES, Promise
from faults.report import Report, judge, show, to_document
from faults.trial import Trial, copy_state
from tests.e2e.conftest import run_command
from tests.postgresql_server import running_server

QUIET = 0.8
"""On a machine that is idle less, a run says so."""


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments; return the exit code."""
    names = [promise.name for promise in PROMISES]
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(names)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in names]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: there are {', '.join(names)}")
    errors = Console(stderr=True, highlight=False)
    reports = []
    with tempfile.TemporaryDirectory(prefix="ksz-faults-") as directory, errors.status("preparing") as status:
        prepared = Path(directory) / "prepared"
        prepare(prepared)
        for promise in PROMISES:
            if not given.names or promise.name in given.names:
                status.update(promise.fault)
                report = _run(promise, prepared, Path(directory) / promise.name)
                errors.print(f"{promise.name}: {'broken' if report.findings else 'kept'}")
                reports.append(report)
    if given.json:
        print(json.dumps(to_document(reports), indent=2))
    else:
        show(reports, Console(width=None if sys.stdout.isatty() else 200, highlight=False))
    return int(any(report.findings for report in reports))


def _run(promise: Promise, prepared: Path, directory: Path) -> Report:
    idle = measure_idle_share()
    with ExitStack() as stack, _opened(promise, prepared, directory) as trial:
        trial.stack = stack
        if idle < QUIET:
            trial.notes.append(f"the machine had other work (idle {idle:.0%} just before): times tell about that too")
        try:
            promise.run(trial)
        except Exception as failure:
            # The other runs go on, and what was found until now is told.
            trial.findings.append(f"did not come to its end: {type(failure).__name__}: {failure}")
        return judge(promise, trial)


@contextmanager
def _opened(promise: Promise, prepared: Path, directory: Path) -> Iterator[Trial]:
    """Give a run its own world."""
    directory.mkdir()
    state = directory / "state"
    if promise.database == "sqlite":
        copy_state(prepared, state)
        yield Trial(state, f"sqlite:///{state / 'ksz.db'}")
        return
    with running_server(durable=True) as server:
        url = server.url(server.create_database())
        prepare(state, KSZ_DATABASE_URL=url)
        yield Trial(state, url, server)


def prepare(state: Path, **environment: str) -> None:
    """Make a demo world."""
    made = run_command("demo", "--state", state, **environment)
    if made.returncode != 0:
        raise SystemExit(made.stderr)


if __name__ == "__main__":
    sys.exit(main())
