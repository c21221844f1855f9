"""Structured logs on standard error: one line per exchange, and what an operator must know. No SSIN and no body, ever.

Every logger of every library ends here. What libraries say is kept to warnings, and what exceptions say of data never
reaches them: the modules that catch exceptions log classes and places. Our own lines do not pass through `logging`,
which would cost several times more than they.
"""

import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog


class _Lines:
    """Writes each line at once, whole; as with `logging`, what cannot be written is lost and harms nobody."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _WithoutQuotations(logging.Filter):
    """Cuts gunicorn's lines off where they quote what was sent: a malformed request may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("Invalid request"):
            record.msg, record.args = _QUOTATION.split(text, maxsplit=1)[0], ()
        return True


_QUOTATION = re.compile(r"""[:=]?\s*b?["']""")
_without_quotations = _WithoutQuotations()


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process; `level` and `form` as in the settings, `stream` instead of standard error."""
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("gunicorn.error").addFilter(_without_quotations)
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=lambda *_: _Lines(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
