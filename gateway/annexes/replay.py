"""Past consultations decided again, from what their decisions rested on: under the annex of then, and under a draft.

Whoever asked, with whose certificate and how often is not decided here: an annex's certificates, methods and quotas
change no answer of a replay.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from authz.annex import Annex, RoleAnnex
from authz.answer import Deny, Permit
from authz.decision import decide
from authz.ssin import Environment
from gateway.audit.reading import Consultation
from gateway.audit.record import Sealed
from gateway.audit.recorded import NoDecision, RecordedDecision, read_decision
from gateway.audit.search import Row
from gateway.refusal import reason_of


class Verdict(StrEnum):
    """What became of a consultation that was decided again; the last three are no changes."""

    PERMIT_TO_DENY = "permit to deny"
    DENY_TO_PERMIT = "deny to permit"
    WITHHELD_DIFFERS = "withheld differs"
    TOLD_DIFFERS = "other persons may be told"
    DENIED_OTHERWISE = "denied for another reason"
    SAME = "same"
    NOT_DECIDED = "not decided"
    UNREADABLE = "unreadable"
    NOT_REPRODUCED = "not reproduced"

    @property
    def is_change(self) -> bool:
        """Tell whether the answer would be another one."""
        return self not in (Verdict.SAME, Verdict.NOT_DECIDED, Verdict.UNREADABLE, Verdict.NOT_REPRODUCED)


class NotOfTheRole(Exception):
    """An annex for a role decides only what somebody who has the role asked."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record with what became of it; `after` is the decision under the draft, `before` that of then."""

    row: Row
    verdict: Verdict
    before: Permit | Deny | None = None
    after: Permit | Deny | None = None


class Replayer:
    """Decides again; without a draft, under the revision that each record names."""

    def __init__(
        self,
        documents: Mapping[str, str],
        read_annex: Callable[[str], Annex | RoleAnnex],
        environment: Environment,
        draft: Annex | RoleAnnex | None = None,
    ) -> None:
        """`documents` has every revision that was ever in force; each is compiled when it is first needed."""
        self._documents = documents
        self._read_annex = read_annex
        self._environment = environment
        self._draft = draft
        self._compiled: dict[str, Annex | RoleAnnex] = {}

    def replay(self, consultations: Iterable[Consultation]) -> Iterator[Replayed]:
        """Decide each again, in their order."""
        for each in consultations:
            if each.sealed is None:
                yield Replayed(each.row, Verdict.UNREADABLE)
                continue
            try:
                recorded = read_decision(each.sealed)
            except NoDecision:
                yield Replayed(each.row, Verdict.NOT_DECIDED)
                continue
            yield self._decide_again(each.row, each.sealed, recorded)

    def _decide_again(self, row: Row, sealed: Sealed, recorded: RecordedDecision) -> Replayed:
        if row["annex_revision"] not in self._documents:
            return Replayed(row, Verdict.NOT_REPRODUCED)
        before = self._decide(self._get_annex(row["annex_revision"]), recorded)
        if not _is_as_recorded(before, row, sealed):
            return Replayed(row, Verdict.NOT_REPRODUCED, before)
        if self._draft is None:
            return Replayed(row, Verdict.SAME, before, before)
        after = self._decide(self._draft, recorded)
        return Replayed(row, _compare(before, after, recorded), before, after)

    def _decide(self, annex: Annex | RoleAnnex, recorded: RecordedDecision) -> Permit | Deny:
        if isinstance(annex, RoleAnnex):
            if recorded.facts.holder is None:
                raise NotOfTheRole(f"the draft is for the role {annex.role}, which whoever asked has not")
            annex = annex.make_out_to(recorded.facts.holder)
        return decide(annex, recorded.request, recorded.facts, recorded.decided_at, self._environment)

    def _get_annex(self, revision: str) -> Annex | RoleAnnex:
        if revision not in self._compiled:
            self._compiled[revision] = self._read_annex(self._documents[revision])
        return self._compiled[revision]


def _is_as_recorded(decision: Permit | Deny, row: Row, sealed: Sealed) -> bool:
    """Tell whether the decision is the one that was made then. Only a permit leaves a deliberation in the record."""
    if row["annex_clause"] != decision.clause:
        return False
    if isinstance(decision, Deny):
        return row["deliberation"] is None and sealed["reason"] == reason_of(decision)
    return row["deliberation"] == decision.deliberation and set(row["withheld"]) <= set(decision.withheld)


def _compare(before: Permit | Deny, after: Permit | Deny, recorded: RecordedDecision) -> Verdict:
    if isinstance(before, Permit) and isinstance(after, Permit):
        if set(before.withheld) != set(after.withheld) or set(before.dropped) != set(after.dropped):
            return Verdict.WITHHELD_DIFFERS
        # Of persons whom the request did not name, the facts were not needed to decide and are not in the record.
        found = before.integration != after.integration and not recorded.request.subjects
        return Verdict.TOLD_DIFFERS if found else Verdict.SAME
    if isinstance(before, Deny) and isinstance(after, Deny):
        return Verdict.SAME if before.case == after.case else Verdict.DENIED_OTHERWISE
    return Verdict.PERMIT_TO_DENY if isinstance(after, Deny) else Verdict.DENY_TO_PERMIT
