"""Structured logs on standard error: one line per exchange, and what an operator must know. No SSIN and no body, ever.

Every logger of every library ends here. What libraries say is kept to warnings, and what exceptions say of data never
reaches them: the modules that catch exceptions log classes and places.
"""

import logging
import re
import sys
from typing import Any

import structlog


class _WithoutQuotations(logging.Filter):
    """Cuts gunicorn's lines off where they quote what was sent: a malformed request may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("Invalid request"):
            record.msg, record.args = _QUOTATION.split(text, maxsplit=1)[0], ()
        return True


_QUOTATION = re.compile(r"""[:=]?\s*b?["']""")
_without_quotations = _WithoutQuotations()


def configure_logs(level: str, form: str) -> None:
    """Set up logging for this process; `level` and `form` as in the settings."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stderr)
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
    logging.getLogger("gateway").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
