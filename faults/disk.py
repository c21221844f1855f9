"""A full disk: the state lies on a small file system of its own, and something else fills it."""

import errno
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from faults.processes import find_processes
from faults.trial import Trial, copy_state
from tests.e2e.conftest import RunningGateway

SIZE = "64m"
FULL_SECONDS = 5.0
_BLOCK = bytes(4096)


def fill_disk(trial: Trial) -> None:
    """Fill the file system that the state lies on; where none may be mounted, forbid the gateway to let files grow."""
    mounted = _mount(trial)
    with (
        trial.serving() as gateway,
        trial.loaded(gateway),
        trial.fault(),
        _filled(trial) if mounted else _no_file_grows(gateway),
    ):
        time.sleep(FULL_SECONDS)


def _mount(trial: Trial) -> bool:
    small = trial.state.with_name("small")
    small.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "ksz-faults", str(small)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        trial.notes.append("no file system may be mounted here: RLIMIT_FSIZE instead")
        return False
    trial.stack.callback(subprocess.run, ["umount", str(small)], check=True)
    copy_state(trial.state, small / "state")
    trial.move(small / "state")
    return True


@contextmanager
def _filled(trial: Trial) -> Iterator[None]:
    filler = trial.state / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_BLOCK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def _no_file_grows(gateway: RunningGateway) -> Iterator[None]:
    processes = find_processes(gateway)
    before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in processes]
    for pid, (_, hard) in zip(processes, before, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (len(_BLOCK), hard))
    try:
        yield
    finally:
        for pid, limits in zip(processes, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
