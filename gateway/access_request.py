"""What a request asks of authz, and what must be known to decide it: the same for a decision and for an explanation."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from authz.annex import Annex, ClientKind
from authz.brussels import brussels_day, find_quarter, quarter_begin, quarter_end
from authz.contract_shape import CRITERIA
from authz.employer_access import EmployerRelation, NamedEmployer
from authz.integration import Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from gateway.contracts import OperationContract
from gateway.facts import EmployerAccess, Facts, reading_facts
from services.consultation import Values
from services.descriptor import OperationDescriptor


def read_access_request(operation: OperationContract, values: Values) -> AccessRequest:
    """Read from the values of a valid request what it asks for."""
    descriptor = operation.descriptor
    customer = values.get("informationCustomer")
    return AccessRequest(
        service=operation.service.name,
        operation=descriptor.name,
        customer=Organisation.from_values(customer["customerIdentification"]) if customer else None,
        legal_context=values.get("legalContext"),
        parameters=_leaves(values.get(CRITERIA, {})),
        subjects=_subjects(values, descriptor),
        period=_period(_at(values, descriptor.period)),
        employer=_employer(_at(values, descriptor.employer)),
        needs_grant=descriptor.needs_grant and not _is_free(values, descriptor.free_when),
        needs_relation=descriptor.employer is not None or descriptor.consults_persons,
    )


def gather_facts(
    annex: Annex,
    request: AccessRequest,
    operation: OperationContract,
    facts: Facts,
    employer_access: EmployerAccess,
    now: datetime,
) -> AccessFacts:
    """Ask the registers for what the decision needs; `now` is aware. Fault MSG00001 when one cannot be read."""
    supplier = operation.service.supplier
    with reading_facts():
        return AccessFacts(
            _find_persons(request, facts, Organisation.from_values(supplier) if supplier else None),
            _find_relation(annex, request, employer_access, now),
            annex.holder,
        )


def _find_persons(request: AccessRequest, facts: Facts, supplier: Organisation | None) -> Mapping[str, PersonFacts]:
    if request.customer is None or not request.subjects:
        return {}
    if len(request.subjects) > 1:
        return facts.find_all(request.subjects, request.customer, supplier)
    (ssin,) = request.subjects
    return {ssin: facts.find(ssin, request.customer, supplier)}


def _find_relation(
    annex: Annex, request: AccessRequest, employer_access: EmployerAccess, now: datetime
) -> EmployerRelation | None:
    """Ask only for enterprises: nobody else's access depends on it."""
    if annex.kind is not ClientKind.ENTERPRISE or request.employer is None:
        return None
    return employer_access.find_relation(request.customer or annex.identity, request.employer, brussels_day(now))


def _is_free(values: Mapping[str, Any], free_when: tuple[str, str] | None) -> bool:
    return free_when is not None and _at(values, free_when[0]) == free_when[1]


def _leaves(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every leaf of the criteria, by path.

    What is repeated, or stands in a repeated element, has the list of its values; an element without content has None.
    """
    found: dict[str, Any] = {}
    for path, value, repeated in _walk(values, CRITERIA, False):
        if not repeated:
            found[path] = value
        elif value is None:
            found.setdefault(path, None)
        else:
            found.setdefault(path, []).append(value)
    return found


def _walk(values: Mapping[str, Any], prefix: str, repeated: bool) -> Iterator[tuple[str, Any, bool]]:
    for name, value in values.items():
        path = f"{prefix}/{name}"
        many = isinstance(value, list)
        for each in value if many else (value,):
            if isinstance(each, Mapping) and "#text" not in each:
                if each:
                    yield from _walk(each, path, repeated or many)
                else:
                    yield path, None, repeated or many
            else:
                yield path, each, repeated or many


def _at(values: Mapping[str, Any], path: str | None) -> Any:
    found: Any = values
    for name in path.split("/") if path else ():
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if path else None


def _subjects(values: Mapping[str, Any], descriptor: OperationDescriptor) -> tuple[str, ...]:
    """Return the SSINs that the request names, each once, in its order."""
    named = _at(values, descriptor.subject)
    if named is None:
        return ()
    return tuple(dict.fromkeys(named)) if isinstance(named, list) else (named,)


def _employer(values: Mapping[str, Any] | None) -> NamedEmployer | None:
    return NamedEmployer.from_values(values) if values else None


def _period(values: Mapping[str, Any] | None) -> Period | None:
    """Read a period of days or of quarters: both of CommonV3's forms, open or closed."""
    if not values:
        return None
    if "beginDate" in values:
        return Period(values["beginDate"], values.get("endDate"))
    begin, end = (find_quarter(values.get(name, "")) for name in ("beginQuarter", "endQuarter"))
    return Period(quarter_begin(*begin), quarter_end(*end) if end else None) if begin else None
