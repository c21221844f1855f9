"""Keeps the revocation list current: its file is read again when it changes."""

from pathlib import Path

import structlog

from gateway.wss.trust import Trust

log = structlog.get_logger(__name__)


def reload_revocation_list(path: Path, trust: Trust) -> None:
    """Check certificates against the file's lists from now on. One that cannot be read leaves the former in force."""
    try:
        trust.replace_crl(path.read_bytes())
    except (OSError, ValueError) as error:
        log.error("revocation_list_unreadable", file=str(path), error=type(error).__name__)
    else:
        log.info("revocation_list_replaced", file=str(path))
