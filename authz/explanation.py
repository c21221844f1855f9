"""Why a request was decided as it was: every check in its order, walking the very rules that `decide` applies.

Pure, and for people: nothing here stands on a request's way. An explanation says nothing of a check after the one that
decided, nor of a person after the one who was refused: whoever may see the decision may see all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from authz.annex import Annex
from authz.answer import Deny, Permit
from authz.decision import make_question, permit
from authz.question import AccessFacts, AccessRequest, Question
from authz.rules import PERSON_RULES, REQUEST_RULES, Rule
from authz.ssin import Environment


class Result(StrEnum):
    """How a check ended. One that does not apply can object to nothing in this request."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_APPLICABLE = "not applicable"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it asks, the clause of the annex that it rests on, and how it ended.

    `clause` is empty where no clause does or the check was not reached; `allowed` says what would have passed, empty
    unless refused; `subject` is the SSIN of the person checked, None for a check of the request itself.
    """

    name: str
    asks: str
    result: Result
    clause: str = ""
    allowed: str = ""
    subject: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every check in its order, and the decision, which is that of `decide`."""

    checks: tuple[Check, ...]
    decision: Permit | Deny


def explain(
    annex: Annex, request: AccessRequest, facts: AccessFacts, now: datetime, environment: Environment
) -> Explanation:
    """Explain. Arguments and errors are those of `authz.decision.decide`."""
    question = make_question(annex, request, facts, now, environment)
    checks = []
    denial: Deny | None = None
    for rule, subject in _rules_in_order(question):
        if denial is not None:
            checks.append(Check(rule.name, rule.asks, Result.NOT_REACHED, subject=subject))
            continue
        denial = rule.check(question)
        checks.append(_conclude(rule, question, denial, subject))
    return Explanation(tuple(checks), denial or permit(question))


def _rules_in_order(question: Question) -> Iterator[tuple[Rule, str | None]]:
    """Yield each rule with the person that it looks at; None for the rules of the request itself."""
    for rule in REQUEST_RULES:
        yield rule, None
    for ssin in question.request.subjects:
        for person_rule in PERSON_RULES:
            yield person_rule.about(ssin), ssin


def _conclude(rule: Rule, question: Question, denial: Deny | None, subject: str | None) -> Check:
    if denial is not None:
        return Check(rule.name, rule.asks, Result.REFUSED, denial.clause, denial.allowed, subject)
    if not rule.applies(question):
        return Check(rule.name, rule.asks, Result.NOT_APPLICABLE, subject=subject)
    return Check(rule.name, rule.asks, Result.PASSED, rule.clause(question), subject=subject)
