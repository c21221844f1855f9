"""What was activated of each client's annex: what is in force at a moment, what comes after it, and what was before.

For people, who are shown what is stored and told what of it is not proved; only what two operators are proved to have
signed is in force, by the rule that workers have in `gateway.annexes.known`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from authz.annex_document import revision_of
from gateway.annexes.activation import Activation, NotProved, follow_clients, prove
from gateway.annexes.operators import OperatorKeys


class Proofs:
    """What is wrong with activations; each is proved when that is first asked."""

    def __init__(self, history: Iterable[Activation], operators: OperatorKeys) -> None:
        """Prove what is in a whole history, in the order of their numbers, by the keys that `operators` knows now."""
        self._before = {each.sequence: before for each, before in follow_clients(history)}
        self._operators = operators
        self._doubts: dict[int, str | None] = {}

    def find_doubt(self, activation: Activation) -> str | None:
        """Return why it is not proved; None where it is."""
        number = activation.sequence
        if number not in self._doubts:
            try:
                prove(activation, self._before[number], self._operators)
                self._doubts[number] = None
            except NotProved as doubt:
                self._doubts[number] = str(doubt)
        return self._doubts[number]


@dataclass(frozen=True, slots=True)
class History:
    """A client's activations, in the order in which they come into force. A revision may come back."""

    client: str
    activations: tuple[Activation, ...]
    proofs: Proofs

    def find_at(self, moment: datetime) -> Activation | None:
        """Return what is in force at the moment; None before the first, and where `find_objection` has one."""
        return None if self.find_objection(moment) else self.find_latest(moment)

    def find_latest(self, moment: datetime) -> Activation | None:
        """Return the last whose time has come at the moment, proved or not; None before the first."""
        return next((each for each in reversed(self.activations) if each.active_from <= moment), None)

    def find_objection(self, moment: datetime) -> str | None:
        """Return why what would be in force gives no rights: it, or one added later, is not proved."""
        latest = self.find_latest(moment)
        if latest is None:
            return None
        for each in (latest, *(each for each in self.activations if each.sequence > latest.sequence)):
            if doubt := self.proofs.find_doubt(each):
                return f"activation {each.sequence} is not proved: {doubt}"
        return None

    def find_after(self, moment: datetime) -> Activation | None:
        """Return what comes next after the moment, proved or not; None if nothing does."""
        return next((each for each in self.activations if each.active_from > moment), None)

    def find_revisions(self, beginning: str) -> list[Activation]:
        """Return the last activation of each revision whose hash begins so, one that is proved before others."""
        matching = [each for each in self.activations if each.revision.startswith(beginning.lower())]
        proved = {each.revision: each for each in matching if not self.proofs.find_doubt(each)}
        return list(({each.revision: each for each in matching} | proved).values())

    def list_proved(self) -> list[Activation]:
        """Return the activations that are proved, in their order."""
        return [each for each in self.activations if not self.proofs.find_doubt(each)]


def read_documents(histories: Iterable[History]) -> dict[str, str]:
    """Return the document of each revision that was ever stored as it was hashed, proved or not."""
    stored = (each for history in histories for each in history.activations)
    return {each.revision: each.document for each in stored if revision_of(each.document) == each.revision}


def list_proved_revisions(histories: Iterable[History]) -> frozenset[str]:
    """Return the revisions that two operators are proved to have put in force, ever."""
    return frozenset(each.revision for history in histories for each in history.list_proved())


def read_histories(activations: Iterable[Activation], operators: OperatorKeys) -> dict[str, History]:
    """Return the history of each client, by name in alphabetical order; `activations` are all, by their numbers."""
    known = list(activations)
    proofs = Proofs(known, operators)
    found: dict[str, list[Activation]] = {}
    for each in sorted(known, key=lambda each: (each.active_from, each.sequence)):
        found.setdefault(each.client, []).append(each)
    return {client: History(client, tuple(found[client]), proofs) for client in sorted(found)}


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
