"""What a gateway logs at its most talkative, kept line by line."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.logs import configure_logs


class LogLines(io.StringIO):
    """Keeps every line that is logged, as the gateway would have printed it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        self.lines += text.splitlines()
        return len(text)


@contextmanager
def captured_logs() -> Iterator[LogLines]:
    """Log what a gateway does at its most talkative, and keep it."""
    root = logging.getLogger()
    before, level, former = root.handlers, root.level, structlog.get_config()
    kept = LogLines()
    configure_logs("debug", "json", kept)
    root.handlers = [*before, *root.handlers]
    try:
        yield kept
    finally:
        root.handlers = before
        root.setLevel(level)
        structlog.configure(**former)
