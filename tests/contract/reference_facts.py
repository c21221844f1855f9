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
    "dmfa": "http://kszbcss.fgov.be/types/dmfa/attestation/v1",
    "dmfacommon": "http://kszbcss.fgov.be/types/dmfa/common/v1",
}
ANONYMOUS = "(its own content)"
CARDINALITY = re.compile(r" \[(\d+\.\.(?:\d+|\*))\]$")
FACET = re.compile(r" (?=(?:[a-zA-Z]+=|\{))")
ZONE = re.compile(r" # (\d+)$")
ZONE_TOLD = re.compile(r"\(zone (\d+)\)")
GROUP = re.compile(r"<(choice|sequence)(\[\d+\.\.\d+\])?>")


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

    owner, counts, open_groups, content = "", Counter[str](), list[tuple[int, str, str]](), ""
    for line in [*lines, "end"]:
        if content and not line.startswith(" "):
            yield Fact(owner, "content", content)
            content = ""
        zone = ZONE.search(line)
        line = ZONE.sub("", line)
        depth = len(line) - len(line.lstrip())
        # What a group, or an element with its own content, holds is indented deeper than itself.
        while open_groups and open_groups[-1][0] >= depth:
            open_groups.pop()
        if match := re.fullmatch(r"S (\w+) = (\S+)(.*)", line):
            yield from _simple_facts(match[1], resolve(match[2]), _split_facets(match[3]))
            yield from _zone_facts(match[1], zone)
        elif match := re.fullmatch(r"C (\w+)", line):
            owner, counts, content = match[1], Counter(), "sequence"
            yield Fact(owner, "kind", "complex")
            yield from _zone_facts(owner, zone)
        elif match := GROUP.fullmatch(line.strip()):
            open_groups.append((depth, f"{match[1]}{match[2] or ''}", ""))
        elif match := re.fullmatch(r" +\(extension (\S+)\)", line):
            content = f"extension of {resolve(match[1])}"
        elif match := re.fullmatch(r" +@(\w+) : (\S+)(?: (required|optional))?", line):
            yield from _attribute_facts(owner, match[1], resolve(match[2]), match[3] or "optional")
        elif match := re.fullmatch(r" +(\w+) :(?: ([^\s\[]\S*))?(.*)", line):
            held = [index for index, (_, _, element) in enumerate(open_groups) if element]
            around, inner = (open_groups[held[-1]][2], open_groups[held[-1] + 1 :]) if held else (owner, open_groups)
            counts[around] += 1
            subject = f"{around}/{counts[around]}"
            cardinality = CARDINALITY.search(match[3])
            facets = CARDINALITY.sub("", match[3])
            yield from _element_facts(
                subject,
                match[1],
                resolve(match[2]) if match[2] else ANONYMOUS,
                cardinality[1] if cardinality else "1..1",
                _split_facets(facets),
                [group for _, group, _ in inner],
            )
            yield from _zone_facts(subject, zone)
            if not match[2]:
                open_groups.append((depth, "", subject))
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
    yield from _simple_facts(_get(element, "name"), base, facets)
    yield from _told_zone_facts(_get(element, "name"), element)


def _read_complex_type(element: etree._Element) -> Iterator[Fact]:
    _refuse_attributes(element, "name")
    owner = _get(element, "name")
    yield Fact(owner, "kind", "complex")
    yield from _told_zone_facts(owner, element)
    (content,) = _children(element)
    kind = etree.QName(content).localname
    if kind in ("simpleContent", "complexContent"):
        _refuse_attributes(content)
        (extension,) = _children(content)
        _expect(extension, "extension")
        _refuse_attributes(extension, "base")
        yield Fact(owner, "content", f"extension of {_resolve(extension, _get(extension, 'base'))}")
        if kind == "complexContent":
            (content,) = _children(extension)
            yield from _read_particle(content, owner)
            return
        for attribute in _children(extension):
            _expect(attribute, "attribute")
            _refuse_attributes(attribute, "name", "type", "use")
            name, type_name = _get(attribute, "name"), _resolve(attribute, _get(attribute, "type"))
            yield from _attribute_facts(owner, name, type_name, attribute.get("use", "optional"))
        return
    yield Fact(owner, "content", "sequence")
    yield from _read_particle(content, owner)


def _read_particle(content: etree._Element, owner: str) -> Iterator[Fact]:
    if etree.QName(content).localname not in ("sequence", "choice"):
        raise ValueError(f"not understood: {content.tag}")
    for position, (leaf, groups) in enumerate(_leaves(content, []), 1):
        yield from _read_element(leaf, f"{owner}/{position}", groups)


def _leaves(particle: etree._Element, around: list[str]) -> Iterator[tuple[etree._Element, list[str]]]:
    """The elements of a sequence or a choice, each with the groups around it that make a difference.

    A sequence that must be there once makes none.
    """
    _refuse_attributes(particle, "minOccurs")
    name = etree.QName(particle).localname
    least = particle.get("minOccurs", "1")
    if name == "sequence" and least == "1":
        inner = around
    else:
        inner = [*around, name if least == "1" else f"{name}[{least}..1]"]
    for child in _children(particle):
        if etree.QName(child).localname in ("sequence", "choice"):
            yield from _leaves(child, inner)
        else:
            _expect(child, "element")
            yield child, inner


def _read_element(element: etree._Element, subject: str, groups: list[str]) -> Iterator[Fact]:
    _refuse_attributes(element, "name", "type", "minOccurs", "maxOccurs")
    most = element.get("maxOccurs", "1").replace("unbounded", "*")
    cardinality = f"{element.get('minOccurs', '1')}..{most}"
    yield from _told_zone_facts(subject, element)
    facets, own = list[str](), None
    if "type" in element.attrib:
        if list(_children(element)):
            raise ValueError(f"{subject} has a type and content")
        type_name = _resolve(element, _get(element, "type"))
    else:
        (declared,) = _children(element)
        if declared.tag == f"{{{XSD}}}complexType":
            _refuse_attributes(declared)
            (own,) = _children(declared)
            type_name = ANONYMOUS
        else:
            _expect(declared, "simpleType")
            type_name, facets = _read_restriction(declared)
    yield from _element_facts(subject, _get(element, "name"), type_name, cardinality, facets, groups)
    if own is not None:
        yield from _read_particle(own, subject)


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


def _element_facts(
    subject: str, name: str, type_name: str, cardinality: str, facets: list[str], groups: list[str]
) -> Iterator[Fact]:
    yield Fact(subject, "name", name)
    yield Fact(subject, "type", type_name)
    yield Fact(subject, "cardinality", cardinality)
    yield Fact(subject, "groups", " ".join(groups))
    yield Fact(subject, "facets", " ".join(sorted(facets)))


def _attribute_facts(owner: str, name: str, type_name: str, use: str) -> Iterator[Fact]:
    yield Fact(f"{owner}/@{name}", "type", type_name)
    yield Fact(f"{owner}/@{name}", "use", use)


def _zone_facts(subject: str, zone: re.Match[str] | None) -> Iterator[Fact]:
    if zone is not None:
        yield Fact(subject, "zone", zone[1])


def _told_zone_facts(subject: str, node: etree._Element) -> Iterator[Fact]:
    """The zone of the glossary that the annotation of a type or an element names, in each of its languages."""
    texts = node.findall(f"{{{XSD}}}annotation/{{{XSD}}}documentation")
    told = {tuple(ZONE_TOLD.findall(text.text or "")) for text in texts}
    if len(told) > 1:
        raise ValueError(f"{subject} names different zones in different languages")
    for zone in told.pop() if told else ():
        yield Fact(subject, "zone", zone)
