"""Each declared rpc hands its consultation to its operation, through Spyne and the dispatch seam."""

from datetime import UTC, date, datetime

import pytest

from fixtures.dmfa_personas import demo_rows as demo_attestations
from fixtures.employers import get_employer
from fixtures.personas import demo_rows, load_personas
from gateway.contracts import load_contracts
from gateway.dispatch import ServiceEndpoint
from services import dimona, dmfa, employer_mandate, employer_repertory, health_check, self_employed, test_connection
from services.consultation import Consultation, SourceUnavailable
from services.descriptor import ServiceDescriptor
from services.health import Component, Kind, Level, State
from services.user_access import AccessGiven, AccessPath
from tests.unit.dimona_messages import BREWERY, LOTTE, begin, consultation, make_file, name_employer
from tests.unit.fakes_dmfa import FakeDmfaRepository, FakePageTokens
from tests.unit.fakes_employer_repertory import FakeEmployerRegister
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository
from tests.unit.fakes_user_access import FakeUserAccess

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


def test_the_repertory_finds_its_register_and_its_access_of_users() -> None:
    contract = load_contracts((employer_repertory.DESCRIPTOR,)).services[employer_repertory.DESCRIPTOR.path]
    bakery, access = get_employer("bakery"), FakeUserAccess()
    endpoint = ServiceEndpoint(contract, FakeEmployerRegister(), "https://gateway.example", user_access=access)
    (operation,) = contract.operations.values()
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999912028"}},
        "legalContext": "FRONTOFFICE:EMPLOYMENT_MEASURES",
        "criteria": {"nssoRegistrationNumber": bakery.registration_number, "onBehalfOf": "0999930240-U2"},
    }
    outcome = endpoint.call(operation, Consultation("consultEmployer", values, NOW, "", "front-office"))
    assert outcome.case == "user_without_access"
    assert [question.technical_user_id for question in access.asked] == ["0999930240-U2"]


class FakeHealth:
    """Implements `services.health.Health`: everything is well, and it tells what it was asked."""

    services = frozenset({"DmfaConsultationService/v1", "EmployerMandateConsultationService/v2"})

    def components(self, level: Level, services: frozenset[str], now: datetime) -> list[Component]:
        return [Component(f"{level} {name}", Kind.SOURCE, State.OK) for name in sorted(services)]


@pytest.mark.parametrize(
    ("descriptor", "told"),
    [
        (health_check.DESCRIPTOR, [f"DEEP {name}" for name in sorted(FakeHealth.services)]),
        (employer_mandate.DESCRIPTOR, ["DEEP EmployerMandateConsultationService/v2"]),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_health_check_tells_of_all_services_or_of_its_own(descriptor: ServiceDescriptor, told: list[str]) -> None:
    contract = load_contracts((descriptor,)).services[descriptor.path]
    endpoint = ServiceEndpoint(contract, None, "https://gateway.example", health=FakeHealth())
    (operation,) = (one for one in contract.operations.values() if one.descriptor.name == "HealthCheck")
    outcome = endpoint.call(operation, Consultation("HealthCheck", {"criteria": {"level": "DEEP"}}, NOW, ""))
    assert [each["name"] for each in outcome.data["health"]["component"]] == told


def test_user_access_asks_the_repository() -> None:
    users = FakeUserAccess(answer=AccessGiven(AccessPath.MANAGER))
    endpoint = make_endpoint(employer_mandate.DESCRIPTOR, users)
    (operation,) = (one for one in endpoint.contract.operations.values() if one.descriptor.name != "HealthCheck")
    values = {"criteria": {"technicalUserId": "U", "entity": {"enterpriseNumber": "0999910345"}, "application": "X"}}
    outcome = endpoint.call(operation, Consultation(operation.descriptor.name, values, NOW, ""))
    assert outcome.data == {"userAccess": {"access": True, "path": "MANAGER"}}
    assert len(users.asked) == 1


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
