"""Screen: of the persons whom an operation found, only those leave whom the client may be told about.

The decision could judge the persons that the request named; those that the source found are judged here, by the same
integration rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from authz.brussels import brussels_day
from authz.integration import days_that_count, is_integrated
from gateway.established import Answered, Authenticated, Permitted, Resolved, Screened, get
from gateway.facts import Facts, reading_facts
from services.consultation import Outcome, Values
from services.descriptor import ListedPersons
from services.paging import NEXT


def screen(answered: Answered, facts: Facts) -> Screened:
    """Leave out the items about persons who are not integrated, or whom the request did not name though it named some.

    An item that says of nobody whom it is about goes too, unless the operation is exempt from integration control and
    the request named nobody. One question to the register for a whole reply; MSG00001 when it cannot be asked.
    """
    outcome = answered.outcome
    persons = get(answered, Resolved).operation.descriptor.persons
    if persons is None:
        return Screened(answered, outcome)
    items = _items(outcome.data, persons)
    found = dict.fromkeys(ssin for item in items if (ssin := _ssin(item, persons)) is not None)
    allowed = _find_allowed(answered.previous, found, facts)
    if allowed is None:
        return Screened(answered, outcome, tuple(found), 0)
    kept = [item for item in items if _ssin(item, persons) in allowed]
    told = tuple(ssin for ssin in found if ssin in allowed)
    left_out = len(items) - len(kept)
    if left_out:
        outcome = _with_items(outcome, persons, kept)
    return Screened(answered, outcome, told, left_out)


def _find_allowed(permitted: Permitted, found: Iterable[str], facts: Facts) -> frozenset[str] | None:
    """Return which of the persons may be told about; None when nothing restricts them."""
    request, rule = permitted.request, permitted.permit.integration
    if request.subjects:
        return frozenset(request.subjects)
    if rule is None:
        return None
    ssins = tuple(found)
    if not ssins:
        return frozenset()
    customer = request.customer or get(permitted, Authenticated).annex.identity
    days = days_that_count(rule, request.period, brussels_day(permitted.decided_at))
    with reading_facts():
        known = facts.find_all(ssins, customer, None)
    return frozenset(
        ssin for ssin, person in known.items() if is_integrated(rule, customer.key, person.client_inscriptions, days)
    )


def _items(data: Values, persons: ListedPersons) -> list[Values]:
    found: Any = data
    for name in persons.items.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found or []


def _ssin(item: Values, persons: ListedPersons) -> str | None:
    found: Any = item
    for name in persons.ssin.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    ssin = found.get("#text") if isinstance(found, Mapping) else found
    return ssin if isinstance(ssin, str) else None


def _with_items(outcome: Outcome, persons: ListedPersons, kept: list[Values]) -> Outcome:
    """Return the outcome with these items alone; without any, and without a next page, it is that of nobody found."""
    if kept:
        return replace(outcome, data=_put(outcome.data, persons.items.split("/"), kept))
    if NEXT not in outcome.data:
        return Outcome(persons.none_left)
    around = persons.items.partition("/")[0]
    return replace(outcome, data={name: value for name, value in outcome.data.items() if name != around})


def _put(values: Values, path: list[str], items: list[Values]) -> Values:
    inner = items if len(path) == 1 else _put(values[path[0]], path[1:], items)
    return {**values, path[0]: inner}
