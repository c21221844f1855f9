"""Providers: who may act for an employer, and how that begins and ends."""

from collections.abc import Iterator
from datetime import date

from authz.user_management.answer import Rule
from authz.user_management.applications import application_groups
from authz.user_management.commands import EndAffiliation, Operator
from authz.user_management.model import Affiliation, Quality
from authz.user_management.providers import (
    Days,
    affiliation_days,
    mandate_days,
    mandates_of,
    overlap,
    quarter_days,
)
from authz.user_management.question import Question


def _is_quality(question: Question, enterprise_number: str, quality: Quality) -> bool:
    enterprise = question.world.find_enterprise(enterprise_number)
    return enterprise is not None and quality in enterprise.qualities and not enterprise.is_struck_off(question.day)


def _is_not_automatic(question: Question) -> bool:
    days = quarter_days(question.command.begin_quarter, question.command.end_quarter)
    return days is None or not any(
        each.secretariat == question.command.mandatary and overlap(affiliation_days(each), days)
        for each in question.account.affiliations
    )


def _is_only_other(question: Question) -> bool:
    days = quarter_days(question.command.begin_quarter, question.command.end_quarter)
    return days is None or not any(
        each.mandatary != question.command.mandatary and overlap(mandate_days(each), days)
        for each in question.account.mandates.values()
    )


def _is_new(question: Question) -> bool:
    days = quarter_days(question.command.begin_quarter, question.command.end_quarter)
    return days is None or not any(
        each.application_group == question.command.application_group and overlap(mandate_days(each), days)
        for each in mandates_of(question.account, question.command.mandatary)
    )


def _runs_forward(question: Question) -> bool:
    days = quarter_days(question.command.begin_quarter, question.command.end_quarter)
    return days is not None and days[0] <= days[1]


def _shortens(question: Question) -> bool:
    mandate = question.account.mandates.get(question.command.mandate_id)
    return mandate is not None and question.command.last_day <= mandate_days(mandate)[1]


def _asked_days(question: Question) -> Days:
    command = question.command
    end = command.last_day if isinstance(command, EndAffiliation) else command.end
    return command.begin, end or date.max


def _others(question: Question) -> Iterator[Affiliation]:
    """Yield the affiliations but the one that an EndAffiliation ends."""
    ending = (question.command.secretariat, question.command.begin)
    for each in question.account.affiliations:
        if not isinstance(question.command, EndAffiliation) or (each.secretariat, each.begin) != ending:
            yield each


def _is_affiliation_known(question: Question) -> bool:
    asked = (question.command.secretariat, question.command.begin)
    return any((each.secretariat, each.begin) == asked for each in question.account.affiliations)


EMPLOYERS_HAVE_PROVIDERS = Rule(
    "employers-have-providers",
    "Only an employer has providers.",
    "seed 000, De mogelijkheden als werkgever",
    lambda question: question.enterprise.has_staff,
)
EMPLOYER_REPORTS = Rule(
    "employer-reports",
    "The employer itself names its provider and reports the end: its chief, co-chief or a manager of its quality as"
    " employer, or the NSSO from the form.",
    "seed 000, point 2 and Uw verantwoordelijkheden",
    lambda question: isinstance(question.actor, Operator) or question.manages(Quality.EMPLOYER),
)
AGREEMENT = Rule(
    "provider-agreement",
    "An employer names only a provider with which it has an agreement.",
    "seed 000, point 2, Let op!",
    lambda question: bool(question.command.agreement),
)
ANOTHER_ENTERPRISE = Rule(
    "provider-external",
    "A provider is another enterprise than the employer.",
    "seed 000, De dienstverlener",
    lambda question: question.command.mandatary != question.enterprise.number,
)
MANDATARY_KNOWN = Rule(
    "mandatary-known",
    "A mandatary is an enterprise with the quality of service provider that was not struck off.",
    "seed 002, Helpers aanstellen",
    lambda question: _is_quality(question, question.command.mandatary, Quality.SERVICE_PROVIDER),
)
SECRETARIAT_AUTOMATIC = Rule(
    "secretariat-automatic",
    "The recognised secretariat to which the employer is affiliated has access by itself: no form is needed.",
    "seed 000, points 2 and 3",
    _is_not_automatic,
)
ONE_OTHER_PROVIDER = Rule(
    "one-other-provider",
    "Beside its recognised secretariat, an employer has one other provider at any date.",
    "seed 000, De dienstverlener, Let op!",
    _is_only_other,
)
MANDATE_QUARTERS = Rule(
    "mandate-quarters",
    "A mandate runs from a quarter to the same or a later one.",
    "ours",
    _runs_forward,
)
MANDATE_GROUP = Rule(
    "mandate-group",
    "A mandate is for a group of applications that providers can use.",
    "ours",
    lambda question: question.command.application_group in application_groups(),
)
MANDATE_ONCE = Rule(
    "mandate-once",
    "The same mandatary is mandated for a group once at any date.",
    "ours",
    _is_new,
)
MANDATE_KNOWN = Rule(
    "mandate-known",
    "A mandate is one that this employer gave.",
    "ours",
    lambda question: question.command.mandate_id in question.account.mandates,
)
MANDATE_ENDS_EARLIER = Rule(
    "mandate-ends-earlier",
    "The end of a mandate is reported for a day not after its present end; it is not reopened.",
    "ours",
    _shortens,
)
SECRETARIAT_RECOGNISED = Rule(
    "secretariat-recognised",
    "An affiliation is one to a recognised social secretariat.",
    "seed 000, point 2",
    lambda question: _is_quality(question, question.command.secretariat, Quality.RECOGNISED_SOCIAL_SECRETARIAT),
)
ONE_SECRETARIAT = Rule(
    "one-secretariat",
    "An employer is affiliated to one recognised secretariat at any date.",
    "seed 000, point 2",
    lambda question: not any(overlap(affiliation_days(each), _asked_days(question)) for each in _others(question)),
)
AFFILIATION_DAYS = Rule(
    "affiliation-days",
    "An affiliation does not end before it begins.",
    "ours",
    lambda question: _asked_days(question)[0] <= _asked_days(question)[1],
)
AFFILIATION_KNOWN = Rule(
    "affiliation-known",
    "An affiliation that ends is one that was recorded.",
    "ours",
    _is_affiliation_known,
)
RULES = (
    EMPLOYERS_HAVE_PROVIDERS,
    EMPLOYER_REPORTS,
    AGREEMENT,
    ANOTHER_ENTERPRISE,
    MANDATARY_KNOWN,
    SECRETARIAT_AUTOMATIC,
    ONE_OTHER_PROVIDER,
    MANDATE_QUARTERS,
    MANDATE_GROUP,
    MANDATE_ONCE,
    MANDATE_KNOWN,
    MANDATE_ENDS_EARLIER,
    SECRETARIAT_RECOGNISED,
    ONE_SECRETARIAT,
    AFFILIATION_DAYS,
    AFFILIATION_KNOWN,
)
