"""Finds out that a remote source which is left alone is there again, though nobody asks it a question.

One thread for each worker. While a circuit is open, the address is asked about nobody, at most once in a pause.
"""

from collections.abc import Iterable

from gateway.sources.remote import RemoteSource
from gateway.watch import Watch
from services.consultation import SourceUnavailable

_EVERY_SECONDS = 1.0


class Recovery(Watch):
    """Looks after the sources of one process."""

    def __init__(self, sources: Iterable[RemoteSource], every_seconds: float = _EVERY_SECONDS) -> None:
        super().__init__("recovery", every_seconds)
        self._sources = tuple(sources)

    def look(self) -> None:
        """Ask each address that it is time to ask, one after the other, and let its guard know."""
        for source in self._sources:
            if self.is_closing or not source.guard.is_probe_due:
                continue
            try:
                source.probe()
            except SourceUnavailable:
                source.guard.note_probe(answered=False)
            else:
                source.guard.note_probe(answered=True)
