"""Facts of a schema, read from a reference dump or from an XSD, so that the two can be compared one by one.

A fact says one thing about a subject: `("CareerType/2", "name", "selfEmployedEnterpriseNumber")`. Types are
written `{namespace}Name`. Both readers refuse what they do not know: a construct that is not read could hide
a difference.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lxml import etree

XSD = "http://www.w3.org/2001/XMLSchema"
COMMON = "http://kszbcss.fgov.be/types/common/v3"
PREFIXES = {
    "xs": XSD,
    "xsd": XSD,
    "common": COMMON,
    "bcsscommon": COMMON,
    "nissecommon": "http://rsvz-inasti.fgov.be/types/common/SelfEmployed/v1",
}
CARDINALITY = re.compile(r" \[(\d+\.\.(?:\d+|\*))\]$")
FACET = re.compile(r" (?=(?:[a-zA-Z]+=|\{))")


class Fact(NamedTuple):
    """One statement: of what, which property, which value."""

    subject: str
    aspect: str
    value: str


Facts = frozenset[Fact]


def find_differences(expected: Facts, actual: Facts) -> list[str]:
    """Say what `actual` lacks and what it has too much; an empty list means that both say the same."""
    missing = [f"missing: {' '.join(fact)}" for fact in sorted(expected - actual)]
    return missing + [f"not in the reference: {' '.join(fact)}" for fact in sorted(actual - expected)]


def read_dump(text: str) -> dict[str, Facts]:
    """Read a reference dump: the facts of each schema, by namespace. ValueError for a line not understood."""
    schemas: dict[str, Facts] = {}
    for section in re.split(r"^## .*\n", text, flags=re.MULTILINE)[1:]:
        head, *lines = (line for line in section.splitlines() if line.strip())
        match = re.fullmatch(r"ns (\S+) ver (\S+) eFD (\S+)", head)
        if match is None:
            raise ValueError(f"not the first line of a schema: {head}")
        namespace, version, form = match.groups()
        facts = _schema_facts(namespace, "" if version == "None" else version, form)
        schemas[namespace] = _distinct([*facts, *_read_lines(lines, namespace)])
    return schemas


def _read_lines(lines: list[str], namespace: str) -> Iterator[Fact]:
    def resolve(name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{namespace if prefix in ('', 'tns') else PREFIXES[prefix]}}}{local}"

    owner, position, content = "", 0, ""
    for line in [*lines, "end"]:
        if content and not line.startswith(" "):
            yield Fact(owner, "content", content)
            content = ""
        if match := re.fullmatch(r"S (\w+) = (\S+)(.*)", line):
            yield from _simple_facts(match[1], resolve(match[2]), _split_facets(match[3]))
        elif match := re.fullmatch(r"C (\w+)", line):
            owner, position, content = match[1], 0, "sequence"
            yield Fact(owner, "kind", "complex")
        elif match := re.fullmatch(r" +<choice>", line):
            content = "choice"
        elif match := re.fullmatch(r" +\(extension (\S+)\)", line):
            content = f"extension of {resolve(match[1])}"
        elif match := re.fullmatch(r" +@(\w+) : (\S+)(?: (required|optional))?", line):
            yield from _attribute_facts(owner, match[1], resolve(match[2]), match[3] or "optional")
        elif match := re.fullmatch(r" +(\w+) : (\S+)(.*)", line):
            position += 1
            cardinality = CARDINALITY.search(match[3])
            facets = CARDINALITY.sub("", match[3])
            yield from _element_facts(
                f"{owner}/{position}",
                match[1],
                resolve(match[2]),
                cardinality[1] if cardinality else "1..1",
                _split_facets(facets),
            )
        elif line != "end":
            raise ValueError(f"not understood: {line}")


def _split_facets(text: str) -> list[str]:
    facets: list[str] = []
    for part in FACET.split(text)[1:]:
        if part.startswith("{"):
            facets += [f"enumeration={value}" for value in part.strip("{}").split("|")]
        else:
            facets.append(part)
    return facets


def read_schema(schema: etree._Element) -> Facts:
    """Read the root of an XSD that holds nothing but types. ValueError for a construct not understood."""
    namespace = schema.get("targetNamespace", "")
    facts = _schema_facts(namespace, schema.get("version", ""), schema.get("elementFormDefault", "unqualified"))
    _refuse_attributes(schema, "targetNamespace", "version", "elementFormDefault")
    for child in _children(schema):
        read = _GLOBAL.get(etree.QName(child).localname)
        if read is None:
            raise ValueError(f"not understood: {child.tag}")
        facts += list(read(child))
    return _distinct(facts)


def _read_import(_: etree._Element) -> Iterator[Fact]:
    return iter(())


def _read_simple_type(element: etree._Element) -> Iterator[Fact]:
    _refuse_attributes(element, "name")
    base, facets = _read_restriction(element)
    return _simple_facts(_get(element, "name"), base, facets)


def _read_complex_type(element: etree._Element) -> Iterator[Fact]:
    _refuse_attributes(element, "name")
    owner = _get(element, "name")
    yield Fact(owner, "kind", "complex")
    (content,) = _children(element)
    kind = etree.QName(content).localname
    _refuse_attributes(content)
    if kind == "simpleContent":
        (extension,) = _children(content)
        _expect(extension, "extension")
        _refuse_attributes(extension, "base")
        yield Fact(owner, "content", f"extension of {_resolve(extension, _get(extension, 'base'))}")
        for attribute in _children(extension):
            _expect(attribute, "attribute")
            _refuse_attributes(attribute, "name", "type", "use")
            name, type_name = _get(attribute, "name"), _resolve(attribute, _get(attribute, "type"))
            yield from _attribute_facts(owner, name, type_name, attribute.get("use", "optional"))
        return
    if kind not in ("sequence", "choice"):
        raise ValueError(f"not understood: {content.tag}")
    yield Fact(owner, "content", kind)
    for position, leaf in enumerate(_leaves(content), 1):
        yield from _read_element(leaf, f"{owner}/{position}")


def _leaves(particle: etree._Element) -> Iterator[etree._Element]:
    """The elements of a sequence, or of a choice whose branches are elements and plain sequences."""
    for child in _children(particle):
        if etree.QName(particle).localname == "choice" and etree.QName(child).localname == "sequence":
            _refuse_attributes(child)
            yield from _leaves(child)
        else:
            _expect(child, "element")
            yield child


def _read_element(element: etree._Element, subject: str) -> Iterator[Fact]:
    _refuse_attributes(element, "name", "type", "minOccurs", "maxOccurs")
    most = element.get("maxOccurs", "1").replace("unbounded", "*")
    cardinality = f"{element.get('minOccurs', '1')}..{most}"
    if "type" in element.attrib:
        if list(_children(element)):
            raise ValueError(f"{subject} has a type and content")
        type_name, facets = _resolve(element, _get(element, "type")), list[str]()
    else:
        (simple,) = _children(element)
        _expect(simple, "simpleType")
        type_name, facets = _read_restriction(simple)
    return _element_facts(subject, _get(element, "name"), type_name, cardinality, facets)


def _read_restriction(simple_type: etree._Element) -> tuple[str, list[str]]:
    (restriction,) = _children(simple_type)
    _expect(restriction, "restriction")
    _refuse_attributes(restriction, "base")
    facets = []
    for facet in _children(restriction):
        _refuse_attributes(facet, "value")
        facets.append(f"{etree.QName(facet).localname}={_get(facet, 'value')}")
    return _resolve(restriction, _get(restriction, "base")), facets


_GLOBAL: Mapping[str, Callable[[etree._Element], Iterator[Fact]]] = {
    "import": _read_import,
    "simpleType": _read_simple_type,
    "complexType": _read_complex_type,
}


def _children(element: etree._Element) -> Iterator[etree._Element]:
    """The child elements that say something about messages: annotations do not."""
    return (child for child in element.iterchildren("{*}*") if child.tag != f"{{{XSD}}}annotation")


def _expect(element: etree._Element, name: str) -> None:
    if element.tag != f"{{{XSD}}}{name}":
        raise ValueError(f"{element.tag} where {name} is expected")


def _refuse_attributes(element: etree._Element, *known: str) -> None:
    unknown = set(element.attrib) - set(known)
    if unknown:
        raise ValueError(f"attributes not understood on {element.tag}: {sorted(map(str, unknown))}")


def _get(element: etree._Element, attribute: str) -> str:
    """The value of an attribute that must be there. ValueError when it is not."""
    value = element.get(attribute)
    if value is None:
        raise ValueError(f"{element.tag} without {attribute}")
    return value


def _resolve(element: etree._Element, name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{element.nsmap[prefix or None]}}}{local}"


def _distinct(facts: list[Fact]) -> Facts:
    """Refuse two statements on the same thing: as a set, one of them could pass unseen."""
    counts = Counter(fact[:2] for fact in facts)
    twice = [subject for subject, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"said twice: {sorted(twice)}")
    return frozenset(facts)


def _schema_facts(namespace: str, version: str, form: str) -> list[Fact]:
    return [
        Fact("schema", "namespace", namespace),
        Fact("schema", "version", version),
        Fact("schema", "elementFormDefault", form),
    ]


def _simple_facts(name: str, base: str, facets: list[str]) -> Iterator[Fact]:
    yield Fact(name, "kind", "simple")
    yield Fact(name, "base", base)
    yield Fact(name, "facets", " ".join(sorted(facets)))


def _element_facts(subject: str, name: str, type_name: str, cardinality: str, facets: list[str]) -> Iterator[Fact]:
    yield Fact(subject, "name", name)
    yield Fact(subject, "type", type_name)
    yield Fact(subject, "cardinality", cardinality)
    yield Fact(subject, "facets", " ".join(sorted(facets)))


def _attribute_facts(owner: str, name: str, type_name: str, use: str) -> Iterator[Fact]:
    yield Fact(f"{owner}/@{name}", "type", type_name)
    yield Fact(f"{owner}/@{name}", "use", use)
