"""Which processor each worker keeps to.

The threads of a worker take turns in the interpreter. On two processors each turn moves all that they work on from one
cache to the other: that costs a third of a request. A worker has one processor, and the other workers have the others.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence


def find_processors() -> Sequence[int]:
    """Return the processors that this process may use, none where the system does not tell.

    They begin at another one in each process, so that several gateways of one machine do not crowd the first.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    usable = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(usable)
    return (*usable[first:], *usable[:first])


def choose_processor(processors: Sequence[int], taken: Iterable[int]) -> int:
    """Return the first of the processors that the fewest workers have; `taken` are those of all workers."""
    workers = Counter(taken)
    return min(processors, key=lambda processor: workers[processor])


def keep_to(processor: int) -> None:
    """Keep this process, and the threads that it will start, to one processor."""
    os.sched_setaffinity(0, {processor})
