"""A client that zeep builds from the served WSDL consults over TLS, and reads what it is refused."""

from datetime import date
from typing import Any

import pytest
import zeep
from lxml import etree

from fixtures.personas import load_personas
from tests.e2e.conftest import RunningGateway
from tests.e2e.zeep_client import stock_client

SELF_EMPLOYED = "/SelfEmployedService/v2/consult"
TEST_CONNECTION = "/TestConnectionService/v1/consult"
SSIN = {persona.name: persona.ssin for persona in load_personas()}


def request(cbe_number: str, legal_context: str, **criteria: Any) -> dict[str, Any]:
    return {
        "informationCustomer": {"ticket": "e2e", "customerIdentification": {"cbeNumber": cbe_number}},
        "legalContext": legal_context,
        "criteria": criteria,
    }


@pytest.fixture(scope="module")
def pcsa(gateway: RunningGateway) -> zeep.Client:
    return stock_client(gateway, SELF_EMPLOYED, "pcsa")


def ask_pcsa(**criteria: Any) -> dict[str, Any]:
    return request("0999900150", "PCSA:SOCIAL_INQUIRY", **criteria)


def test_a_career_is_found(pcsa: zeep.Client) -> None:
    reply = pcsa.service.consultCareer(**ask_pcsa(ssin=SSIN["main-occupation"], period={"beginDate": date(2015, 1, 1)}))
    assert (reply.status.value, reply.status.code) == ("DATA_FOUND", "MSG00000")
    assert reply.ssin._value_1 == SSIN["main-occupation"]
    (affiliation,) = reply.career.affiliations.affiliation
    assert affiliation.careerSegments.careerSegment[0].contribution.code == 100
    assert reply.informationCustomer.ticket == "e2e"


def test_contributions_are_found(pcsa: zeep.Client) -> None:
    reply = pcsa.service.consultContributions(
        **ask_pcsa(ssin=SSIN["main-occupation"], period={"beginQuarter": "2018Q1", "endQuarter": "2018Q4"})
    )
    assert (reply.status.value, reply.status.code) == ("DATA_FOUND", "MSG00000")
    assert [each.quarter for each in reply.contributions.contribution] == ["2018Q1", "2018Q2", "2018Q3", "2018Q4"]


def test_a_replaced_number_comes_with_its_successor(pcsa: zeep.Client) -> None:
    reply = pcsa.service.consultCareer(**ask_pcsa(ssin=SSIN["replaced"]))
    assert (reply.status.value, reply.status.code) == ("NO_RESULT", "MSG00006")
    assert [(each.fieldName, each.fieldValue) for each in reply.status.information] == [("newSSIN", SSIN["successor"])]
    assert (reply.ssin._value_1, reply.ssin.replaces) == (SSIN["successor"], SSIN["replaced"])


def test_withheld_blocks_are_absent_and_listed(gateway: RunningGateway) -> None:
    economy = stock_client(gateway, SELF_EMPLOYED, "economy")
    reply = economy.service.consultCareer(
        **request(
            "0999900249",
            "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED",
            ssin=SSIN["main-occupation"],
            period={"beginDate": date.today().replace(day=1, year=date.today().year - 4)},  # noqa: DTZ011
        )
    )
    assert reply.status.code == "MSG00000"
    assert reply.career.occupation is None
    assert [each.signatureDate for each in reply.career.affiliations.affiliation] == [None]
    assert reply.dataFilters.filteredElement == [
        "career/occupation",
        "career/affiliations/affiliation/signatureDate",
    ]


def test_a_faults_detail_is_read(pcsa: zeep.Client) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        pcsa.service.consultCareer(**ask_pcsa(ssin="not a number"))
    detail = pcsa.wsdl.types.deserialize(raised.value.detail[0])
    assert (detail.detail[0].reasonCode, detail.detail[0].severity) == ("MSG00004", "FATAL")
    assert detail.detail[0].information[0].fieldName == "criteria/ssin"
    assert etree.QName(raised.value.detail[0]).localname == "consultCareerFault"


def test_every_client_may_test_its_connection(gateway: RunningGateway) -> None:
    for client in ("pcsa", "support", "probe"):
        reply = stock_client(gateway, TEST_CONNECTION, client).service.sendTestMessage(echo="is anyone there? <&>")
        assert reply.echo == "is anyone there? <&>"
        assert reply.sslCertificate == (gateway.state / "pki" / "clients" / f"{client}.pem").read_text()


@pytest.mark.parametrize("client", ["support", "probe"])
def test_support_applications_and_probes_consult_nobody(gateway: RunningGateway, client: str) -> None:
    service = stock_client(gateway, SELF_EMPLOYED, client).service
    number = {"support": "0999900744", "probe": "0999900843"}[client]
    reply = service.consultCareer(**request(number, "PCSA:SOCIAL_INQUIRY", ssin=SSIN["main-occupation"]))
    assert (reply.status.value, reply.status.code, reply.career) == ("NO_RESULT", "MSG00013", None)


def test_a_client_may_prove_itself_by_mutual_tls(gateway: RunningGateway) -> None:
    client = stock_client(gateway, SELF_EMPLOYED, "career-account", signing=False)
    asked = request("0", "SIGEDIS:CAREER_ACCOUNT", ssin=SSIN["main-occupation"])
    asked["informationCustomer"]["customerIdentification"] = {"sector": 21, "institution": 0}
    reply = client.service.consultCareer(**asked)
    assert reply.status.code == "MSG00000"


def test_a_client_that_must_sign_cannot_do_with_mutual_tls(gateway: RunningGateway) -> None:
    client = stock_client(gateway, SELF_EMPLOYED, "pcsa", signing=False)
    with pytest.raises(zeep.exceptions.Fault, match="x509Token") as raised:
        client.service.consultCareer(**ask_pcsa(ssin=SSIN["main-occupation"]))
    assert raised.value.code == "wsse:FailedAuthentication"
