"""Notices that files changed, without a restart: what is read from them is read again."""

from collections.abc import Callable
from pathlib import Path

from gateway.watch import Watch

_POLL_SECONDS = 5.0

Stamp = tuple[int, int, int]


class FileWatch(Watch):
    """Watches files for one process, and calls `reload`, which must not raise, when one of them is another.

    A directory is another when a file directly in it is.
    """

    def __init__(
        self, paths: tuple[Path, ...], reload: Callable[[], None], poll_seconds: float = _POLL_SECONDS
    ) -> None:
        super().__init__(f"watch-{paths[0].name}", poll_seconds)
        self._paths = paths
        self._reload = reload
        self._seen = self._stamps()

    def look(self) -> None:
        """Reload if a file is another than the one last read."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        self._reload()

    def _stamps(self) -> tuple[tuple[Stamp, ...], ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> tuple[Stamp, ...]:
    try:
        within = sorted(path.iterdir()) if path.is_dir() else []
        return tuple((status.st_mtime_ns, status.st_size, status.st_ino) for status in map(Path.stat, [path, *within]))
    except OSError:
        return ()
