"""Measures again and again, and leaves each result where the workers of the node find it."""

import threading
from pathlib import Path

import structlog

from gateway.health.measure import Measurer
from gateway.health.snapshot import write_snapshot
from services.health import Component

log = structlog.get_logger(__name__)

MEASURE_SECONDS = 5.0


class Measurements:
    """A thread that measures; `latest` is its newest result, and so is the file."""

    def __init__(self, measurer: Measurer, snapshot: Path, every_seconds: float = MEASURE_SECONDS) -> None:
        self._measurer = measurer
        self._snapshot = snapshot
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="measurements", daemon=True)
        self.latest: tuple[Component, ...] = ()

    def start(self) -> None:
        """Begin to measure."""
        self._thread.start()

    def close(self) -> None:
        """Stop, after the measurement in hand."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        written = True
        while True:
            self.latest = self._measurer.measure()
            try:
                write_snapshot(self._snapshot, self.latest)
                written = True
            except OSError as error:
                if written:
                    log.error("measurements_not_written", file=str(self._snapshot), error=error.strerror)
                written = False
            if self._stop.wait(self._every_seconds):
                return
