"""kill -9: of a worker, of all of them, of the whole gateway, of its database."""

import os
import signal
import time
from contextlib import ExitStack, suppress

from faults.processes import find_children, find_workers, measure_processor_seconds
from faults.trial import Trial

DATABASE_AWAY_SECONDS = 5.0


def kill_one_worker(trial: Trial) -> None:
    """Kill the worker that began first; the other goes on, and gunicorn's arbiter starts a new one."""
    _kill(trial, 1)


def kill_all_workers(trial: Trial) -> None:
    """Kill all workers at once; gunicorn's arbiter starts new ones."""
    _kill(trial, None)


def _kill(trial: Trial, count: int | None) -> None:
    with trial.serving() as gateway, trial.loaded(gateway), trial.fault():
        for pid in find_workers(gateway)[:count]:
            os.kill(pid, signal.SIGKILL)


def kill_gateway(trial: Trial) -> None:
    """Kill all processes of a gateway, with SQLite in them, and start it again as a service manager would."""
    with trial.serving(ends_with=-signal.SIGKILL) as gateway, ExitStack() as later, trial.loaded(gateway) as load:
        with trial.fault():
            os.killpg(gateway.process.pid, signal.SIGKILL)
            gateway.process.wait()
        load.gateway = later.enter_context(trial.serving())
        trial.notes.append(
            f"ready {time.monotonic() - trial.ended:.1f} s after the kill,"
            f" with {measure_processor_seconds(load.gateway):.1f} s of processor time"
        )


def kill_database(trial: Trial) -> None:
    """Kill PostgreSQL with all its processes, and start it again on the same files."""
    server = trial.server
    if server is None:
        raise ValueError("this run needs a PostgreSQL of its own")
    with trial.serving() as gateway, trial.loaded(gateway), trial.fault():
        others = find_children(server.pid)
        server.stop(signal.SIGKILL)
        for pid in others:
            # Some end by themselves, when they see that the first is gone.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(DATABASE_AWAY_SECONDS)
        server.start()
