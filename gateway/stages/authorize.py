"""Authorize: what the annex and the person's integration allow; the decision itself is authz's."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from authz.brussels import find_quarter, quarter_begin, quarter_end
from authz.decision import AccessRequest, Deny, Period, PersonFacts, decide
from authz.organisation import Organisation
from authz.ssin import Environment
from gateway.established import Permitted, Valid
from gateway.refusal import Fault, NoResult


class Facts(Protocol):
    """What is known of a person: the register and the inscriptions."""

    def find(self, ssin: str, customer: Organisation, supplier: Organisation | None) -> PersonFacts:
        """Return the facts of the person for this customer and this supplier."""
        ...


def authorize(valid: Valid, facts: Facts, environment: Environment, clock: Callable[[], datetime]) -> Permitted:
    """Gather the facts and decide; NoResult carries the denial."""
    request = _access_request(valid)
    supplier = valid.previous.operation.service.supplier
    known = _find_facts(request, facts, Organisation.from_values(supplier) if supplier else None)
    annex = valid.previous.previous.previous.annex
    now = clock()
    decision = decide(annex, request, known, now, environment)
    if isinstance(decision, Deny):
        raise NoResult(request, known, now, decision)
    return Permitted(valid, request, known, now, decision)


def _find_facts(request: AccessRequest, facts: Facts, supplier: Organisation | None) -> PersonFacts | None:
    if request.subject is None or request.customer is None:
        return None
    try:
        return facts.find(request.subject, request.customer, supplier)
    except SQLAlchemyError as error:
        raise Fault(
            "MSG00001",
            "The gateway cannot reach its register of persons now; try again later.",
            faultcode="soapenv:Server",
            internal=f"{type(error).__name__} while reading the facts",
        ) from error


def _access_request(valid: Valid) -> AccessRequest:
    operation = valid.previous.operation
    customer = valid.values.get("informationCustomer")
    return AccessRequest(
        service=operation.service.name,
        operation=operation.descriptor.name,
        customer=Organisation.from_values(customer["customerIdentification"]) if customer else None,
        legal_context=valid.values.get("legalContext"),
        parameters=dict(_leaves(valid.values.get("criteria", {}), "criteria")),
        subject=_at(valid.values, operation.descriptor.subject),
        period=_period(_at(valid.values, operation.descriptor.period)),
        needs_grant=operation.descriptor.needs_grant and not _is_free(valid.values, operation.descriptor.free_when),
    )


def _is_free(values: Mapping[str, Any], free_when: tuple[str, str] | None) -> bool:
    return free_when is not None and _at(values, free_when[0]) == free_when[1]


def _leaves(values: Mapping[str, Any], prefix: str) -> Any:
    """Yield (path, value) of every leaf that the request carries; a repeated element yields its list."""
    for name, value in values.items():
        path = f"{prefix}/{name}"
        if isinstance(value, Mapping) and "#text" not in value:
            yield from _leaves(value, path)
        else:
            yield path, value


def _at(values: Mapping[str, Any], path: str | None) -> Any:
    found: Any = values
    for name in path.split("/") if path else ():
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if path else None


def _period(values: Mapping[str, Any] | None) -> Period | None:
    """Read a period of days or of quarters: both of CommonV3's forms, open or closed."""
    if not values:
        return None
    if "beginDate" in values:
        return Period(values["beginDate"], values.get("endDate"))
    begin, end = (find_quarter(values.get(name, "")) for name in ("beginQuarter", "endQuarter"))
    return Period(quarter_begin(*begin), quarter_end(*end) if end else None) if begin else None
