"""The messages of a remote source: only committed files are loaded, and what cannot be said or read is told."""

import pytest
from lxml import etree

from gateway.contracts import XSD_FOLDER
from gateway.sources.remote_contract import RemoteContract, _CommittedDocuments
from gateway.sources.trouble import BadAnswer, NotSent
from tests.remote_source import contracts

SSIN = "75631290176"
CUSTOMER = {"customerIdentification": {"cbeNumber": "0999900051"}}


@pytest.fixture(scope="module")
def contract() -> RemoteContract:
    return RemoteContract(contracts().services["/SelfEmployedService/v2/consult"])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/a.xsd", "https://other.example/a.xsd", "/etc/hostname", "../a.xsd"]
)
def test_nothing_but_the_committed_files_is_loaded(url: str) -> None:
    with pytest.raises(PermissionError):
        _CommittedDocuments().load(url)
    with pytest.raises(PermissionError):
        _CommittedDocuments().load(f"{XSD_FOLDER}/../setup.cfg")
    assert _CommittedDocuments().load(str(XSD_FOLDER / "CommonV3.xsd"))


def test_a_question_is_valid_and_in_canonical_form(contract: RemoteContract) -> None:
    written = contract.write(
        "consultCareer",
        {"informationCustomer": CUSTOMER, "legalContext": "GATEWAY:CONSULTATION", "criteria": {"ssin": SSIN}},
    )
    element = etree.fromstring(written)
    assert contract._schema.find_errors(element) == ()
    assert etree.tostring(element, method="c14n", exclusive=True).decode() == written


@pytest.mark.parametrize("criteria", [{}, {"ssin": SSIN, "colour": "red"}], ids=["nothing", "another element"])
def test_what_the_contract_cannot_say_is_not_sent_and_not_quoted(
    contract: RemoteContract, criteria: dict[str, str]
) -> None:
    with pytest.raises(NotSent) as raised:
        contract.write("consultCareer", {"informationCustomer": CUSTOMER, "legalContext": "A:B", "criteria": criteria})
    assert SSIN not in f"{raised.value}{raised.value.__cause__}"


def test_another_message_than_the_reply_is_none(contract: RemoteContract) -> None:
    with pytest.raises(BadAnswer, match="no reply of the operation"):
        contract.read("consultCareer", etree.fromstring("<consultCareerResponse/>"))
    namespace = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"
    with pytest.raises(BadAnswer, match="not valid"):
        contract.read("consultCareer", etree.fromstring(f'<a:consultCareerResponse xmlns:a="{namespace}"/>'))
