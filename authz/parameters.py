"""Search parameters against a grant: which may be sent, which must, and how far back they reach."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from authz.annex import Grant
from authz.brussels import brussels_day, find_quarter, quarter_of, years_before
from authz.contract_shape import is_within


def refused_parameters(grant: Grant, parameters: Mapping[str, Any], today: date) -> Iterator[tuple[str, str, str]]:
    """Yield clause, path with reason, and what is allowed, for each parameter that the grant refuses."""
    for path, value in parameters.items():
        if path not in grant.parameters and not (value is None and _is_around_granted(path, grant)):
            allowed = f"only the parameters {', '.join(sorted(grant.parameters)) or '(none)'}"
            yield f"{grant.clause}.parameters", f"{path}: not granted", allowed
    for rule in grant.rules:
        sent = any(is_within(path, rule.path) and value is not None for path, value in parameters.items())
        if rule.required and not sent:
            yield f"{rule.clause}.required", f"{rule.path}: must be sent", f"{rule.path} sent"
        elif rule.max_years_back is not None:
            bound = f"{rule.path} no further back than {rule.max_years_back} years"
            why = _why_unbounded(rule.max_years_back, parameters.get(rule.bounded), today)
            if why:
                yield f"{rule.clause}.maxYearsBack", f"{rule.path}: {why}", bound


def _is_around_granted(path: str, grant: Grant) -> bool:
    """Tell whether an element that came without content could hold one that is granted."""
    return any(is_within(leaf, path) for leaf in grant.parameters)


def _day_of(moment: datetime) -> date:
    """Return the day of a moment; one that was sent without a time zone is of Brussels, like the whole calendar."""
    return moment.date() if moment.tzinfo is None else brussels_day(moment)


def _why_unbounded(years: int, value: Any, today: date) -> str | None:
    """Say why the value reaches back too far. The quarter of the first day allowed is allowed as a whole."""
    first_day = years_before(today, years)
    first_year, first_quarter = quarter_of(first_day)
    values = value if isinstance(value, list) else [value]
    if value is None or not values:
        return f"must be sent, and go back {years} years at most"
    for each in values:
        day = _day_of(each) if isinstance(each, datetime) else each
        if isinstance(day, date):
            if day < first_day:
                return f"goes back more than {years} years, before {first_day}"
        elif isinstance(each, str) and (quarter := find_quarter(each)) is not None:
            if quarter < (first_year, first_quarter):
                return f"goes back more than {years} years, before {first_year}Q{first_quarter}"
        else:
            return "is neither a date nor a quarter"
    return None
