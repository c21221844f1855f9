"""The committed WSDL and XSD files: loadable by others, consistent, and explained in two languages."""

from pathlib import Path

import pytest
import zeep
from lxml import etree

from gateway.stages.validate import MOST_CHARACTERS
from gateway.xml.validation import NOT_IN_ITS_FORM

ROOT = Path(__file__).parents[2]
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
XSD = "{http://www.w3.org/2001/XMLSchema}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SCHEMAS = sorted((ROOT / "xsd").glob("*.xsd"))
WSDLS = sorted((ROOT / "wsdl").glob("*.wsdl"))
OPERATIONS = {
    "HealthCheckServiceV1.wsdl": ("HealthCheckService", "/HealthCheckService/v1/consult", {"HealthCheck"}),
    "EmployerMandateConsultationServiceV2.wsdl": (
        "EmployerMandateConsultationService",
        "/EmployerMandateConsultationService/v2/consult",
        {"CheckUnauthenticatedUserAccess", "HealthCheck"},
    ),
    "SelfEmployedServiceV2.wsdl": (
        "SelfEmployedService",
        "/SelfEmployedService/v2/consult",
        {"consultCareer", "consultContributions"},
    ),
    "DmfaConsultationServiceV1.wsdl": (
        "DmfaConsultationService",
        "/DmfaConsultationService/consult",
        {"consultDmfaAttestationsBySsin", "consultPersonnelByEmployer"},
    ),
    "EmployerRepertoryServiceV1.wsdl": (
        "EmployerRepertoryService",
        "/EmployerRepertoryService/v1/consult",
        {"consultEmployer"},
    ),
    "DimonaServiceV1.wsdl": (
        "DimonaService",
        "/DimonaService/v1/consult",
        {"submitDeclarations", "consultDeclarations", "consultPeriods", "checkEmployment"},
    ),
    "TestConnectionServiceV1.wsdl": (
        "TestConnectionService",
        "/TestConnectionService/v1/consult",
        {"sendTestMessage"},
    ),
}


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", SCHEMAS, ids=stem)
def test_a_schema_compiles_and_qualifies_only_root_elements(path: Path) -> None:
    document = etree.parse(path)
    etree.XMLSchema(document)
    assert document.getroot().get("elementFormDefault") == "unqualified"


@pytest.mark.parametrize("path", SCHEMAS, ids=stem)
def test_schemas_import_one_another_from_the_same_folder(path: Path) -> None:
    for imported in etree.parse(path).iterfind(f"{XSD}import"):
        target = path.parent / str(imported.get("schemaLocation"))
        assert target.parent == path.parent
        assert etree.parse(target).getroot().get("targetNamespace") == imported.get("namespace")


@pytest.mark.parametrize("path", SCHEMAS, ids=stem)
def test_every_type_element_and_attribute_is_explained_in_english_and_dutch(path: Path) -> None:
    root = etree.parse(path).getroot()
    explained = [root, *root.iterfind(f"{XSD}simpleType"), *root.iterfind(f"{XSD}complexType")]
    explained += [*root.iter(f"{XSD}element"), *root.iter(f"{XSD}attribute")]
    for node in explained:
        texts = {
            text.get(LANG): (text.text or "").strip() for text in node.iterfind(f"{XSD}annotation/{XSD}documentation")
        }
        assert set(texts) == {"en", "nl"}, node.get("name")
        assert all(texts.values()), node.get("name")
        assert texts["en"] != texts["nl"], node.get("name")


@pytest.mark.parametrize("path", WSDLS, ids=stem)
def test_a_wsdl_declares_document_literal_operations_with_their_faults(path: Path) -> None:
    service, endpoint, operations = OPERATIONS[path.name]
    root = etree.parse(path).getroot()
    namespace = root.get("targetNamespace")
    schema = root.find(f"{WSDL}types/{XSD}schema/{XSD}import")
    assert schema is not None
    assert schema.get("namespace") == namespace
    assert schema.get("schemaLocation") == f"../xsd/{path.stem}.xsd"
    declared = etree.parse(ROOT / "xsd" / f"{path.stem}.xsd").getroot()
    assert declared.get("targetNamespace") == namespace
    messages = {f"{operation}{kind}" for operation in operations for kind in ("Request", "Response", "Fault")}
    assert {element.get("name") for element in declared.iterfind(f"{XSD}element")} == messages
    assert {part.get("element") for part in root.iter(f"{WSDL}part")} == {f"tns:{name}" for name in messages}

    binding = root.find(f"{WSDL}binding")
    assert binding is not None
    soap_binding = binding.find(f"{SOAP}binding")
    assert soap_binding is not None
    assert soap_binding.attrib == {"style": "document", "transport": "http://schemas.xmlsoap.org/soap/http"}
    bound = {str(node.get("name")): node for node in binding.iterfind(f"{WSDL}operation")}
    assert set(bound) == operations
    for name, node in bound.items():
        action = node.find(f"{SOAP}operation")
        assert action is not None
        assert action.get("soapAction") == f"http://kszbcss.fgov.be/{service}/{name}"
        assert [body.get("use") for body in node.iter(f"{SOAP}body", f"{SOAP}fault")] == ["literal"] * 3
        assert [fault.get("name") for fault in node.iter(f"{SOAP}fault")] == [f"{name}Fault"]
    assert [address.get("location") for address in root.iter(f"{SOAP}address")] == [f"https://localhost{endpoint}"]


@pytest.mark.parametrize("path", WSDLS, ids=stem)
def test_zeep_builds_a_client_with_every_operation_and_its_fault(path: Path) -> None:
    _, endpoint, operations = OPERATIONS[path.name]
    client = zeep.Client(str(path))
    assert client.service._binding_options["address"] == f"https://localhost{endpoint}"
    bound = client.service._binding._operations
    assert set(bound) == operations
    for name, operation in bound.items():
        assert set(operation.faults) == {f"{name}Fault"}


def test_zeep_writes_a_request_whose_children_have_no_namespace() -> None:
    client = zeep.Client(str(ROOT / "wsdl/SelfEmployedServiceV2.wsdl"))
    envelope = client.create_message(
        client.service,
        "consultCareer",
        informationCustomer={"customerIdentification": {"sector": 21, "institution": 0}},
        legalContext="SIGEDIS:CAREER_ACCOUNT",
        criteria={"ssin": "80631500121"},
    )
    message = envelope.find("{http://schemas.xmlsoap.org/soap/envelope/}Body/*")
    assert message.tag == "{http://kszbcss.fgov.be/intf/SelfEmployedService/v2}consultCareerRequest"
    assert all("{" not in str(node.tag) for node in message.iterdescendants())
    assert etree.XMLSchema(etree.parse(ROOT / "xsd/SelfEmployedServiceV2.xsd")).validate(
        etree.ElementTree(etree.fromstring(etree.tostring(message)))
    )


@pytest.mark.parametrize(
    ("identification", "accepted"),
    [
        ("<cbeNumber>0999900150</cbeNumber>", True),
        ("<sector>21</sector><institution>0</institution>", True),
        ("<sector>21</sector>", False),
        ("<institution>0</institution><sector>21</sector>", False),
        ("<cbeNumber>0999900150</cbeNumber><sector>21</sector><institution>0</institution>", False),
        ("<sector>1000</sector><institution>0</institution>", False),
        ("", False),
    ],
)
def test_an_organisation_is_a_cbe_number_or_a_sector_with_its_institution(identification: str, accepted: bool) -> None:
    sample = (ROOT / "fixtures/samples/SelfEmployedServiceV2.consultCareerRequest.smallest.xml").read_text("utf-8")
    assert sample.count("<cbeNumber>0999900150</cbeNumber>") == 1
    message = etree.fromstring(sample.replace("<cbeNumber>0999900150</cbeNumber>", identification).encode())
    schema = etree.XMLSchema(etree.parse(ROOT / "xsd/SelfEmployedServiceV2.xsd"))
    assert schema.validate(message) is accepted


@pytest.mark.parametrize("path", SCHEMAS, ids=stem)
def test_what_a_pattern_demands_fits_where_a_client_is_told_of_it(path: Path) -> None:
    """A fault tells the type's documentation instead of the pattern: in a field of 256 characters."""
    for pattern in etree.parse(path).iter(f"{XSD}pattern"):
        restricted = pattern.getparent().getparent()
        text = " ".join(restricted.findtext(f"{XSD}annotation/{XSD}documentation").split())
        assert len(NOT_IN_ITS_FORM) + 1 + len(text) <= MOST_CHARACTERS, restricted.get("name")
