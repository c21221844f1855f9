"""Whether the database holds what the clients were answered: read on a machine itself, past gateway and proxy."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.ha.load import DECLARATION, Attempt
from tests.ha.machine import Machine


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was answered, and what of it the database lacks or has too much of."""

    answered: int
    without_record: int
    accepted: int
    lost: int
    twice: int
    unexpected: int

    @property
    def is_good(self) -> bool:
        """Nothing is missing, and there was something to miss."""
        return min(self.answered, self.accepted) > 0 and not any(
            (self.without_record, self.lost, self.twice, self.unexpected)
        )


class Judge:
    """Knows which declarations the database held before the clients began."""

    def __init__(self, primary: Machine) -> None:
        self._before = set(_list_declarations(primary))

    def judge(self, machine: Machine, attempts: Sequence[Attempt]) -> Verdict:
        """Compare all that clients were told, none of whom waits still, with what this machine holds."""
        recorded = set(machine.run_sql("SELECT ticket_cbss FROM audit_records WHERE kind = 'exchange'"))
        known = set(machine.run_sql("SELECT ticket FROM dimona_submissions"))
        declared = [period for number, period in set(_list_declarations(machine)) - self._before]
        served = [each for each in attempts if each.is_served]
        accepted = {each.ticket: each.period_id for each in served if each.kind == DECLARATION}
        # A number that was given again to another would hide that the first is gone: its ticket would not be known.
        kept = [ticket for ticket, period in accepted.items() if ticket in known and period in declared]
        return Verdict(
            answered=len(served),
            without_record=sum(each.ticket_cbss not in recorded for each in served),
            accepted=len(accepted),
            lost=len(accepted) - len(kept),
            # Each was sent until it was accepted: what is there besides was declared once more.
            twice=max(0, len(declared) - len(kept)),
            unexpected=sum(each.is_unexpected for each in attempts),
        )


def _list_declarations(machine: Machine) -> list[tuple[str, str]]:
    rows = machine.run_sql("SELECT number, period_id FROM dimona_declarations")
    return [(number, period) for number, _, period in (row.partition("|") for row in rows)]
