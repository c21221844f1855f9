"""Played sources beside a gateway: `ksz-gateway simulate`, as a user runs it."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.e2e.conftest import COMMAND, PATIENCE, end, wait_until


@contextmanager
def playing(line: str, state: Path, bind: str) -> Iterator[None]:
    """Run the command that plays the sources, elsewhere than on the page."""
    with (state / "simulate.log").open("wb") as output:
        process = subprocess.Popen(
            [COMMAND, *shlex.split(line), "--state", state, "--bind", bind],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: is_served(bind), (state / "simulate.log").read_text)
        yield
    finally:
        assert end(process) == 0


def is_served(bind: str) -> bool:
    try:
        return requests.get(f"http://{bind}/faults", timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False
