"""The shape of SelfEmployedService v2, by hand, and the demo annexes read with it."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from authz.annex import Annex
from authz.annex_document import read_annex
from authz.contract_shape import Contracts, ContractShape
from gateway.contracts import load_contracts

ANNEXES = Path(__file__).parents[2] / "fixtures" / "annexes"
DECISIONS = Path(__file__).parents[2] / "fixtures" / "decisions"
NOW = datetime(2024, 6, 1, 10, 0, tzinfo=UTC)
SERVICE = "SelfEmployedService/v2"


def _paths(text: str) -> dict[str, bool]:
    """Read one path a line; a question mark after it says that the element is optional."""
    return {line.strip().rstrip("?"): line.strip().endswith("?") for line in text.strip().splitlines()}


_HEAD = """
informationCustomer
informationCustomer/ticket?
informationCustomer/timestampSent?
informationCustomer/customerIdentification
informationCustomer/customerIdentification/cbeNumber?
informationCustomer/customerIdentification/sector?
informationCustomer/customerIdentification/institution?
informationCBSS?
informationCBSS/ticketCBSS
informationCBSS/timestampReceive
informationCBSS/timestampReply
legalContext
criteria
criteria/ssin
"""

CONSULT_CAREER = ContractShape(
    request_paths=_paths(_HEAD + "criteria/period?\ncriteria/period/beginDate\ncriteria/period/endDate?"),
    reply_paths=_paths("""
        ssin?
        dataFilters?
        dataFilters/filteredElement
        career?
        career/nisseReference
        career/selfEmployedEnterpriseNumber?
        career/occupation?
        career/occupation/code
        career/occupation/description?
        career/affiliations
        career/affiliations/affiliation
        career/affiliations/affiliation/socialInsuranceFund
        career/affiliations/affiliation/socialInsuranceFund/enterpriseNumber?
        career/affiliations/affiliation/socialInsuranceFund/code
        career/affiliations/affiliation/signatureDate?
        career/affiliations/affiliation/careerSegments
        career/affiliations/affiliation/careerSegments/careerSegment
        career/affiliations/affiliation/careerSegments/careerSegment/period
        career/affiliations/affiliation/careerSegments/careerSegment/period/beginDate
        career/affiliations/affiliation/careerSegments/careerSegment/period/endDate?
        career/affiliations/affiliation/careerSegments/careerSegment/selfEmployedQuality
        career/affiliations/affiliation/careerSegments/careerSegment/selfEmployedQuality/code
        career/affiliations/affiliation/careerSegments/careerSegment/selfEmployedQuality/description?
        career/affiliations/affiliation/careerSegments/careerSegment/contribution
        career/affiliations/affiliation/careerSegments/careerSegment/contribution/code
        career/affiliations/affiliation/careerSegments/careerSegment/contribution/description?
        career/affiliations/affiliation/careerSegments/careerSegment/equality?
        career/affiliations/affiliation/careerSegments/careerSegment/equality/code
        career/affiliations/affiliation/careerSegments/careerSegment/equality/description?
    """),
    has_data_filters=True,
)

CONSULT_CONTRIBUTIONS = ContractShape(
    request_paths=_paths(_HEAD + "criteria/period\ncriteria/period/beginQuarter\ncriteria/period/endQuarter?"),
    reply_paths=_paths("""
        ssin?
        contributions?
        contributions/contribution
        contributions/contribution/quarter
        contributions/contribution/socialInsuranceFund
        contributions/contribution/socialInsuranceFund/enterpriseNumber?
        contributions/contribution/socialInsuranceFund/code
        contributions/contribution/contributionSituation
        contributions/contribution/contributionSituation/code
        contributions/contribution/contributionSituation/description?
        contributions/contribution/ziv?
        contributions/contribution/ziv/code
        contributions/contribution/ziv/description?
    """),
)

CHECK_ACCESS = ContractShape(
    request_paths=_paths("""
        informationCustomer
        criteria
        criteria/technicalUser
        criteria/period?
        criteria/period/beginDate?
        criteria/period/endDate
        criteria/entity
        criteria/entity/enterpriseNumber?
        criteria/referenceDate?
    """),
    reply_paths=_paths("access\npath?\nmandate?\nmandate/validity"),
    has_data_filters=True,
    consults_persons=False,
    kinds=frozenset({"supportApplication"}),
)

HEALTH_CHECK = ContractShape(
    request_paths=_paths("criteria\ncriteria/level\ncriteria/service?"),
    consults_persons=False,
    kinds=frozenset({"monitoringProbe", "supportApplication", "institution"}),
)

# What an operation on the staff of employers has, by hand: it names several persons, or none and lists those it finds.
CONSULT_STAFF = ContractShape(
    request_paths=_paths(
        _HEAD.replace("criteria/ssin", "criteria/worker?\ncriteria/worker/ssin?\ncriteria/worker/name?")
        + """
        criteria/employer?
        criteria/employer/nssoRegistrationNumber?
        criteria/employer/enterpriseNumber?
        criteria/period?
        criteria/period/beginDate
        criteria/period/endDate?
        criteria/place?
        criteria/place/code?
        criteria/place/since?
        """
    ),
    reply_paths=_paths("periods?\nperiods/period\nperiods/period/worker?\nperiods/period/worker/ssin\ndataFilters?"),
    has_data_filters=True,
    notifies=True,
    names_employer=True,
    repeated=frozenset({"criteria/worker/ssin", "criteria/place"}),
    application="staffing",
)

STAFF = "StaffService/v1"
MANDATES = "EmployerMandateConsultationService/v2"
CONTRACTS = {
    SERVICE: {"consultCareer": CONSULT_CAREER, "consultContributions": CONSULT_CONTRIBUTIONS},
    MANDATES: {"CheckUnauthenticatedUserAccess": CHECK_ACCESS, "HealthCheck": HEALTH_CHECK},
    "HealthCheckService/v1": {"HealthCheck": HEALTH_CHECK},
    STAFF: {"consultStaff": CONSULT_STAFF, "consultFormerStaff": replace(CONSULT_STAFF, notifies=False)},
}


@cache
def demo_contracts() -> Contracts:
    """Return what demo annexes may name: the shapes above, and those of all other services out of their contracts."""
    return {**load_contracts().shapes(), **CONTRACTS}


def read_demo_text(name: str) -> str:
    """Return the text of a demo client's annex."""
    return (ANNEXES / f"{name}.yaml").read_text("utf-8")


def read_demo_annex(name: str) -> Annex:
    """Return a demo client's annex, compiled."""
    return read_annex(read_demo_text(name), demo_contracts())
