"""Our types are the published ones: every fact of the reference is true of our XSDs, and nothing is added."""

import copy
import re
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from reference_facts import XSD, ZONE, Facts, find_differences, read_dump, read_schema

ROOT = Path(__file__).parents[2]
FILES = {
    "http://kszbcss.fgov.be/types/common/v3": "CommonV3.xsd",
    "http://kszbcss.fgov.be/types/SelfEmployed/v2": "SelfEmployedTypesV2.xsd",
    "http://rsvz-inasti.fgov.be/types/common/SelfEmployed/v1": "SelfEmployedCommonTypesV1.xsd",
    "http://kszbcss.fgov.be/types/TestConnectionService/v1": "TestConnectionServiceTypesV1.xsd",
    "http://kszbcss.fgov.be/types/DmfaConsultation/v1": "DmfaConsultationV1.xsd",
    "http://kszbcss.fgov.be/types/dmfa/common/v1": "DmfaCommonV1.xsd",
    "http://kszbcss.fgov.be/types/dmfa/attestation/v1": "DmfaAttestationV1.xsd",
}
DUMPS = {
    name: (ROOT / "fixtures/reference" / name).read_text("utf-8")
    for name in ("ksz-common-and-selfemployed.txt", "ksz-testconnection.txt", "ksz-dmfa.txt")
}
REFERENCE: dict[str, Facts] = {ns: facts for text in DUMPS.values() for ns, facts in read_dump(text).items()}
MESSAGE_FACETS = (
    "maxLength",
    "pattern",
    "length",
    "enumeration",
    "minInclusive",
    "maxInclusive",
    "maxExclusive",
)


def load(namespace: str) -> etree._Element:
    return etree.parse(ROOT / "xsd" / FILES[namespace]).getroot()


OURS = {namespace: read_schema(load(namespace)) for namespace in FILES}


def find_all_differences(text: str) -> list[str]:
    """What differs between a dump and our XSDs; a dump that cannot be read differs as well."""
    try:
        schemas = read_dump(text)
    except (ValueError, KeyError) as error:
        return [str(error)]
    return [
        difference
        for namespace, facts in schemas.items()
        for difference in (find_differences(facts, OURS[namespace]) if namespace in OURS else [namespace])
    ]


def test_every_schema_of_the_reference_is_ours() -> None:
    assert set(REFERENCE) == set(FILES)


@pytest.mark.parametrize("namespace", FILES)
def test_our_types_say_what_the_reference_says_and_no_more(namespace: str) -> None:
    assert find_differences(REFERENCE[namespace], OURS[namespace]) == []


def test_the_reference_is_read_whole() -> None:
    """As many types, elements and attributes are read as a plain look at the lines counts."""
    for dump in DUMPS.values():
        text = re.sub(r"^#.*\n", "", dump, flags=re.MULTILINE)
        facts = [fact for schema in read_dump(dump).values() for fact in schema]
        assert sum(fact.aspect == "kind" for fact in facts) == len(re.findall(r"^[SC] ", text, re.MULTILINE))
        assert sum(fact.aspect == "cardinality" for fact in facts) == len(re.findall(r"^ +\w+ : ", text, re.MULTILINE))
        assert sum(fact.aspect == "use" for fact in facts) == len(re.findall(r"^ +@\w+ : ", text, re.MULTILINE))
        facet = re.compile(rf"(?:{'|'.join(MESSAGE_FACETS)})=")
        read = sum(len(facet.findall(fact.value)) for fact in facts if fact.aspect == "facets")
        written = len(re.findall(f" {facet.pattern}", text)) + sum(
            found.count("|") + 1 for found in re.findall(r"(?<= )\{([A-Z|_]+)\}", text)
        )
        assert read == written


def _mutations(whole: str) -> list[str]:
    """The line with one fact changed, in every way that applies to it."""
    zone = ZONE.search(whole)
    line, end = (whole[: zone.start()], zone[0]) if zone else (whole, "")
    changed = [""]
    if match := re.match(r"( *@?[SC]? ?)(\w+)(.*)", line):
        changed.append(f"{match[1]}{match[2]}X{match[3]}")
    if " : " in line:
        base = re.sub(r" \[[0-9.*]+\]$", "", line)
        changed += [f"{base} [0..7]", re.sub(r" : \S+", " : xsd:NMTOKEN", line), f"{base} fractionDigits=9"]
    if "=" in line:
        changed += [f"{line}9", re.sub(r"= \S+", "= xsd:NMTOKEN", line)]
    if "|" in line and "{" in line:
        changed.append(re.sub(r"\|\w+\}", "}", line))
    if "@" in line:
        changed = [c for c in changed if "[" not in c and "fractionDigits" not in c]
        changed.append(line.removesuffix(" optional").removesuffix(" required") + " required")
    if "<" in line or "(extension" in line:
        changed = ["", "  (extension tns:Other)"]
    if "<" in line:
        changed += [line.replace("choice", "sequence[0..1]"), line.replace("[0..1]", ""), line.replace(">", "[0..1]>")]
    mutations = [f"{c}{end if c else ''}" for c in changed if c != line]
    return [*mutations, line, f"{whole}9"] if zone else mutations


@pytest.mark.parametrize("name", DUMPS)
def test_a_changed_or_missing_line_of_the_reference_is_found(name: str) -> None:
    """Shows that the comparison fires: for each line, dropped and changed in each of its facts."""
    lines = DUMPS[name].splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("## "))
    unnoticed = [
        (line, changed)
        for number, line in enumerate(lines[begin:], begin)
        if line and not line.startswith("## ")
        for changed in _mutations(line)
        if not find_all_differences("\n".join([*lines[:number], changed, *lines[number + 1 :]]))
    ]
    assert unnoticed == []


@pytest.mark.parametrize("name", DUMPS)
def test_swapped_elements_are_found(name: str) -> None:
    lines = DUMPS[name].splitlines()
    pairs = [
        number
        for number, (first, second) in enumerate(pairwise(lines))
        if re.match(r" +\w+ : ", first) and re.match(r" +\w+ : ", second)
    ]
    assert len(pairs) > 5
    for number in pairs:
        swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        assert find_all_differences("\n".join(swapped)), lines[number]


@pytest.mark.parametrize("namespace", FILES)
def test_every_removed_or_changed_part_of_our_schema_is_found(namespace: str) -> None:
    schema = load(namespace)
    parts = ("simpleType", "complexType", "element", "attribute", *MESSAGE_FACETS)
    paths = [schema.getroottree().getelementpath(node) for part in parts for node in schema.iter(f"{{{XSD}}}{part}")]
    assert len(paths) > 20
    for path in paths:
        removed = copy.deepcopy(schema)
        node = removed.find(path)
        assert node is not None
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)
        assert _is_found(namespace, removed), f"removed {path}"
        renamed = copy.deepcopy(schema)
        node = renamed.find(path)
        assert node is not None
        attribute = next((a for a in ("name", "value") if a in node.attrib), None)
        if attribute is not None:
            node.set(attribute, f"{node.get(attribute)}9")
            assert _is_found(namespace, renamed), f"changed {path}"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("elementFormDefault", "qualified"), ("version", "9"), ("targetNamespace", "urn:x")],
)
def test_a_changed_schema_attribute_is_found(attribute: str, value: str) -> None:
    for namespace in FILES:
        schema = load(namespace)
        schema.set(attribute, value)
        assert _is_found(namespace, schema)


@pytest.mark.parametrize(
    ("parent", "extra"),
    [
        ("complexType/{x}sequence", '<x:any xmlns:x="{x}" minOccurs="0"/>'),
        ("complexType/{x}sequence", '<x:element xmlns:x="{x}" name="extra" type="x:string"/>'),
        ("complexType", '<x:attribute xmlns:x="{x}" name="extra" type="x:string"/>'),
        ("complexType/{x}sequence/{x}element", '<x:key xmlns:x="{x}" name="extra"/>'),
    ],
)
def test_anything_extra_in_our_schema_is_found(parent: str, extra: str) -> None:
    for namespace in FILES:
        schema = load(namespace)
        node = schema.find(f"{{{XSD}}}" + parent.replace("{x}", f"{{{XSD}}}"))
        assert node is not None
        node.append(etree.fromstring(extra.replace("{x}", XSD)))
        assert _is_found(namespace, schema)


@pytest.mark.parametrize("attribute", ["nillable", "default", "form"])
def test_an_attribute_that_changes_messages_is_found(attribute: str) -> None:
    schema = load("http://kszbcss.fgov.be/types/SelfEmployed/v2")
    node = schema.find(f".//{{{XSD}}}element")
    assert node is not None
    node.set(attribute, "true")
    assert _is_found("http://kszbcss.fgov.be/types/SelfEmployed/v2", schema)


def _is_found(namespace: str, schema: etree._Element) -> bool:
    try:
        return bool(find_differences(REFERENCE[namespace], read_schema(schema)))
    except (ValueError, KeyError):
        return True
