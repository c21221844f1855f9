"""Authorize: what the annex and the person's integration allow; the decision itself is authz's."""

from authz.answer import Deny
from authz.decision import decide
from authz.ssin import Environment
from gateway.access_request import gather_facts, read_access_request
from gateway.established import Authenticated, Permitted, Valid, get
from gateway.facts import EmployerAccess, Facts
from gateway.refusal import NoResult


def authorize(
    valid: Valid,
    facts: Facts,
    employer_access: EmployerAccess,
    environment: Environment,
) -> Permitted:
    """Gather the facts and decide, as of the instant at which the annex was found in force.

    NoResult carries the denial, MSG00001 says that a register cannot be read.
    """
    operation = valid.previous.operation
    authenticated = get(valid, Authenticated)
    annex, now = authenticated.annex, authenticated.at
    request = read_access_request(operation, valid.values)
    known = gather_facts(annex, request, operation, facts, employer_access, now)
    decision = decide(annex, request, known, now, environment)
    if isinstance(decision, Deny):
        raise NoResult(request, known, now, decision)
    return Permitted(valid, request, known, now, decision)
