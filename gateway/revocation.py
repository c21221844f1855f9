"""Keeps the revocation list current: reads its file again when it changes, without a restart."""

import threading
from pathlib import Path

import structlog

from gateway.wss.trust import Trust

log = structlog.get_logger(__name__)

_POLL_SECONDS = 5.0


class RevocationWatch:
    """Watches the file of the revocation lists for one process. One that cannot be read leaves the former in force."""

    def __init__(self, path: Path, trust: Trust, poll_seconds: float = _POLL_SECONDS) -> None:
        self._path = path
        self._trust = trust
        self._poll_seconds = poll_seconds
        self._seen = self._stamp()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="revocation-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Read the file if it is another than the one last read."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._trust.replace_crl(self._path.read_bytes())
        except (OSError, ValueError) as error:
            log.error("revocation_list_unreadable", file=str(self._path), error=type(error).__name__)
        else:
            log.info("revocation_list_replaced", file=str(self._path))

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _watch(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            self.look()
