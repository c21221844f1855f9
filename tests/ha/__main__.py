"""`make ha-test`: does a replicated PostgreSQL keep what the gateway has promised? Ends with 1 if not."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from gateway.cli.output import console, print_table
from tests.ha.scenario import Outcome, run_events
from tests.ha.units import verify_units
from tests.ha.world import running_world

_COLUMNS = {
    "answered": "answered",
    "without_record": "without record",
    "accepted": "accepted",
    "lost": "lost",
    "twice": "twice",
    "unexpected": "other answers",
}


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.ha", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("ha-test: run it as root: PostgreSQL runs as the account postgres.", file=sys.stderr)
        return 1
    # Whoever asks us to end gets everything ended that we have started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    problems = verify_units()
    outcomes: list[Outcome] = []
    _tell("starting three database machines, their proxy and two nodes ...")
    with running_world() as world:
        _tell("under load from eight clients:")
        for outcome in run_events(world):
            outcomes.append(outcome)
            _tell(f"  {outcome.event}: {'well' if outcome.is_good else 'NOT WELL'}")
    passed = not problems and all(outcome.is_good for outcome in outcomes)
    seconds = round(time.monotonic() - began)
    if options.json:
        document = {"passed": passed, "seconds": seconds, "units": problems}
        print(json.dumps(document | {"events": [asdict(outcome) for outcome in outcomes]}, indent=2))
    else:
        _show(outcomes, problems)
        console.print(f"{'Passed' if passed else 'FAILED'} in {seconds} s.")
    return 0 if passed else 1


def _show(outcomes: Sequence[Outcome], problems: Sequence[str]) -> None:
    print_table(
        ("", "interrupted", "stated", "whole after", *_COLUMNS.values()),
        [
            (
                outcome.event,
                *(
                    f"{value:.1f} s" if outcome.promised else ""
                    for value in (outcome.interruption, outcome.promised, outcome.whole_after)
                ),
                *(getattr(outcome.verdict, name) for name in _COLUMNS),
            )
            for outcome in outcomes
        ],
    )
    for problem in problems:
        console.print(problem, markup=False)
    console.print("Units of systemd: " + ("not in order" if problems else "in order"))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
