"""What was activated of each client's annex: what is in force at a moment, what comes after it, and what was before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.annexes.activation import Activation


@dataclass(frozen=True, slots=True)
class History:
    """A client's activations, in the order in which they come into force. A revision may come back."""

    client: str
    activations: tuple[Activation, ...]

    def find_at(self, moment: datetime) -> Activation | None:
        """Return what is in force at the moment; None before the first."""
        return next((each for each in reversed(self.activations) if each.active_from <= moment), None)

    def find_after(self, moment: datetime) -> Activation | None:
        """Return what comes into force next after the moment; None if nothing does."""
        return next((each for each in self.activations if each.active_from > moment), None)

    def find_revisions(self, beginning: str) -> list[Activation]:
        """Return the last activation of each revision whose hash begins so."""
        found = {each.revision: each for each in self.activations if each.revision.startswith(beginning.lower())}
        return list(found.values())


def read_histories(activations: Iterable[Activation]) -> dict[str, History]:
    """Return the history of each client, by name in alphabetical order."""
    found: dict[str, list[Activation]] = {}
    for each in sorted(activations, key=lambda each: (each.active_from, each.sequence)):
        found.setdefault(each.client, []).append(each)
    return {client: History(client, tuple(found[client])) for client in sorted(found)}


def list_unsigned(activations: Iterable[Activation], now: datetime) -> list[Activation]:
    """Return of each client the activation in force, or else the first to come, that nobody signed; by client."""
    histories: dict[str, dict[datetime, Activation]] = {}
    for each in sorted(activations, key=lambda one: (one.active_from, one.sequence)):
        # Of two for one instant, the later counts; what is replaced already does not.
        history = histories.setdefault(each.client, {})
        if each.active_from <= now:
            history.clear()
        history[each.active_from] = each
    first = (
        next((each for each in histories[client].values() if each.signatures is None), None)
        for client in sorted(histories)
    )
    return [each for each in first if each is not None]
