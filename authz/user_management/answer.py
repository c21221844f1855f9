"""The answer to a command: events, or the rule that refuses it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from authz.user_management.events import Event
from authz.user_management.question import Question


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of User Management.

    `says` is the sentence for people. `source` is the seed document and its heading; `ours` where no seed has the
    rule. `holds` tells whether a command obeys it.
    """

    rule_id: str
    says: str
    source: str
    holds: Callable[[Question], bool] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Yes: what happens, in this order. Empty when all is already as was asked."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """No, by this rule; nothing happens."""

    rule: Rule
