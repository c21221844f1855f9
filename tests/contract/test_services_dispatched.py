"""Each declared rpc hands its consultation to its operation, through Spyne and the dispatch seam."""

from datetime import UTC, date, datetime

import pytest

from fixtures.dmfa_personas import demo_rows as demo_attestations
from fixtures.personas import demo_rows, load_personas
from gateway.contracts import load_contracts
from gateway.dispatch import ServiceEndpoint
from services import dimona, dmfa, self_employed, test_connection
from services.consultation import Consultation, SourceUnavailable
from services.descriptor import ServiceDescriptor
from tests.unit.dimona_messages import BREWERY, LOTTE, begin, consultation, make_file, name_employer
from tests.unit.fakes_dmfa import FakeDmfaRepository, FakePageTokens
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
MAIN = load_personas(NOW.date())[0]


def make_endpoint(descriptor: ServiceDescriptor, repository: object) -> ServiceEndpoint:
    contract = load_contracts((descriptor,)).services[descriptor.path]
    return ServiceEndpoint(contract, repository, "https://gateway.example")


def make_repository() -> FakeSelfEmployedRepository:
    world = demo_rows()
    return FakeSelfEmployedRepository(world.persons, world.pcsas, world.fund_outages)


def make_consultation(operation: str) -> Consultation:
    period = {"consultCareer": {}, "consultContributions": {"period": {"beginQuarter": "2017Q1"}}}[operation]
    values = {
        "informationCustomer": {"customerIdentification": {"sector": 21, "institution": 0}},
        "legalContext": "SIGEDIS:CAREER_ACCOUNT",
        "criteria": {"ssin": MAIN.ssin, **period},
    }
    return Consultation(operation, values, NOW, "")


@pytest.mark.parametrize(
    ("operation", "element"), [("consultCareer", "career"), ("consultContributions", "contributions")]
)
def test_self_employed_operation_answers_with_its_own_element(operation: str, element: str) -> None:
    endpoint = make_endpoint(self_employed.DESCRIPTOR, make_repository())
    (contract,) = (one for one in endpoint.contract.operations.values() if one.descriptor.name == operation)
    outcome = endpoint.call(contract, make_consultation(operation))
    assert (outcome.case, set(outcome.data)) == ("data_found", {"ssin", element})


def test_fault_of_the_source_comes_out_of_the_rpc_unchanged() -> None:
    repository = make_repository()
    repository.fault = SourceUnavailable("out")
    endpoint = make_endpoint(self_employed.DESCRIPTOR, repository)
    for contract in endpoint.contract.operations.values():
        with pytest.raises(SourceUnavailable, match="out"):
            endpoint.call(contract, make_consultation(contract.descriptor.name))


def test_a_service_finds_its_ports_by_their_names() -> None:
    contract = load_contracts((dmfa.DESCRIPTOR,)).services[dmfa.DESCRIPTOR.path]
    repository = FakeDmfaRepository(demo_attestations().attestations)
    endpoint = ServiceEndpoint(contract, repository, "https://gateway.example", page_tokens=FakePageTokens())
    cases = {}
    for operation in contract.operations.values():
        values = {
            "informationCustomer": {"customerIdentification": {"cbeNumber": "0999910345"}},
            "legalContext": "PENSIONS:CAREER",
            "criteria": {
                "ssin": "78611995852",
                "quarterPeriod": {"beginQuarter": "2017Q1", "endQuarter": "2021Q4"},
                "resultsAction": "RESULTS_ONLINE_ONLY",
                "latestSituationOnly": True,
            },
        }
        outcome = endpoint.call(operation, Consultation(operation.descriptor.name, values, NOW, "", "pensions"))
        cases[operation.descriptor.name] = (outcome.case, "next" in outcome.data)
    assert cases == {
        "consultDmfaAttestationsBySsin": ("page_found", True),
        "consultPersonnelByEmployer": ("not_implemented", False),
    }


def test_test_message_is_echoed() -> None:
    endpoint = make_endpoint(test_connection.DESCRIPTOR, None)
    (contract,) = endpoint.contract.operations.values()
    outcome = endpoint.call(contract, Consultation("sendTestMessage", {"echo": "dag"}, NOW, "PEM"))
    assert dict(outcome.data) == {"echo": "dag", "sslCertificate": "PEM"}


def test_each_operation_of_dimona_answers_with_its_own_element() -> None:
    contract = load_contracts((dimona.DESCRIPTOR,)).services[dimona.DESCRIPTOR.path]
    endpoint = ServiceEndpoint(contract, make_file(), "https://gateway.example", page_tokens=FakePageTokens())
    employer = {"employer": name_employer(BREWERY)}
    criteria = {
        "submitDeclarations": employer | {"declaration": [begin(LOTTE.ssin, date(2026, 6, 16))]},
        "consultDeclarations": employer,
        "consultPeriods": employer,
        "checkEmployment": employer
        | {"worker": {"ssin": [LOTTE.ssin]}, "period": {"beginDate": NOW.date(), "endDate": NOW.date()}},
    }
    answered = {
        operation.descriptor.name: set(
            endpoint.call(operation, consultation(operation.descriptor.name, criteria[operation.descriptor.name])).data
        )
        for operation in contract.operations.values()
    }
    assert answered == {
        "submitDeclarations": {"declarationResults"},
        "consultDeclarations": {"declarations"},
        "consultPeriods": {"employmentPeriods"},
        "checkEmployment": {"employmentChecks"},
    }
