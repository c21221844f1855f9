"""The rules of a decision: what a request, and each person it is about, must meet.

They stand in the order in which they are checked. What a refusal tells the client is in its `information`: before the
integration check has passed, nothing of the person but what the client itself sent. `clause` and `allowed` are for the
audit and for explanations.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from authz.answer import Deny
from authz.integration import days_that_count, is_integrated
from authz.parameters import refused_parameters
from authz.question import Question
from authz.ssin import Environment, is_acceptable

MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """A check.

    `name` is how explanations call it, `asks` what must be so in a sentence, `clause` gives the place in the annex that
    it rests on, empty where none does, and `applies` tells whether it can object to this question at all.
    """

    name: str
    asks: str
    check: Callable[[Question], Deny | None]
    clause: Callable[[Question], str] = lambda question: ""
    applies: Callable[[Question], bool] = lambda question: True


@dataclass(frozen=True, slots=True)
class PersonRule:
    """A check of each person asked about; fields as those of a Rule."""

    name: str
    asks: str
    check: Callable[[Question, str], Deny | None]
    clause: Callable[[Question], str] = lambda question: ""
    applies: Callable[[Question, str], bool] = lambda question, ssin: True

    def about(self, ssin: str) -> Rule:
        """Return it as the check of this person."""
        return Rule(
            self.name,
            self.asks,
            lambda question: self.check(question, ssin),
            self.clause,
            lambda question: self.applies(question, ssin),
        )


def _check_credentials(question: Question) -> Deny | None:
    annex = question.annex
    if not annex.is_active(question.now):
        clause = "validFrom" if question.today < annex.valid_from else "validUntil"
        return question.deny(
            "credentials_mismatch",
            clause,
            f"from {annex.valid_from} until {annex.valid_until or 'further notice'}",
            ("clause", clause),
        )
    if question.request.customer is not None and question.customer not in annex.represents:
        names = _first_few(organisation.key for organisation in annex.represents)
        return question.deny("credentials_mismatch", "represents", f"to speak for: {names}", ("clause", "represents"))
    return None


def _check_operation(question: Question) -> Deny | None:
    request, grants = question.request, question.annex.grants
    if question.grant is not None:
        return None
    if not request.needs_grant and not request.subjects:
        return None
    others = grants.get((request.service, request.operation, request.legal_context), ())
    clause = ", ".join(f"{grant.clause}.onBehalfOf" for grant in others) or "operations"
    granted = (
        f"{service} {operation}" + (f" under {context}" if context else "")
        for (service, operation, context), clauses in grants.items()
        if any(question.customer in grant.customers for grant in clauses)
    )
    allowed = f"for {question.customer.key}: {_first_few(granted) or 'no operation that needs a grant'}"
    return question.deny("operation_not_granted", clause, allowed, ("clause", clause))


def _check_parameters(question: Question) -> Deny | None:
    if question.grant is None:
        return None
    refused = tuple(refused_parameters(question.grant, question.request.parameters, question.today))
    if not refused:
        return None
    clauses = ", ".join(dict.fromkeys(clause for clause, _, _ in refused))
    allowed = "; ".join(dict.fromkeys(allowed for _, _, allowed in refused))
    information = (("parameter", why) for _, why, _ in refused)
    return question.deny("parameters_not_granted", clauses, allowed, *information)


def _check_employer(question: Question) -> Deny | None:
    if not question.is_bound_to_employer:
        return None
    employer, relation, holder = question.request.employer, question.facts.relation, question.annex.holder
    if relation is not None and holder is not None and relation.kind not in holder.acts_as:
        relation = None
    if employer is not None and relation is not None and relation.holds_on(question.today):
        return None
    allowed = f"an employer for which {question.customer.key} may act on {question.today}"
    if holder is not None:
        allowed += f" as {' or '.join(sorted(holder.acts_as)) or 'what it is configured for'}"
    named = (("employer", employer.number),) if employer else ()
    return question.deny("employer_not_accessible", "kind", allowed, *named, ("details", f"name {allowed}"))


def _check_ssin(question: Question, ssin: str) -> Deny | None:
    if is_acceptable(ssin, question.environment):
        return None
    allowed = "an SSIN with valid check digits"
    if question.environment is Environment.PRODUCTION:
        allowed += " that is no synthetic number"
    return question.deny_person(ssin, "ssin_malformed", "", allowed)


def _check_known(question: Question, ssin: str) -> Deny | None:
    if question.person(ssin).known:
        return None
    return question.deny_person(ssin, "ssin_unknown", "", "an SSIN that exists")


def _check_integration(question: Question, ssin: str) -> Deny | None:
    rule = question.integration
    if rule is None:
        return None
    days = days_that_count(rule, question.request.period, question.today)
    if is_integrated(rule, question.customer.key, question.person(ssin).client_inscriptions, days):
        return None
    contexts = " or ".join(sorted(rule.contexts))
    when = f"on {days[0]}" if days[0] == days[1] else f"on a day from {days[0]} to {days[1]}"
    wanted = f"an inscription under {contexts} {when}"
    identity = ((name, str(value)) for name, value in question.customer.to_values().items())
    return question.deny_person(
        ssin,
        "not_integrated",
        _integration_clause(question),
        wanted,
        ("details", f"the person needs {wanted}"),
        ("ssin", ssin),
        *identity,
    )


def _check_not_replaced(question: Question, ssin: str) -> Deny | None:
    successor = question.person(ssin).replaced_by
    if successor is None or not question.tells_fates:
        return None
    return question.deny_person(ssin, "ssin_replaced", "", "the number that replaced it", ("newSSIN", successor))


def _check_not_cancelled(question: Question, ssin: str) -> Deny | None:
    if not question.person(ssin).cancelled or not question.tells_fates:
        return None
    return question.deny_person(ssin, "ssin_cancelled", "", "an SSIN that is not cancelled")


def _check_alive(question: Question, ssin: str) -> Deny | None:
    deceased_on = question.person(ssin).deceased_on
    if deceased_on is None or not question.tells_fates:
        return None
    information = ("deceiseDate", deceased_on.isoformat())
    return question.deny_person(ssin, "person_deceased", "", "a living person", information)


def _check_supplier(question: Question, ssin: str) -> Deny | None:
    if question.person(ssin).supplier_inscriptions != ():
        return None  # It has the person, or the service has no supplier.
    allowed = "a person whom the source has in its file"
    return question.deny_person(ssin, "not_integrated_at_supplier", "", allowed)


def _first_few(names: Iterable[str]) -> str:
    """List a handful: a refusal must stay small and fast however much an annex grants."""
    shown = list(islice(names, MAX_LISTED + 1))
    return ", ".join(shown if len(shown) <= MAX_LISTED else [*shown[:MAX_LISTED], "..."])


def _grant_clause(question: Question) -> str:
    return question.grant.clause if question.grant else ""


def _integration_clause(question: Question) -> str:
    return f"{_grant_clause(question)}.integration"


def _tells_fates(question: Question, ssin: str) -> bool:
    return question.tells_fates


REQUEST_RULES = (
    Rule(
        "credentials",
        "The annex is active, and the client may speak for the organisation that it names.",
        _check_credentials,
        lambda question: "represents",
    ),
    Rule(
        "operation",
        "The annex grants the operation under this legal context, for this organisation.",
        _check_operation,
        _grant_clause,
    ),
    Rule(
        "parameters",
        "The search parameters are granted, and those that must be sent are, within their bounds.",
        _check_parameters,
        lambda question: f"{_grant_clause(question)}.parameters",
        lambda question: question.grant is not None,
    ),
    Rule(
        "employer",
        "The enterprise may act for the employer that the request names.",
        _check_employer,
        lambda question: "kind",
        lambda question: question.is_bound_to_employer,
    ),
)
PERSON_RULES = (
    PersonRule("ssin", "The SSIN is well made and belongs to this environment.", _check_ssin),
    PersonRule("existence", "A person has this SSIN.", _check_known),
    PersonRule(
        "integration",
        "The organisation has the person in its file, in a context and on a day that count.",
        _check_integration,
        _integration_clause,
        lambda question, ssin: question.integration is not None,
    ),
    PersonRule("replacement", "The SSIN was not replaced by another.", _check_not_replaced, applies=_tells_fates),
    PersonRule("cancellation", "The SSIN was not cancelled.", _check_not_cancelled, applies=_tells_fates),
    PersonRule("death", "The person is not known to have died.", _check_alive, applies=_tells_fates),
    PersonRule(
        "supplier",
        "The authentic source has the person in its file.",
        _check_supplier,
        applies=lambda question, ssin: question.person(ssin).supplier_inscriptions is not None,
    ),
)
