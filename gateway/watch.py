"""A thread of a process that looks again and again at what may change."""

import threading
from abc import ABC, abstractmethod


class Watch(ABC):
    """Looks every so many seconds from `start` to `close`."""

    def __init__(self, name: str, every_seconds: float) -> None:
        """Prepare a thread of this name."""
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop, after the look in hand."""
        self._stop.set()
        self._thread.join()

    @abstractmethod
    def look(self) -> None:
        """Look once; must not raise."""

    def _watch(self) -> None:
        while not self._stop.wait(self._every_seconds):
            self.look()
