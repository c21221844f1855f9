"""Makes the values of a reply from the values of the source; judges codes, and nothing else.

Raises SourceCodeUnexpected for a code that the tables do not have.
"""

from collections.abc import Iterable
from typing import Any

from services.consultation import Values
from services.self_employed import codes
from services.self_employed.career import Affiliation, Career, Contribution, Segment


def make_career(career: Career, affiliations: Iterable[Affiliation]) -> Values:
    """Return the `career` element, with the affiliations that are to be told."""
    values: dict[str, Any] = {"nisseReference": career.nisse_reference}
    if career.self_employed_enterprise_number is not None:
        values["selfEmployedEnterpriseNumber"] = career.self_employed_enterprise_number
    if career.occupation is not None:
        values["occupation"] = codes.OCCUPATION.get_element(career.occupation)
    values["affiliations"] = {"affiliation": [_make_affiliation(affiliation) for affiliation in affiliations]}
    return values


def make_contributions(contributions: Iterable[Contribution]) -> Values:
    """Return the `contributions` element, in the order given."""
    return {"contribution": [_make_contribution(contribution) for contribution in contributions]}


def _make_affiliation(affiliation: Affiliation) -> Values:
    values: dict[str, Any] = {
        "socialInsuranceFund": codes.SOCIAL_INSURANCE_FUND.get_element(affiliation.social_insurance_fund)
    }
    if affiliation.signature_date is not None:
        values["signatureDate"] = affiliation.signature_date
    segments = [_make_segment(segment) for segment in affiliation.career_segments]
    values["careerSegments"] = {"careerSegment": segments}
    return values


def _make_segment(segment: Segment) -> Values:
    period = {"beginDate": segment.begin_date}
    if segment.end_date is not None:
        period["endDate"] = segment.end_date
    values: dict[str, Any] = {
        "period": period,
        "selfEmployedQuality": codes.SELF_EMPLOYED_QUALITY.get_element(segment.self_employed_quality),
        "contribution": codes.CAREER_CONTRIBUTION.get_element(segment.contribution),
    }
    if segment.equality is not None:
        values["equality"] = codes.EQUALITY.get_element(segment.equality)
    return values


def _make_contribution(contribution: Contribution) -> Values:
    values: dict[str, Any] = {
        "quarter": contribution.quarter,
        "socialInsuranceFund": codes.SOCIAL_INSURANCE_FUND.get_element(contribution.social_insurance_fund),
        "contributionSituation": codes.CONTRIBUTION_SITUATION.get_element(contribution.contribution_situation),
    }
    if contribution.ziv is not None:
        values["ziv"] = codes.ZIV.get_element(contribution.ziv)
    return values
