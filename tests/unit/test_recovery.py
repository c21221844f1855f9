"""Looking for sources that were away: all that are due side by side, each at most once in a pause."""

from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.sources.recovery import Recovery
from services.consultation import SourceUnavailable


class Source:
    """A source whose address answers when as many are asked at the same time as there are places at the barrier."""

    def __init__(self, barrier: Barrier, *, due: bool = True, answers: bool = True) -> None:
        self._barrier, self._answers = barrier, answers
        self.told: list[bool] = []
        self.guard: Any = SimpleNamespace(is_probe_due=due, note_probe=lambda *, answered: self.told.append(answered))

    def probe(self) -> None:
        self._barrier.wait(timeout=30)
        if not self._answers:
            raise SourceUnavailable("no answer")


def test_those_that_hang_keep_no_other_waiting() -> None:
    barrier = Barrier(11)
    sources: list[Any] = [Source(barrier, answers=number > 0) for number in range(11)]
    Recovery(sources).look()
    assert [source.told for source in sources] == [[False], *[[True]] * 10]


def test_only_those_that_are_due_are_asked() -> None:
    sources: list[Any] = [Source(Barrier(1), due=due) for due in (True, False)]
    Recovery(sources).look()
    assert [source.told for source in sources] == [[True], []]


def test_a_mistake_of_ours_is_not_kept_quiet() -> None:
    broken: Any = Source(Barrier(1))
    broken.probe = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        Recovery([broken]).look()
