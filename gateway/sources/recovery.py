"""Finds out that remote sources which are left alone are there again, though nobody asks them a question.

One thread for each worker. While circuits are open their addresses are asked about nobody, each at most once in a
pause, and side by side: one that hangs takes its deadline, whatever hangs beside it.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

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
        """Ask each address that it is time to ask, and let its guard know."""
        due = [source for source in self._sources if source.guard.is_probe_due]
        if due:
            with ThreadPoolExecutor(len(due), "recovery") as pool:
                list(pool.map(_ask, due))


def _ask(source: RemoteSource) -> None:
    try:
        source.probe()
    except SourceUnavailable:
        source.guard.note_probe(answered=False)
    else:
        source.guard.note_probe(answered=True)
