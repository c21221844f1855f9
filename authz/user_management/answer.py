"""The answer to a command: events, or the rule that refuses it.

`decision.decide(account, command, actor, world, now)` gives it; `account` is None only before RegisterEnterprise, `now`
is aware.
"""

from dataclasses import dataclass

from authz.user_management.events import Event


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of User Management: its id, the sentence for people, and where it stands (`ours` where no seed has it)."""

    rule_id: str
    says: str
    source: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Yes: what happens, in this order. Empty when all is as was asked already."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """No, by this rule; nothing happens."""

    rule: Rule
