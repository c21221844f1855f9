"""The model reads the subset of XML Schema that the contracts use, and refuses to guess about the rest."""

from pathlib import Path

import pytest

from gateway.xml.model import ComplexType, Element, SchemaModel, SimpleType, UnsupportedSchema

XSD = "http://www.w3.org/2001/XMLSchema"


def model(directory: Path, content: str) -> SchemaModel:
    path = directory / "t.xsd"
    path.write_text(f'<x:schema xmlns:x="{XSD}" xmlns:t="urn:t" targetNamespace="urn:t">{content}</x:schema>')
    return SchemaModel((path,))


def element(directory: Path, content: str) -> Element:
    return model(directory, f'<x:element name="root"><x:complexType>{content}</x:complexType></x:element>').get_element(
        "urn:t", "root"
    )


def test_order_optionality_and_repetition_are_read(tmp_path: Path) -> None:
    root = element(
        tmp_path,
        '<x:sequence><x:element name="a" type="x:date"/><x:element name="b" type="x:string" minOccurs="0"/>'
        '<x:element name="c" type="x:int" maxOccurs="unbounded"/><x:element name="d" type="x:int" maxOccurs="1"/>'
        "</x:sequence>",
    )
    assert isinstance(root.type, ComplexType)
    assert [(each.name, each.optional, each.many) for each in root.type.elements] == [
        ("a", False, False),
        ("b", True, False),
        ("c", False, True),
        ("d", False, False),
    ]
    assert root.type.elements[0].type == SimpleType("date")


def test_members_of_a_choice_are_optional_however_deep(tmp_path: Path) -> None:
    root = element(
        tmp_path,
        '<x:choice><x:element name="a" type="x:int"/><x:sequence><x:element name="b" type="x:int"/>'
        '<x:element name="c" type="x:int"/></x:sequence></x:choice>',
    )
    assert isinstance(root.type, ComplexType)
    assert [each.optional for each in root.type.elements] == [True, True, True]


def test_an_optional_group_makes_its_members_optional(tmp_path: Path) -> None:
    root = element(tmp_path, '<x:sequence minOccurs="0"><x:element name="a" type="x:int"/></x:sequence>')
    assert isinstance(root.type, ComplexType)
    assert root.type.elements[0].optional


@pytest.mark.parametrize(
    ("content", "droppable"),
    [
        ("<x:sequence>A B0</x:sequence>", "b"),
        # Where one of several must stand, the one that stands may not go; nor may half of what stands for one.
        ("<x:choice>A B</x:choice>", ""),
        ("<x:sequence>A0<x:choice>B<x:sequence>C D0</x:sequence></x:choice></x:sequence>", "ad"),
        ('<x:choice minOccurs="0">A B</x:choice>', "ab"),
        ('<x:choice minOccurs="0">A<x:sequence>B C</x:sequence></x:choice>', "a"),
        ('<x:sequence minOccurs="0">A</x:sequence>', "a"),
        ('<x:sequence minOccurs="0">A B</x:sequence>', ""),
        ('<x:sequence minOccurs="0"><x:annotation/><x:choice>A B</x:choice></x:sequence>', "ab"),
        ('<x:sequence minOccurs="0"><x:choice>A B</x:choice>C</x:sequence>', ""),
    ],
)
def test_what_may_be_taken_out_of_a_valid_message(tmp_path: Path, content: str, droppable: str) -> None:
    for name in "ABCD":
        written = f'<x:element name="{name.lower()}" type="x:int"'
        content = content.replace(f"{name}0", f'{written} minOccurs="0"/>').replace(name, f"{written}/>")
    root = element(tmp_path, content)
    assert isinstance(root.type, ComplexType)
    assert "".join(each.name for each in root.type.elements if each.droppable) == droppable


def test_an_extension_adds_to_its_base_and_simple_content_has_attributes(tmp_path: Path) -> None:
    known = model(
        tmp_path,
        '<x:complexType name="Base"><x:sequence><x:element name="a" type="x:int"/></x:sequence></x:complexType>'
        '<x:complexType name="More"><x:complexContent><x:extension base="t:Base"><x:sequence>'
        '<x:element name="b" type="t:Text"/></x:sequence></x:extension></x:complexContent></x:complexType>'
        '<x:complexType name="Text"><x:simpleContent><x:extension base="t:Short">'
        '<x:attribute name="z" type="x:boolean"/><x:attribute name="y" type="x:date"/>'
        "</x:extension></x:simpleContent></x:complexType>"
        '<x:simpleType name="Short"><x:restriction base="x:string"><x:maxLength value="3"/></x:restriction>'
        '</x:simpleType><x:element name="root" type="t:More"/>',
    )
    root = known.get_element("urn:t", "root")
    assert [path for path, _ in root.paths()] == ["a", "b"]
    assert isinstance(root.type, ComplexType)
    text = root.type.elements[1].type
    assert text == ComplexType((), (("y", SimpleType("date")), ("z", SimpleType("boolean"))), SimpleType("string"))


@pytest.mark.parametrize(
    "content",
    [
        "<x:all><x:element name='a' type='x:int'/></x:all>",
        "<x:sequence><x:any/></x:sequence>",
        "<x:anyAttribute/>",
        "<x:sequence maxOccurs='2'><x:element name='a' type='x:int'/></x:sequence>",
        "<x:sequence><x:group ref='t:g'/></x:sequence>",
        "<x:sequence><x:element name='a'/></x:sequence>",
        "<x:complexContent><x:restriction base='x:anyType'/></x:complexContent>",
        "<x:attribute name='a'><x:simpleType><x:list itemType='x:int'/></x:simpleType></x:attribute>",
    ],
)
def test_what_the_model_does_not_know_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnsupportedSchema, match="line 1"):
        element(tmp_path, content)


def test_an_element_that_no_schema_declares_is_not_found(tmp_path: Path) -> None:
    known = model(tmp_path, '<x:element name="root" type="x:int"/>')
    with pytest.raises(KeyError):
        known.get_element("urn:t", "other")


def test_attributes_of_other_namespaces_are_no_values_of_ours(tmp_path: Path) -> None:
    content = '<x:sequence><x:element name="a" type="x:int"/></x:sequence><x:anyAttribute namespace="##other"/>'
    known = model(tmp_path, f'<x:element name="root"><x:complexType>{content}</x:complexType></x:element>')
    assert [path for path, _ in known.get_element("urn:t", "root").paths()] == ["a"]
