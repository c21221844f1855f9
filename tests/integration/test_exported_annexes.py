"""What a client gets with its annex works: its samples are answered, and every reply fits the contract cut for it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from annex_packages import ANNEXES, CONTRACTS, TODAY, compile_schemas, export
from gateway_world import OpenWorld, Reply, World
from lxml import etree

from authz.annex import AuthenticationMethod
from fixtures import dimona_personas, dmfa_personas, personas
from fixtures.messages import NSSO, ZEEP
from gateway.xml.binding import compile_writer

# Who sends for a role, of those whom User Management knows.
SENDERS = {"technical-users": "brewery-messages"}
# Only a batch could answer it, whoever asks.
NEVER_ANSWERED = "consultPersonnelByEmployer"
# It has declared nobody yet, and acts for nobody else today.
WITHOUT_PERSONNEL = "accountant"
OPERATIONS = {
    operation.payload: operation for service in CONTRACTS.services.values() for operation in service.operations.values()
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return {client: export(tmp_path_factory.mktemp(client), annex) for client, annex in ANNEXES.items()}


@cache
def schemas_of(package: Path) -> Mapping[str, etree.XMLSchema]:
    return compile_schemas(package)


def send(world: World, client: str, payload: etree._Element) -> Reply:
    """Send a request as the client's annex has it prove itself."""
    annex, sender = ANNEXES[client], SENDERS.get(client, client)
    text, path = etree.tostring(payload).decode(), OPERATIONS[str(payload.tag)].service.path
    if AuthenticationMethod.X509_TOKEN not in annex.methods:
        return world.over_tls(text, sender, path)
    return world.post(world.sign(text, sender, NSSO if annex.sign_token else ZEEP), path)


def is_valid(package: Path, message: etree._Element) -> bool:
    """Tell whether the message, taken out of its envelope, is valid against the client's own contract."""
    alone = etree.fromstring(etree.tostring(message))
    schema = schemas_of(package).get(str(etree.QName(alone).namespace))
    return schema is not None and schema.validate(alone)


@pytest.mark.parametrize("client", sorted(ANNEXES))
def test_every_sample_is_answered_within_the_clients_contract(
    world: World, packages: Mapping[str, Path], client: str
) -> None:
    samples = sorted((packages[client] / "samples").iterdir())
    assert samples
    for file in samples:
        reply = send(world, client, etree.parse(file).getroot())
        assert is_valid(packages[client], reply.payload), file.name
        if reply.payload.find("status") is not None:
            expected = {"NO_RESULT"} if NEVER_ANSWERED in file.name else {"DATA_FOUND"}
            if client == WITHOUT_PERSONNEL:
                expected.add("NO_DATA_FOUND")
            assert reply.outcome[0] in expected, (file.name, reply.outcome, reply.information)
        assert reply.is_signed or client == "career-account"


def questions() -> Iterator[tuple[str, etree._Element]]:
    """Yield what every persona is asked about, by whom."""
    for module in (personas, dmfa_personas, dimona_personas):
        for persona in module.load_personas(TODAY):
            for asked in persona.expectations:
                contract = next(
                    each
                    for each in OPERATIONS.values()
                    if (each.service.name, each.descriptor.name) == (asked.service, asked.operation)
                )
                write = compile_writer(contract.request, contract.service.namespace, "v")
                values = {
                    "informationCustomer": {"customerIdentification": dict(asked.customer)},
                    "legalContext": asked.legal_context,
                    "criteria": dict(asked.criteria) | subject(asked.operation, persona.ssin),
                }
                yield asked.client, etree.fromstring(write(values))


def subject(operation: str, ssin: str) -> dict[str, object]:
    match operation:
        case "checkEmployment":
            return {"worker": {"ssin": [ssin]}}
        case "consultDeclarations" | "consultPeriods":
            return {"worker": {"ssin": ssin}}
    return {"ssin": ssin}


def test_every_reply_to_what_a_contract_allows_is_valid_against_it(
    open_own_world: OpenWorld, packages: Mapping[str, Path]
) -> None:
    world = open_own_world()
    answered, outside = set(), 0
    for client, request in questions():
        if not is_valid(packages[client], request):
            outside += 1
            continue
        # Nobody reaches the limit of its requests.
        world.clock.advance(seconds=30)
        reply = send(world, client, request)
        answered.add(reply.outcome)
        assert is_valid(packages[client], reply.payload), (client, reply.outcome)
    # Found, nothing found, and refused for most of the reasons that there are.
    assert {value for value, _ in answered} >= {"DATA_FOUND", "NO_DATA_FOUND", "NO_RESULT", "PARTIAL_RESULT"}
    assert {"MSG00005", "MSG00006", "MSG00009", "MSG00012", "MSG00013", "MSG00014"} <= {code for _, code in answered}
    assert outside > 0


def test_a_fault_is_valid_against_the_clients_contract(world: World, packages: Mapping[str, Path]) -> None:
    sample = etree.parse(packages["economy"] / "samples" / "SelfEmployedServiceV2.consultCareerRequest.xml").getroot()
    ssin = sample.find("criteria/ssin")
    assert ssin is not None
    ssin.text = "no number"
    reply = send(world, "economy", sample)
    assert reply.is_fault
    assert reply.detail is not None
    assert is_valid(packages["economy"], reply.detail)


def test_a_withheld_element_is_not_in_the_contract_and_a_granted_one_is(packages: Mapping[str, Path]) -> None:
    named = {
        client: "".join(file.read_text("utf-8") for file in (packages[client] / "xsd").iterdir())
        for client in ("economy", "pcsa")
    }
    assert 'name="occupation"' not in named["economy"]
    assert 'name="occupation"' in named["pcsa"]
