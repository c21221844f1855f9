"""How far long work on the log has got, on standard error if that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from gateway.cli.output import errors


@contextmanager
def advancing(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Give what is told the position reached; the bar is gone in the end."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda position: progress.update(task, completed=position)
