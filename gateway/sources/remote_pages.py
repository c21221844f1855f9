"""Pages of a remote source: its `next` tokens mean nothing to us, while our own positions are what our ports speak of.

Where a page of ours ended just where one of the source's did, the source's token is remembered, so that the page that
follows costs one call. Who comes with another position, or to another worker, has the pages before it read again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RemotePage(Generic[Item]):
    """What one call brought; `token` asks for what follows, None when nothing does."""

    items: tuple[Item, ...]
    token: str | None


class Pages:
    """Reads pages, and remembers the newest `most` tokens of the source. Threads share it."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tokens: OrderedDict[Hashable, str] = OrderedDict()

    def read(
        self,
        question: Hashable,
        after: Any,
        limit: int,
        ask: Callable[[str | None], RemotePage[Item]],
        place_of: Callable[[Item], Any],
    ) -> tuple[tuple[Item, ...], bool]:
        """Return at most `limit` items beyond the place `after`, and whether others may follow.

        `ask` makes one call, for the first page or for that of a token. Places are hashable, and comparable with each
        other; `after` None is before all of them.
        """
        token = self._find(question, after) if after is not None else None
        items: list[Item] = []
        while True:
            page = ask(token)
            items += [item for item in page.items if after is None or place_of(item) > after]
            token = page.token
            if token is None or len(items) >= limit:
                break
        if token is not None and len(items) == limit:
            self._remember(question, place_of(items[-1]), token)
        return tuple(items[:limit]), token is not None or len(items) > limit

    def _find(self, question: Hashable, after: Hashable) -> str | None:
        with self._lock:
            return self._tokens.get((question, after))

    def _remember(self, question: Hashable, place: Hashable, token: str) -> None:
        with self._lock:
            self._tokens[question, place] = token
            self._tokens.move_to_end((question, place))
            if len(self._tokens) > self._most:
                self._tokens.popitem(last=False)
