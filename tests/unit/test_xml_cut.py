"""Cutting XSDs: what goes, what goes with it, what becomes of types, and that the rest stays as it was."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree

from gateway.xml.cut import NothingLeft, cut_schemas

XSD = "http://www.w3.org/2001/XMLSchema"
TYPES = """
<x:complexType name="Base"><x:sequence><x:element name="who" type="x:string"/></x:sequence></x:complexType>
<x:complexType name="Asked"><x:complexContent><x:extension base="t:Base"><x:sequence>
  <x:element name="period" type="t:Period" minOccurs="0"/>
  <x:choice minOccurs="0">
    <x:sequence><x:element name="id" type="x:int"/><x:element name="version" type="x:int" minOccurs="0"/></x:sequence>
    <x:element name="name" type="t:Short"/>
  </x:choice>
  <x:element name="place"><x:complexType><x:choice>
    <x:element name="city" type="x:string"/>
    <x:sequence><x:element name="east" type="x:int"/><x:element name="north" type="x:int"/></x:sequence>
  </x:choice></x:complexType></x:element>
  <x:element name="again" type="t:Period" minOccurs="0"/>
</x:sequence></x:extension></x:complexContent></x:complexType>
<x:complexType name="Period"><x:sequence>
  <x:element name="begin" type="x:date">
    <x:annotation><x:documentation>The first day.</x:documentation></x:annotation>
  </x:element>
  <x:element name="end" type="x:date" minOccurs="0"/>
</x:sequence></x:complexType>
<x:complexType name="Period2"><x:sequence/></x:complexType>
<x:simpleType name="Short"><x:restriction base="x:string"><x:maxLength value="3"/></x:restriction></x:simpleType>
"""
ROOTS = '<x:element name="ask" type="t:Asked"/><x:element name="unused" type="t:Period2"/>'


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, ...]:
    heading = f'<x:schema xmlns:x="{XSD}" targetNamespace='
    (tmp_path / "T.xsd").write_text(f'{heading}"urn:t" xmlns:t="urn:t">{TYPES}</x:schema>')
    imported = '<x:import namespace="urn:t" schemaLocation="T.xsd"/>'
    (tmp_path / "R.xsd").write_text(f'{heading}"urn:r" xmlns:t="urn:t">{imported}{ROOTS}</x:schema>')
    return tmp_path / "R.xsd", tmp_path / "T.xsd"


class Left:
    """What is left, compiled."""

    def __init__(self, paths: tuple[Path, ...], *gone: str) -> None:
        self.files: Mapping[str, etree._Element] = cut_schemas(paths, {("urn:r", "ask"): frozenset(gone)})
        for path in paths:
            path.write_bytes(etree.tostring(self.files[path.name]))
        self._schema = etree.XMLSchema(etree.parse(paths[0]))

    def allows(self, content: str) -> bool:
        return bool(self._schema.validate(etree.fromstring(f'<r:ask xmlns:r="urn:r"><who/>{content}</r:ask>')))

    def types(self) -> list[str]:
        return [str(each.get("name")) for each in self.files["T.xsd"].iterchildren("{*}complexType", "{*}simpleType")]


CITY = "<place><city/></place>"
PERIOD = "<begin>2024-01-01</begin><end>2024-01-31</end>"


def test_without_a_cut_only_what_nothing_needs_goes(paths: tuple[Path, ...]) -> None:
    left = Left(paths)
    assert left.types() == ["Base", "Asked", "Period", "Short"]
    assert [each.get("name") for each in left.files["R.xsd"].iterchildren("{*}element")] == ["ask"]
    assert left.allows(f"<period>{PERIOD}</period><id>1</id>{CITY}<again>{PERIOD}</again>")


def test_an_optional_element_goes_alone(paths: tuple[Path, ...]) -> None:
    left = Left(paths, "period")
    assert left.allows(f"{CITY}<again>{PERIOD}</again>")
    assert not left.allows(f"<period>{PERIOD}</period>{CITY}")


def test_a_type_that_is_needed_in_two_ways_becomes_two_and_no_name_is_taken_twice(paths: tuple[Path, ...]) -> None:
    left = Left(paths, "period/end")
    assert left.types() == ["Base", "Asked", "Period", "Period3", "Short"]
    assert left.allows(f"<period><begin>2024-01-01</begin></period>{CITY}<again>{PERIOD}</again>")
    assert not left.allows(f"<period>{PERIOD}</period>{CITY}")


def test_a_mandatory_element_takes_the_nearest_optional_one_around_it_along(paths: tuple[Path, ...]) -> None:
    left = Left(paths, "period/begin")
    assert not left.allows(f"<period/>{CITY}")
    assert left.allows(f"{CITY}<again>{PERIOD}</again>")
    assert left.types() == ["Base", "Asked", "Period", "Short"]


def test_of_a_choice_goes_the_whole_branch_that_cannot_be_complete(paths: tuple[Path, ...]) -> None:
    left = Left(paths, "id", "place/north")
    assert left.allows(f"<name>abc</name>{CITY}")
    assert not left.allows(f"<id>1</id>{CITY}")
    assert not left.allows("<place><east>1</east></place>")
    assert not left.allows("<place/>")


def test_an_optional_choice_without_branches_goes(paths: tuple[Path, ...]) -> None:
    left = Left(paths, "id", "name")
    assert left.allows(CITY)
    assert left.files["T.xsd"].find(".//{*}element[@name='name']") is None
    assert "Short" not in left.types()


def test_what_every_message_must_have_cannot_go(paths: tuple[Path, ...]) -> None:
    for gone in (("who",), ("place",), ("place/city", "place/east")):
        with pytest.raises(NothingLeft, match="ask"):
            Left(paths, *gone)


def test_documentation_stays(paths: tuple[Path, ...]) -> None:
    assert Left(paths, "period/end").files["T.xsd"].findtext(".//{*}documentation") == "The first day."


def test_an_import_of_which_nothing_is_left_goes(tmp_path: Path, paths: tuple[Path, ...]) -> None:
    left = cut_schemas(paths, {("urn:r", "unused"): frozenset()})
    assert set(left) == {"R.xsd", "T.xsd"}
    plain = f'<x:schema xmlns:x="{XSD}" xmlns:t="urn:t" targetNamespace="urn:p">' + (
        '<x:import namespace="urn:t" schemaLocation="T.xsd"/><x:element name="p" type="x:string"/></x:schema>'
    )
    (tmp_path / "P.xsd").write_text(plain)
    left = cut_schemas((tmp_path / "P.xsd", paths[1]), {("urn:p", "p"): frozenset()})
    assert set(left) == {"P.xsd"}
    assert left["P.xsd"].find("{*}import") is None
    assert "t" not in left["P.xsd"].nsmap


def test_a_type_within_itself_is_cut_too(tmp_path: Path) -> None:
    path = tmp_path / "S.xsd"
    path.write_text(
        f'<x:schema xmlns:x="{XSD}" xmlns:t="urn:t" targetNamespace="urn:t"><x:element name="a" type="t:A"/>'
        '<x:complexType name="A"><x:sequence><x:element name="a" type="t:A" minOccurs="0"/>'
        '<x:element name="b" type="x:int" minOccurs="0"/></x:sequence></x:complexType></x:schema>'
    )
    left = cut_schemas((path,), {("urn:t", "a"): frozenset({"a/b"})})
    path.write_bytes(etree.tostring(left["S.xsd"]))
    schema = etree.XMLSchema(etree.parse(path))
    assert schema.validate(etree.fromstring('<t:a xmlns:t="urn:t"><a><a><b>1</b></a></a><b>1</b></t:a>'))
    assert not schema.validate(etree.fromstring('<t:a xmlns:t="urn:t"><a><b>1</b></a></t:a>'))


def test_a_branch_that_could_be_empty_leaves_its_choice_optional(tmp_path: Path) -> None:
    path = tmp_path / "C.xsd"
    path.write_text(
        f'<x:schema xmlns:x="{XSD}" targetNamespace="urn:t"><x:element name="a"><x:complexType><x:choice>'
        '<x:element name="b" type="x:int" minOccurs="0"/><x:element name="c" type="x:int"/>'
        "</x:choice></x:complexType></x:element></x:schema>"
    )
    left = cut_schemas((path,), {("urn:t", "a"): frozenset({"b"})})
    path.write_bytes(etree.tostring(left["C.xsd"]))
    schema = etree.XMLSchema(etree.parse(path))
    valid = {
        content: schema.validate(etree.fromstring(f'<t:a xmlns:t="urn:t">{content}</t:a>'))
        for content in ("", "<b>1</b>", "<c>1</c>")
    }
    assert valid == {"": True, "<b>1</b>": False, "<c>1</c>": True}
