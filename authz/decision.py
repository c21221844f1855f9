"""The decision: may this client consult this person, for this organisation, with these criteria, now?

Pure and fast: a few look-ups in a compiled annex, whatever the number of annexes. The checks stand in `RULES`
in the order in which they are made; the first that objects decides. What a refusal tells the client is in its
`information`: before the integration check has passed, nothing of the person but what the client itself sent.
`clause` and `allowed` are for the audit and for explanations. SSINs are kept out of every `repr`, so that no
log line can hold one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

from authz.annex import Annex, Grant
from authz.brussels import brussels_day, shift_days
from authz.organisation import Organisation
from authz.parameters import refused_parameters
from authz.ssin import Environment, is_acceptable

Information = tuple[tuple[str, str], ...]

MAX_FIELDS = 15
MAX_NAME = 64
MAX_VALUE = 256
"""Bounds of the contracts: InformationType, and status/information in CommonV3."""
MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a request is about; without an end, up to today."""

    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What is asked. `parameters` are the leaf criteria that were sent, by path; a repeated one has a list.

    `customer` is None where the contract names none: the client then speaks for itself. `subject` is the SSIN
    that the request is about. `needs_grant` is False for the few operations that every client may call.
    """

    service: str
    operation: str
    customer: Organisation | None
    legal_context: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    subject: str | None = field(default=None, repr=False)
    period: Period | None = None
    needs_grant: bool = True


@dataclass(frozen=True, slots=True)
class Inscription:
    """A person stands in an organisation's file (`organisation` is its key), from day to day."""

    organisation: str
    context: str
    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the repertory of persons says. Inscriptions are those of the requested number or of its successor.

    `supplier_inscriptions` is None where the service has no supplier to check.
    """

    known: bool
    cancelled: bool = False
    replaced_by: str | None = field(default=None, repr=False)
    deceased_on: date | None = None
    client_inscriptions: tuple[Inscription, ...] = ()
    supplier_inscriptions: tuple[Inscription, ...] | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes. `withheld` are the paths that the annex withholds, `dropped` those that go because of it."""

    revision: str
    clause: str
    deliberation: str
    withheld: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deny:
    """No. `case` names the refusal, `clause` its place in the annex, `allowed` what would have passed."""

    revision: str
    case: str
    clause: str
    allowed: str
    information: Information = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Question:
    """Everything that a rule may look at."""

    annex: Annex
    request: AccessRequest
    facts: PersonFacts | None
    customer: Organisation
    grant: Grant | None
    now: datetime
    today: date
    environment: Environment

    @property
    def person(self) -> PersonFacts:
        if self.facts is None:
            raise ValueError("a request about a person cannot be decided without the facts of that person")
        return self.facts

    def deny(self, case: str, clause: str, allowed: str, *information: tuple[str, str]) -> Deny:
        return Deny(self.annex.revision, case, clause, allowed, _bounded(information))


def _bounded(information: tuple[tuple[str, str], ...]) -> Information:
    """Hold information within the contract: a long text ends in `...`, surplus fields are counted."""
    kept = information
    if len(information) > MAX_FIELDS:
        kept = information[: MAX_FIELDS - 1]
        kept = (*kept, (information[-1][0], f"and {len(information) - len(kept)} more"))
    return tuple((_cut(name, MAX_NAME), _cut(value, MAX_VALUE)) for name, value in kept)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _first_few(names: Iterable[str]) -> str:
    """List a handful: a refusal must stay small and fast however much an annex grants."""
    shown = list(islice(names, MAX_LISTED + 1))
    return ", ".join(shown if len(shown) <= MAX_LISTED else [*shown[:MAX_LISTED], "..."])


def _check_credentials(question: _Question) -> Deny | None:
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


def _check_operation(question: _Question) -> Deny | None:
    request, grants = question.request, question.annex.grants
    if question.grant is not None:
        return None
    if not request.needs_grant and request.subject is None:
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


def _check_parameters(question: _Question) -> Deny | None:
    if question.grant is None:
        return None
    refused = tuple(refused_parameters(question.grant, question.request.parameters, question.today))
    if not refused:
        return None
    clauses = ", ".join(dict.fromkeys(clause for clause, _, _ in refused))
    allowed = "; ".join(dict.fromkeys(allowed for _, _, allowed in refused))
    information = (("parameter", why) for _, why, _ in refused)
    return question.deny("parameters_not_granted", clauses, allowed, *information)


def _check_ssin(question: _Question) -> Deny | None:
    subject = question.request.subject
    if subject is None or is_acceptable(subject, question.environment):
        return None
    allowed = "an SSIN with valid check digits"
    if question.environment is Environment.PRODUCTION:
        allowed += " that is no synthetic number"
    return question.deny("ssin_malformed", "", allowed)


def _check_known(question: _Question) -> Deny | None:
    if question.request.subject is None or question.person.known:
        return None
    return question.deny("ssin_unknown", "", "an SSIN that exists")


def _check_integration(question: _Question) -> Deny | None:
    subject, grant = question.request.subject, question.grant
    if subject is None or grant is None or grant.integration is None:
        return None
    rule, period = grant.integration, question.request.period
    begin = shift_days(period.begin if period else question.today, -rule.days_before)
    end = shift_days((period.end if period else None) or question.today, rule.days_after)
    customer = question.customer.key
    for inscription in question.person.client_inscriptions:
        if (
            inscription.organisation == customer
            and inscription.context in rule.contexts
            and inscription.begin <= end
            and (inscription.end is None or inscription.end >= begin)
        ):
            return None
    contexts = " or ".join(sorted(rule.contexts))
    wanted = f"an inscription under {contexts} on a day from {begin} to {end}"
    identity = ((name, str(value)) for name, value in question.customer.to_values().items())
    return question.deny(
        "not_integrated",
        f"{grant.clause}.integration",
        wanted,
        ("details", f"the person needs {wanted}"),
        ("ssin", subject),
        *identity,
    )


def _check_not_replaced(question: _Question) -> Deny | None:
    if question.request.subject is None or question.person.replaced_by is None:
        return None
    return question.deny("ssin_replaced", "", "the number that replaced it", ("newSSIN", question.person.replaced_by))


def _check_not_cancelled(question: _Question) -> Deny | None:
    if question.request.subject is None or not question.person.cancelled:
        return None
    return question.deny("ssin_cancelled", "", "an SSIN that is not cancelled")


def _check_alive(question: _Question) -> Deny | None:
    if question.request.subject is None or question.person.deceased_on is None:
        return None
    information = ("deceiseDate", question.person.deceased_on.isoformat())
    return question.deny("person_deceased", "", "a living person", information)


def _check_supplier(question: _Question) -> Deny | None:
    if question.request.subject is None or question.person.supplier_inscriptions != ():
        return None
    return question.deny("not_integrated_at_supplier", "", "a person whom the source has in its file")


RULES: tuple[Callable[[_Question], Deny | None], ...] = (
    _check_credentials,
    _check_operation,
    _check_parameters,
    _check_ssin,
    _check_known,
    _check_integration,
    _check_not_replaced,
    _check_not_cancelled,
    _check_alive,
    _check_supplier,
)


def decide(
    annex: Annex, request: AccessRequest, facts: PersonFacts | None, now: datetime, environment: Environment
) -> Permit | Deny:
    """Decide. `now` is aware; ValueError if a request about a person comes without that person's `facts`."""
    customer = request.customer or annex.identity
    grant = None
    for candidate in annex.grants.get((request.service, request.operation, request.legal_context), ()):
        if customer in candidate.customers:
            grant = candidate
            break
    question = _Question(annex, request, facts, customer, grant, now, brussels_day(now), environment)
    for rule in RULES:
        denial = rule(question)
        if denial is not None:
            return denial
    if grant is None:
        return Permit(annex.revision, "", "")
    return Permit(annex.revision, grant.clause, grant.deliberation, grant.withheld, grant.dropped)
