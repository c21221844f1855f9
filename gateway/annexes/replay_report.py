"""What a replay found, counted as it comes: its size does not grow with the number of records."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

from authz.answer import Deny, Permit
from gateway.annexes.replay import Replayed, Verdict
from services.descriptor import ServiceDescriptor


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one kind: of an operation, decided by one clause of the annex of then and by one of the draft."""

    verdict: Verdict
    service: str
    operation: str
    before: str
    after: str
    code: str


@dataclass(slots=True)
class ReplayReport:
    """Counts by verdict and by group, and the first `limit` records that changed or were not reproduced.

    `under_unproved` counts those that were decided under one of the revisions in `unproved`.
    """

    services: Iterable[ServiceDescriptor]
    limit: int
    unproved: Set[str] = frozenset()
    under_unproved: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, replayed: Replayed) -> None:
        """Count one."""
        verdict, row = replayed.verdict, replayed.row
        self.verdicts[verdict] += 1
        self.under_unproved += row["annex_revision"] in self.unproved
        if not verdict.is_change and verdict is not Verdict.NOT_REPRODUCED:
            return
        service, operation = row["service"], row["operation"]
        before = self._tell(service, operation, replayed.before)
        after = self._tell(service, operation, replayed.after)
        denied = next((each for each in (after, before) if each["code"]), after)
        self.groups[Group(verdict, service, operation, before["clause"], after["clause"], denied["code"])] += 1
        if len(self.listed) < self.limit:
            self.listed.append(
                {
                    "position": row["position"],
                    "ticket": row["ticket_cbss"],
                    "receivedAt": row["received_at"],
                    "client": row["client"],
                    "service": service,
                    "operation": operation,
                    "verdict": verdict,
                    "before": before,
                    "after": after,
                }
            )

    def _tell(self, service: str, operation: str, decision: Permit | Deny | None) -> dict[str, Any]:
        if decision is None:
            return {"clause": "", "case": "", "code": "", "withheld": ()}
        if isinstance(decision, Permit):
            return {"clause": decision.clause, "case": "", "code": "", "withheld": decision.withheld}
        code = self._find_code(service, operation, decision.case)
        return {"clause": decision.clause, "case": decision.case, "code": code, "withheld": ()}

    def _find_code(self, service: str, operation: str, case: str) -> str:
        rows = next((each.statuses.rows for each in self.services if each.name == service), {})
        status = rows.get(operation, {}).get(case)
        return status.code if status else case

    def to_document(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "records": self.verdicts.total(),
            "underUnproved": self.under_unproved,
            "verdicts": {verdict: self.verdicts[verdict] for verdict in Verdict},
            "groups": [
                {
                    "count": count,
                    "verdict": group.verdict,
                    "service": group.service,
                    "operation": group.operation,
                    "code": group.code,
                    "clauseBefore": group.before,
                    "clauseAfter": group.after,
                }
                for group, count in self.groups.most_common()
            ],
            "listed": self.listed,
        }
