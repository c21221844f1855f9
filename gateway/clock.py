"""The one clock of the gateway. Everything that needs the time takes a clock, so that tests bring their own."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)
