"""Which clauses of an annex its golden cases exercise: a clause counts once a case passed that would fail without it.

Counted is what decides: validity, who may be represented, each grant with its legal contexts, organisations,
parameters, demands, withheld paths and integration control. Certificates, methods and quotas decide nothing here.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from authz.annex import Annex, ClientKind, Grant
from authz.annex_yaml import Path, show_path
from authz.answer import Deny, Permit
from authz.brussels import brussels_day
from authz.contract_shape import is_within
from authz.integration import days_that_count, is_integrated
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest


@dataclass(frozen=True, slots=True)
class Exercise:
    """A case that passed: what was asked of the annex, and what was decided."""

    annex: Annex
    request: AccessRequest
    facts: AccessFacts
    now: datetime
    decision: Permit | Deny
    withheld_expected: bool = False


def list_clauses(values: Any) -> tuple[Path, ...]:
    """Return the clauses of an annex that cases can exercise, by their places in its document."""
    found: list[Path] = [("validFrom",)]
    found += [("validUntil",)] if values.get("validUntil") else []
    found += [("represents",)]
    found += [("represents", number) for number in range(len(values.get("represents", ())))]
    found += [("kind",)] if values["kind"] == ClientKind.ENTERPRISE else []
    for number, grant in enumerate(values["operations"]):
        found += [("operations", number, *rest) for rest in _clauses_of(grant)]
    return tuple(found)


def _clauses_of(grant: Any) -> Iterator[Path]:
    yield ()
    for name in ("legalContexts", "onBehalfOf", "withheld"):
        yield from ((name, number) for number in range(len(grant.get(name, ()))))
    for path, demands in grant.get("parameters", {}).items():
        yield ("parameters", path)
        for demand in ("required", "maxYearsBack"):
            if (demands or {}).get(demand):
                yield ("parameters", path, demand)
    integration = grant.get("integration")
    if integration:
        yield ("integration",)
        yield from (("integration", "contexts", number) for number in range(len(integration["contexts"])))
        yield from (("integration", name) for name in ("daysBefore", "daysAfter") if integration.get(name))
    if grant.get("integrationExemption"):
        yield ("integrationExemption",)


def exercised(values: Any, exercise: Exercise) -> Set[str]:
    """Return the clauses that one case exercises, as decisions write them."""
    if isinstance(exercise.decision, Deny):
        return {clause.removesuffix(".onBehalfOf") for clause in exercise.decision.clause.split(", ")} - {"operations"}
    grants = {grant.clause: grant for each in exercise.annex.grants.values() for grant in each}
    grant = grants.get(exercise.decision.clause)
    found = set(_represented(values, exercise))
    if grant is None:
        return found
    number = next(n for n in range(len(values["operations"])) if show_path(("operations", n)) == grant.clause)
    places = _within_grant(values["operations"][number], grant, exercise)
    return found | {show_path(("operations", number, *place)) for place in places}


def _represented(values: Any, exercise: Exercise) -> Iterator[str]:
    for number, each in enumerate(values.get("represents", ())):
        if Organisation.from_values(each) == exercise.request.customer:
            yield show_path(("represents", number))


def _within_grant(values: Any, grant: Grant, exercise: Exercise) -> Iterator[Path]:
    request = exercise.request
    yield ()
    for number, context in enumerate(values.get("legalContexts", ())):
        if context == request.legal_context:
            yield ("legalContexts", number)
    for number, each in enumerate(values.get("onBehalfOf", ())):
        if Organisation.from_values(each) == request.customer:
            yield ("onBehalfOf", number)
    for path in values.get("parameters", {}):
        if any(is_within(sent, path) for sent in request.parameters):
            yield ("parameters", path)
    if exercise.withheld_expected:
        yield from (("withheld", number) for number in range(len(grant.withheld)))
    if grant.integration is None:
        yield ("integrationExemption",)
    else:
        yield from _integration(values["integration"], grant, exercise)


def _integration(values: Any, grant: Grant, exercise: Exercise) -> Iterator[Path]:
    """Yield the contexts that an inscription was counted under, and the tolerance without which it was refused."""
    rule, request, today = grant.integration, exercise.request, brussels_day(exercise.now)
    if rule is None:
        return
    organisation = (request.customer or exercise.annex.identity).key
    for ssin in request.subjects:
        inscriptions = exercise.facts.persons[ssin].client_inscriptions

        def holds(narrowed: Any, counted: Any = inscriptions) -> bool:
            days = days_that_count(narrowed, request.period, today)
            return is_integrated(narrowed, organisation, counted, days)

        for number, context in enumerate(values["contexts"]):
            if holds(replace(rule, contexts=frozenset({context}))):
                yield ("integration", "contexts", number)
        for name, narrowed in (
            ("daysBefore", replace(rule, days_before=0)),
            ("daysAfter", replace(rule, days_after=0)),
        ):
            if not holds(narrowed):
                yield ("integration", name)
