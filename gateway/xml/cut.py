"""Cuts XSDs down to some global elements, less some of the elements within them.

What is valid against the rest is valid against the whole. A type that two places need cut differently becomes two
types, what nothing refers to any more goes, documentation stays. Reads the subset of XML Schema that
`gateway.xml.model` reads.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import cast

from lxml import etree

from gateway.xml.namespaces import XSD

_ELEMENT, _IMPORT, _SEQUENCE = (f"{{{XSD}}}{name}" for name in ("element", "import", "sequence"))
_TYPES = (f"{{{XSD}}}simpleType", f"{{{XSD}}}complexType")
_PARTICLES = (_ELEMENT, _SEQUENCE, f"{{{XSD}}}choice")
_HEADING = (f"{{{XSD}}}annotation", _IMPORT)

Name = tuple[str, str]
"""Target namespace and local name."""
Cut = frozenset[str]
"""Paths of the elements that go, relative to the element or type that is cut."""


class NothingLeft(Exception):
    """Without the elements that go, no message of this name could be valid."""


class _Left(Enum):
    """What a particle still allows: some content, only its absence, or nothing that could be valid."""

    SOMETHING = auto()
    ABSENCE = auto()
    NOTHING = auto()


def cut_schemas(paths: Iterable[Path], gone: Mapping[Name, Cut]) -> Mapping[str, etree._Element]:
    """Return what is left of the schemas, by file name: the global elements in `gone`, each without its paths.

    NothingLeft when an element goes that every message must have.
    """
    cutter = _Cutter({path.name: etree.parse(path).getroot() for path in paths})
    for name, cut in gone.items():
        cutter.keep(name, cut)
    return cutter.finish()


class _Cutter:
    """The definitions of a set of schemas, and how each was cut so far.

    Until all are known, an attribute that refers to a type holds the number of one of `_cut`.
    """

    def __init__(self, schemas: Mapping[str, etree._Element]) -> None:
        self._schemas = schemas
        self._elements: dict[Name, etree._Element] = {}
        self._types: dict[Name, etree._Element] = {}
        for schema in schemas.values():
            for node in schema.iterchildren(_ELEMENT, *_TYPES):
                known = self._elements if node.tag == _ELEMENT else self._types
                known[str(schema.get("targetNamespace")), str(node.get("name"))] = node
        self._kept: dict[Name, etree._Element] = {}
        self._cut: list[tuple[Name, Cut, etree._Element]] = []
        self._numbers: dict[tuple[Name, Cut], int] = {}
        self._left: dict[int, _Left] = {}

    def keep(self, name: Name, gone: Cut) -> None:
        """Keep a global element, less the paths in `gone`."""
        element = _copy(self._elements[name])
        if self._cut_type_of(element, gone) is _Left.NOTHING:
            raise NothingLeft(name[1])
        self._kept[name] = element

    def finish(self) -> Mapping[str, etree._Element]:
        """Name the types that the kept elements need, and return the schemas that have any of them."""
        needed = self._find_needed()
        names = self._choose_names(needed)
        left = {file: self._rebuild(schema, needed, names) for file, schema in self._schemas.items()}
        return {file: schema for file, schema in left.items() if schema is not None}

    def _cut_type_of(self, node: etree._Element, gone: Cut) -> _Left:
        """Cut the type of an element or attribute: the one that `type` names, or the anonymous one inside it."""
        if "type" in node.attrib:
            return self._refer(node, "type", gone)
        return self._cut_definition(next(node.iterchildren(*_TYPES)), gone)

    def _refer(self, node: etree._Element, attribute: str, gone: Cut) -> _Left:
        prefix, _, local = str(node.get(attribute)).rpartition(":")
        name = (str(node.nsmap[prefix or None]), local)
        if name[0] == XSD:
            return _Left.SOMETHING
        inside = frozenset(self._names_in(self._types[name]))
        gone = frozenset(path for path in gone if path.partition("/")[0] in inside)
        if (name, gone) not in self._numbers:
            number = self._numbers[name, gone] = len(self._cut)
            self._cut.append((name, gone, _copy(self._types[name])))
            # A type within itself may be there or not, and is so judged until it is known.
            self._left[number] = _Left.SOMETHING
            self._left[number] = self._cut_definition(self._cut[number][2], gone)
        number = self._numbers[name, gone]
        node.set(attribute, str(number))
        return self._left[number]

    def _names_in(self, node: etree._Element) -> Iterator[str]:
        """Yield the names of the elements that a type has, those of what it derives from too."""
        if "base" in node.attrib:
            prefix, _, local = str(node.get("base")).rpartition(":")
            base = self._types.get((str(node.nsmap[prefix or None]), local))
            if base is not None:
                yield from self._names_in(base)
        for child in node.iterchildren(etree.Element):
            if child.tag == _ELEMENT:
                yield str(child.get("name"))
            else:
                yield from self._names_in(child)

    def _cut_definition(self, node: etree._Element, gone: Cut) -> _Left:
        """Cut a type, or the derivation in it: what it derives from, its attributes' types and its content."""
        left = {self._refer(node, "base", gone)} if "base" in node.attrib else set()
        for child in node.iterchildren(etree.Element):
            match etree.QName(child).localname:
                case "simpleContent" | "complexContent" | "extension" | "restriction" | "simpleType":
                    left.add(self._cut_definition(child, gone))
                case "attribute":
                    self._cut_type_of(child, gone)
                case "sequence" | "choice":
                    left.add(self._cut_out(child, gone))
        return _Left.NOTHING if _Left.NOTHING in left else _Left.SOMETHING

    def _cut_out(self, particle: etree._Element, gone: Cut) -> _Left:
        """Cut a particle, and take it out of its parent if it allows no content any more."""
        left = self._cut_element(particle, gone) if particle.tag == _ELEMENT else self._cut_group(particle, gone)
        if left is _Left.NOTHING and particle.get("minOccurs") == "0":
            left = _Left.ABSENCE
        if left is not _Left.SOMETHING and (parent := particle.getparent()) is not None:
            parent.remove(particle)
        return left

    def _cut_element(self, element: etree._Element, gone: Cut) -> _Left:
        name = str(element.get("name"))
        if name in gone:
            return _Left.NOTHING
        within = f"{name}/"
        return self._cut_type_of(element, frozenset(p.removeprefix(within) for p in gone if p.startswith(within)))

    def _cut_group(self, group: etree._Element, gone: Cut) -> _Left:
        left = {self._cut_out(particle, gone) for particle in list(group.iterchildren(*_PARTICLES))}
        if group.tag == _SEQUENCE:
            worst_first = (_Left.NOTHING, _Left.SOMETHING, _Left.ABSENCE)
            return next((each for each in worst_first if each in left), _Left.ABSENCE)
        if _Left.ABSENCE in left:
            group.set("minOccurs", "0")
        best_first = (_Left.SOMETHING, _Left.ABSENCE)
        return next((each for each in best_first if each in left), _Left.NOTHING)

    def _find_needed(self) -> list[int]:
        """Return the cut types that the kept elements refer to, one way or another, in the order in which they do."""
        needed: dict[int, None] = {}
        waiting = list(self._kept.values())
        while waiting:
            for node, attribute in _references(waiting.pop(0)):
                number = int(str(node.get(attribute)))
                if number not in needed:
                    needed[number] = None
                    waiting.append(self._cut[number][2])
        return list(needed)

    def _choose_names(self, needed: list[int]) -> Mapping[int, Name]:
        """Leave the type that is needed whole, or else the first of a name, its name; the others get a number."""
        names: dict[int, Name] = {}
        for number in sorted(needed, key=lambda each: bool(self._cut[each][1])):
            namespace, local = self._cut[number][0]
            candidates = (local if suffix == 1 else f"{local}{suffix}" for suffix in count(1))
            taken = {name for name in self._types if name != (namespace, local)} | set(names.values())
            names[number] = next((namespace, each) for each in candidates if (namespace, each) not in taken)
        return names

    def _rebuild(self, schema: etree._Element, needed: list[int], names: Mapping[int, Name]) -> etree._Element | None:
        namespace = str(schema.get("targetNamespace"))
        cut: dict[Name, list[etree._Element]] = {name: [node] for name, node in self._kept.items()}
        for number in sorted(needed, key=names.__getitem__):
            definition = self._cut[number][2]
            definition.set("name", names[number][1])
            cut.setdefault(self._cut[number][0], []).append(definition)
        definitions = [
            definition
            for node in schema.iterchildren(_ELEMENT, *_TYPES)
            for definition in cut.get((namespace, str(node.get("name"))), ())
            if definition.tag == node.tag
        ]
        prefixes = {str(uri): prefix for prefix, uri in schema.nsmap.items()}
        spoken = {namespace, XSD}
        for node, attribute in (reference for definition in definitions for reference in _references(definition)):
            of, local = names[int(str(node.get(attribute)))]
            node.set(attribute, f"{prefixes[of]}:{local}" if prefixes[of] else local)
            spoken.add(of)
        if not definitions:
            return None
        attributes = {str(name): str(value) for name, value in schema.attrib.items()}
        left = _make_schema(schema, attributes, spoken)
        heading = (node for node in schema.iterchildren(*_HEADING) if node.get("namespace", namespace) in spoken)
        left.extend([*(deepcopy(node) for node in heading), *definitions])
        etree.indent(left)
        return left


def _references(definition: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Yield what refers to a cut type, with the attribute that does: not to one of XML Schema's own."""
    for node in definition.iter(etree.Element):
        for attribute in ("type", "base"):
            if str(node.get(attribute)).isdecimal():
                yield node, attribute


def _copy(definition: etree._Element) -> etree._Element:
    """Return a copy in a schema of its own, whose prefixes it keeps."""
    schema = definition.getparent()
    if schema is None:
        raise ValueError("a definition stands in a schema")
    copy = deepcopy(definition)
    _make_schema(schema, {}, set(schema.nsmap.values())).append(copy)
    return copy


def _make_schema(like: etree._Element, attributes: dict[str, str], spoken: set[str]) -> etree._Element:
    """Return a schema without definitions that declares the prefixes of the namespaces that are spoken in it."""
    # lxml's stubs do not know of a default namespace.
    prefixes = {cast(str, prefix): uri for prefix, uri in like.nsmap.items() if uri in spoken}
    return etree.Element(like.tag, attributes, prefixes)
