"""Measures again and again, and leaves each result where the workers of the node find it."""

from pathlib import Path

import structlog

from gateway.health.measure import Measurer
from gateway.health.snapshot import write_snapshot
from gateway.watch import Watch
from services.health import Component

log = structlog.get_logger(__name__)

MEASURE_SECONDS = 5.0


class Measurements(Watch):
    """A thread that measures; `latest` is its newest result, and so is the file."""

    def __init__(self, measurer: Measurer, snapshot: Path, every_seconds: float = MEASURE_SECONDS) -> None:
        super().__init__("measurements", every_seconds)
        self._measurer = measurer
        self._snapshot = snapshot
        self._is_written = True
        self.latest: tuple[Component, ...] = ()

    def look(self) -> None:
        """Measure; that the result cannot be written is logged once, until it can."""
        self.latest = self._measurer.measure()
        try:
            write_snapshot(self._snapshot, self.latest)
            self._is_written = True
        except OSError as error:
            if self._is_written:
                log.error("measurements_not_written", file=str(self._snapshot), error=error.strerror)
            self._is_written = False

    def _watch(self) -> None:
        self.look()
        super()._watch()
