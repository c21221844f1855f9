"""Finds out that a remote source which is left alone is there again, though nobody asks it a question.

One thread for each worker. While a circuit is open, the address is asked about nobody, at most once in a pause.
"""

import threading
from collections.abc import Iterable

from gateway.sources.remote import RemoteSource
from services.consultation import SourceUnavailable

_EVERY_SECONDS = 1.0


class Recovery:
    """Looks after the sources of one process."""

    def __init__(self, sources: Iterable[RemoteSource], every_seconds: float = _EVERY_SECONDS) -> None:
        self._sources = tuple(sources)
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="recovery", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, after the question in hand."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Ask each address that it is time to ask, one after the other, and let its guard know."""
        for source in self._sources:
            if self._stop.is_set() or not source.guard.is_probe_due:
                continue
            try:
                source.probe()
            except SourceUnavailable:
                source.guard.note_probe(answered=False)
            else:
                source.guard.note_probe(answered=True)

    def _watch(self) -> None:
        while not self._stop.wait(self._every_seconds):
            self.look()
