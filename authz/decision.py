"""The decision: may this client consult these persons, for this organisation, with these criteria, now?

Pure and fast: a few look-ups in a compiled annex, whatever the number of annexes. The first rule that objects decides:
those of the request, then, for each person asked about, those of a person (`authz.rules`). `authz.explanation` walks
the same rules.
"""

from datetime import datetime

from authz.annex import Annex
from authz.answer import Deny, Permit
from authz.brussels import brussels_day
from authz.question import AccessFacts, AccessRequest, Question
from authz.rules import PERSON_RULES, REQUEST_RULES
from authz.ssin import Environment

_REQUEST_CHECKS = tuple(rule.check for rule in REQUEST_RULES)
_PERSON_CHECKS = tuple(rule.check for rule in PERSON_RULES)


def make_question(
    annex: Annex, request: AccessRequest, facts: AccessFacts, now: datetime, environment: Environment
) -> Question:
    """Return what the rules look at; ValueError for a `now` without a time zone."""
    customer = request.customer or annex.identity
    grant = None
    for candidate in annex.grants.get((request.service, request.operation, request.legal_context), ()):
        if customer in candidate.customers:
            grant = candidate
            break
    return Question(annex, request, facts, customer, grant, now, brussels_day(now), environment)


def decide(
    annex: Annex, request: AccessRequest, facts: AccessFacts, now: datetime, environment: Environment
) -> Permit | Deny:
    """Decide. `now` is aware; ValueError if a request about a person comes without that person's facts."""
    question = make_question(annex, request, facts, now, environment)
    return _find_denial(question) or permit(question)


def permit(question: Question) -> Permit:
    """Return what is granted where no rule objects."""
    revision, grant = question.annex.revision, question.grant
    if grant is None:
        return Permit(revision, "", "")
    return Permit(revision, grant.clause, grant.deliberation, grant.withheld, grant.dropped, grant.integration)


def _find_denial(question: Question) -> Deny | None:
    for check in _REQUEST_CHECKS:
        if (denial := check(question)) is not None:
            return denial
    for ssin in question.request.subjects:
        for check_person in _PERSON_CHECKS:
            if (denial := check_person(question, ssin)) is not None:
                return denial
    return None
