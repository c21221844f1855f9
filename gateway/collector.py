"""Python's garbage collector, kept from what stays as long as the process does."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_what_stays() -> Iterator[None]:
    """Keep the collector away from what is made in the block, then and later: it would take a fifth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
