"""How many requests a second one source may send to this process: a token bucket for each, in bounded memory.

It is asked before anything is done for a request, so it asks nobody: no database, no other process.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

BURST_SECONDS = 2.0
"""A source that was silent for so long may send at once what it may send in that time."""
MOST_SOURCES = 10_000


class RateLimit:
    """Thread-safe. `per_second` of 0 is no limit."""

    def __init__(
        self,
        per_second: int,
        monotonic: Callable[[], float] = time.monotonic,
        most_sources: int = MOST_SOURCES,
    ) -> None:
        self._interval = 1.0 / per_second if per_second else 0.0
        self._monotonic = monotonic
        self._most_sources = most_sources
        # When each bucket will be full again, the source that was heard last at the end (the generic cell rate
        # algorithm): a source that is not here has a full bucket.
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, source: str) -> int:
        """Count a request of the source: 0 if it may pass, otherwise the seconds, 1 or more, until the next one may.

        What may not pass costs the source nothing. Of more sources than are remembered, the one that was silent
        longest is forgotten.
        """
        if not self._interval:
            return 0
        with self._lock:
            now = self._monotonic()
            full_at = max(now, self._full_at.get(source, now)) + self._interval
            waits = full_at - now - BURST_SECONDS
            if waits <= 0:
                self._full_at[source] = full_at
            if source in self._full_at:
                self._full_at.move_to_end(source)
            if len(self._full_at) > self._most_sources:
                self._full_at.popitem(last=False)
        return max(1, round(waits)) if waits > 0 else 0
