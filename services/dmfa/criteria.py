"""Reads the criteria of a consultation by SSIN, and says what in them cannot be used.

The XSD has judged each value by itself; here are the rules that no schema can hold.
"""

from collections.abc import Callable
from datetime import datetime

from services.calendar import get_brussels_date, get_quarter
from services.consultation import Consultation, Values
from services.criterion import UnusableCriterion
from services.dmfa.attestation import AttestationSearch, Position
from services.employer_numbers import has_valid_enterprise_check_digits, has_valid_nsso_check_digits
from services.paging import NEXT, PageTokens, get_scope

# The quarter of the first DmfA declarations.
FIRST_QUARTER = "2003Q1"


def read_criteria(consultation: Consultation, tokens: PageTokens) -> AttestationSearch | UnusableCriterion:
    """Return what to search for, or the first criterion that cannot be used."""
    criteria = consultation.values["criteria"]
    for find_fault in _RULES:
        fault = find_fault(criteria, consultation.now)
        if fault is not None:
            return fault
    after = None
    if NEXT in criteria:
        position = tokens.find_position(get_scope(consultation), criteria[NEXT])
        if position is None:
            return UnusableCriterion(
                f"criteria/{NEXT}", "is no page of this question; repeat the question that gave it, or leave it out"
            )
        after = parse_position(position)
    return AttestationSearch(
        ssin=criteria["ssin"],
        begin_quarter=criteria["quarterPeriod"]["beginQuarter"],
        end_quarter=criteria["quarterPeriod"]["endQuarter"],
        latest_only=criteria["latestSituationOnly"],
        provincial_or_local=criteria.get("provincialOrLocalAuthority"),
        sector_indicators=tuple(sorted(set(_sector_indicators(criteria)))),
        attestation_id=criteria.get("attestationId"),
        attestation_version=criteria.get("attestationVersion"),
        nsso_registration_number=criteria.get("nssoRegistrationNumber"),
        enterprise_number=criteria.get("enterpriseNumber"),
        employer_class=criteria.get("employerClass"),
        worker_code=criteria.get("workerCode"),
        after=after,
    )


def render_position(position: Position) -> str:
    """Return a place as text, 29 characters at most: `2015Q1.123.2` without its Q."""
    return f"{position.quarter.replace('Q', '')}.{position.attestation_id}.{position.version}"


def parse_position(text: str) -> Position:
    """Return the place that `render_position` wrote."""
    quarter, attestation_id, version = text.split(".")
    return Position(f"{quarter[:4]}Q{quarter[4]}", int(attestation_id), int(version))


def _check_first_quarter(criteria: Values, now: datetime) -> UnusableCriterion | None:
    for name in ("beginQuarter", "endQuarter"):
        if criteria["quarterPeriod"][name] < FIRST_QUARTER:
            path = f"criteria/quarterPeriod/{name}"
            return UnusableCriterion(path, f"lies before {FIRST_QUARTER}, the quarter of the first declarations")
    return None


def _check_order(criteria: Values, now: datetime) -> UnusableCriterion | None:
    period = criteria["quarterPeriod"]
    if period["beginQuarter"] > period["endQuarter"]:
        return UnusableCriterion("criteria/quarterPeriod/endQuarter", "lies before beginQuarter")
    return None


def _check_begun(criteria: Values, now: datetime) -> UnusableCriterion | None:
    current = get_quarter(get_brussels_date(now))
    if criteria["quarterPeriod"]["beginQuarter"] > current:
        return UnusableCriterion("criteria/quarterPeriod/beginQuarter", f"lies after {current}, the current quarter")
    return None


def _check_sectors(criteria: Values, now: datetime) -> UnusableCriterion | None:
    indicators = set(_sector_indicators(criteria))
    wanted = criteria.get("provincialOrLocalAuthority")
    if not indicators or wanted is None or (indicators & {"PLP"} if wanted else indicators - {"PLP"}):
        return None
    return UnusableCriterion(
        "criteria/sectorIndicators", f"leaves nothing where provincialOrLocalAuthority is {str(wanted).lower()}"
    )


def _check_nsso_number(criteria: Values, now: datetime) -> UnusableCriterion | None:
    number = criteria.get("nssoRegistrationNumber")
    if number is None or has_valid_nsso_check_digits(number):
        return None
    return UnusableCriterion("criteria/nssoRegistrationNumber", "has wrong check digits")


def _check_enterprise_number(criteria: Values, now: datetime) -> UnusableCriterion | None:
    number = criteria.get("enterpriseNumber")
    if number is None or has_valid_enterprise_check_digits(number):
        return None
    return UnusableCriterion("criteria/enterpriseNumber", "has wrong check digits")


_RULES: tuple[Callable[[Values, datetime], UnusableCriterion | None], ...] = (
    _check_first_quarter,
    _check_order,
    _check_begun,
    _check_sectors,
    _check_nsso_number,
    _check_enterprise_number,
)


def _sector_indicators(criteria: Values) -> tuple[str, ...]:
    return tuple(criteria.get("sectorIndicators", {}).get("sectorIndicator", ()))
