"""What a simulated source does wrong, how often, and where: `hang`, `hang=10%`, `SelfEmployedService/v2:hang=10%`."""

import random
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A way of answering badly."""

    SLOW = "slow"
    REFUSE = "refuse"
    GARBAGE = "garbage"
    DTD = "dtd"
    HUGE = "huge"
    FORGED = "forged"
    STALE = "stale"
    WRONG_PERSON = "wrong-person"
    HANG = "hang"
    DRIP = "drip"
    CLOSE = "close"


MEANINGS = {
    Fault.SLOW: "answers after two seconds",
    Fault.REFUSE: "answers HTTP 503 at once",
    Fault.GARBAGE: "answers with something that is no XML",
    Fault.DTD: "answers with a document type declaration",
    Fault.HUGE: "answers with 64 MiB",
    Fault.FORGED: "signs with another key",
    Fault.STALE: "answers with its answer to another question",
    Fault.WRONG_PERSON: "answers about another person, signed",
    Fault.HANG: "takes the question and says nothing",
    Fault.DRIP: "answers an octet at a time",
    Fault.CLOSE: "closes the connection in the middle of the answer",
}

_LINE = re.compile(r"(?:(?P<where>[^:=%]+):)?(?P<fault>[a-z-]+)(?:=(?P<percent>\d{1,3}(?:\.\d+)?)%)?")


class NoSuchFault(ValueError):
    """The text names no fault; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault in a share (0 to 1) of the calls to the paths that hold `where`."""

    fault: Fault
    share: float = 1.0
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}{':' if self.where else ''}{self.fault}={self.share * 100:g}%"


def read_rule(text: str) -> Rule:
    """Read a rule; NoSuchFault for another text."""
    found = _LINE.fullmatch(text.strip())
    share = float(found["percent"] or 100) / 100 if found else 0.0
    if found is None or found["fault"] not in list(Fault) or share > 1:
        raise NoSuchFault(f"{text}: write [SERVICE:]FAULT[=PERCENT%], FAULT one of {', '.join(Fault)}")
    return Rule(Fault(found["fault"]), share, found["where"] or "")


class Faults:
    """The rules in force; threads share it, and each of them may replace all of them."""

    def __init__(self, rules: Iterable[Rule] = (), seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - it decides which call fails, no secret
        self._lock = threading.Lock()
        self._rules = tuple(rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self._rules

    def replace(self, *lines: str) -> None:
        """Put rules in place of all there were; NoSuchFault for a line that is none, and then the former stay."""
        self._rules = tuple(read_rule(line) for line in lines)

    def pick(self, path: str) -> Fault | None:
        """Return what to do wrong with a call to this path: the first rule that holds and whose share it falls into."""
        with self._lock:
            for rule in self._rules:
                if rule.where in path and self._random.random() < rule.share:
                    return rule.fault
        return None
