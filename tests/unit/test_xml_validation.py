"""Violations are told with their place in the payload, to each of many threads its own."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lxml import etree

from gateway.xml.validation import Schema

ROOT = Path(__file__).parents[2]
NAMESPACE = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema(ROOT / "xsd/SelfEmployedServiceV2.xsd")


def request(ssin: str, context: str = "A:B", prefix: str = "v2:", more: str = "") -> str:
    declared = f'xmlns:v2="{NAMESPACE}"' if prefix else f'xmlns="{NAMESPACE}"'
    none = "" if prefix else ' xmlns=""'
    return (
        f"<{prefix}consultCareerRequest {declared}><informationCustomer{none}><customerIdentification><cbeNumber>"
        f"0999900150</cbeNumber></customerIdentification></informationCustomer><legalContext{none}>{context}"
        f"</legalContext><criteria{none}><ssin>{ssin}</ssin>{more}</criteria></{prefix}consultCareerRequest>"
    )


def paths(schema: Schema, element: etree._Element, most: int = 10) -> list[str]:
    return [path for path, _ in schema.find_errors(element, most)]


@pytest.mark.parametrize("prefix", ["v2:", ""])
@pytest.mark.parametrize("surroundings", ["{}", "<a><b>{}</b></a>", "<Request>{}</Request>"])
def test_a_violation_is_placed_from_the_validated_element_on(schema: Schema, prefix: str, surroundings: str) -> None:
    tree = etree.fromstring(surroundings.format(request("123", "!", prefix)))
    element = next(tree.iter(f"{{{NAMESPACE}}}consultCareerRequest"))
    assert paths(schema, element) == ["legalContext", "criteria/ssin"]


@pytest.mark.parametrize("prefix", ["v2:", ""])
def test_a_violation_of_the_element_itself_names_it(schema: Schema, prefix: str) -> None:
    element = etree.fromstring(request("75631290176", prefix=prefix))
    element.set("wrong", "x")
    assert paths(schema, element) == ["consultCareerRequest"]


def test_a_repeated_element_is_counted(schema: Schema) -> None:
    assert paths(schema, etree.fromstring(request("75631290176", more="<ssin/>"))) == ["criteria/ssin[2]"]


def test_no_more_than_the_asked_number_is_told(schema: Schema) -> None:
    element = etree.fromstring(request("123", "!"))
    assert paths(schema, element, 1) == ["legalContext"]


REPEATED = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="all"><x:complexType><x:sequence>
<x:element name="one" maxOccurs="9"><x:simpleType><x:restriction base="x:string"><x:pattern value="[0-9]"/>
<x:pattern value="[a-f]"/></x:restriction></x:simpleType></x:element></x:sequence></x:complexType></x:element>
</x:schema>"""


@pytest.mark.parametrize("value", ["12", "", "x' is not accepted by the pattern 'y'.", "\n"])
def test_what_a_pattern_demands_is_told_in_words_without_the_value(tmp_path: Path, value: str) -> None:
    (tmp_path / "repeated.xsd").write_text(REPEATED)
    element = etree.fromstring(f"<all><one>1</one><one>{value}</one></all>")
    told = Schema(tmp_path / "repeated.xsd").find_errors(element, forms={"one": "One hexadecimal digit."})
    assert told == (("one[2]", "The value is not in its form. One hexadecimal digit."),)


def test_other_violations_of_a_value_are_told_as_they_are(schema: Schema) -> None:
    element = etree.fromstring(request("75631290176", "A" * 65))
    ((path, message),) = schema.find_errors(element, forms={"legalContext": "Words."})
    assert (path, "length of '65'" in message) == ("legalContext", True)


def test_a_valid_element_has_no_violation(schema: Schema) -> None:
    assert schema.find_errors(etree.fromstring(request("75631290176"))) == ()


def test_a_type_named_by_the_message_opens_no_file(schema: Schema, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xsd"
    secret.write_text("not a schema")
    text = request("75631290176").replace(
        " xmlns", f' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:a {secret}" xmlns', 1
    )
    assert schema.find_errors(etree.fromstring(text)) == ()


def test_each_thread_is_told_its_own_violations(schema: Schema) -> None:
    def told(number: int) -> bool:
        ((path, message),) = schema.find_errors(etree.fromstring(request(f"n{number}", more="")))
        return path == "criteria/ssin" and f"'n{number}'" in message

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(told, range(300)))
