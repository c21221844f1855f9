"""The XSDs as a model: for each global element its tree of types, names, order and cardinalities.

Reads the subset of XML Schema that our contracts use (sequence, choice, extension, restriction, attribute) and refuses
to guess about anything else. Facets are left to libxml2's validation; the model knows only what the binding needs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lxml import etree

from gateway.xml.namespaces import XSD

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class UnsupportedSchema(Exception):
    """An XSD uses a construct that the binding does not know; the message names it and its line."""


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A simple type, reduced to the built-in it restricts (`string`, `date`, `unsignedShort`, …).

    `form` is its documentation in English where a pattern restricts it: in words, what the pattern demands.
    """

    builtin: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class ComplexType:
    """Elements in the contract's order (members of a choice are optional), or simple content with attributes."""

    elements: tuple["Element", ...]
    attributes: tuple[tuple[str, SimpleType], ...]
    text: SimpleType | None


@dataclass(frozen=True, slots=True)
class Element:
    """One particle; `many` when it may occur more than once, in which case its value is a list.

    `optional`: a message may be without it. `droppable`: it may be taken out of a valid message, whatever stands beside
    it; the one chosen where something must be may not. `meaning` is its documentation, by language.
    """

    name: str
    type: SimpleType | ComplexType
    optional: bool
    many: bool
    droppable: bool
    meaning: Mapping[str, str] = field(default_factory=dict)

    def paths(self, prefix: str = "") -> Iterator[tuple[str, "Element"]]:
        """Yield every descendant with its path relative to this element, parents first: `criteria/ssin`."""
        if isinstance(self.type, ComplexType):
            for child in self.type.elements:
                path = f"{prefix}{child.name}"
                yield path, child
                yield from child.paths(f"{path}/")


class SchemaModel:
    """All global elements and types of a set of XSD files."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._definitions: dict[tuple[str, str], etree._Element] = {}
        self._types: dict[tuple[str, str], SimpleType | ComplexType] = {}
        for path in paths:
            schema = etree.parse(path).getroot()
            for definition in schema.iterchildren(f"{{{XSD}}}element", f"{{{XSD}}}simpleType", f"{{{XSD}}}complexType"):
                kind = "element" if definition.tag == f"{{{XSD}}}element" else "type"
                self._definitions[kind, f"{{{schema.get('targetNamespace')}}}{definition.get('name')}"] = definition

    def get_element(self, namespace: str, name: str) -> Element:
        """Return the global element, whole; KeyError when no XSD declares it."""
        return self._element(self._definitions["element", f"{{{namespace}}}{name}"], in_choice=False, droppable=False)

    def _element(self, node: etree._Element, *, in_choice: bool, droppable: bool) -> Element:
        maximum = node.get("maxOccurs", "1")
        return Element(
            name=_attribute(node, "name"),
            type=self._type_of(node),
            optional=in_choice or node.get("minOccurs") == "0",
            many=maximum == "unbounded" or int(maximum) > 1,
            droppable=droppable or node.get("minOccurs") == "0",
            meaning=_meaning(node),
        )

    def _type_of(self, node: etree._Element) -> SimpleType | ComplexType:
        """Return the type of an element or attribute: named in `type`, or anonymous inside it."""
        if "type" in node.attrib:
            return self._named(node, _attribute(node, "type"))
        for child in node:
            if child.tag in (f"{{{XSD}}}simpleType", f"{{{XSD}}}complexType"):
                return self._type(child)
        raise _unsupported(node)

    def _named(self, node: etree._Element, name: str) -> SimpleType | ComplexType:
        prefix, _, local = name.rpartition(":")
        namespace = node.nsmap[prefix or None]
        if namespace == XSD:
            return SimpleType(local)
        key = ("type", f"{{{namespace}}}{local}")
        if key not in self._types:
            self._types[key] = self._type(self._definitions[key])
        return self._types[key]

    def _type(self, node: etree._Element) -> SimpleType | ComplexType:
        if node.tag == f"{{{XSD}}}simpleType":
            restriction = node.find(f"{{{XSD}}}restriction")
            if restriction is None:
                raise _unsupported(node)
            if "base" not in restriction.attrib:
                return self._type(restriction[0])
            base = self._named(restriction, _attribute(restriction, "base"))
            if isinstance(base, SimpleType) and restriction.find(f"{{{XSD}}}pattern") is not None:
                return replace(base, form=_meaning(node).get("en", ""))
            return base
        elements: list[Element] = []
        attributes: list[tuple[str, SimpleType]] = []
        text: SimpleType | None = None
        for child in node:
            if child.tag in (f"{{{XSD}}}simpleContent", f"{{{XSD}}}complexContent"):
                extension = child.find(f"{{{XSD}}}extension")
                if extension is None:
                    raise _unsupported(child)
                base = self._named(extension, _attribute(extension, "base"))
                if isinstance(base, SimpleType):
                    text = base
                else:
                    elements += base.elements
                    attributes += base.attributes
                    text = base.text
                self._collect(extension, elements, attributes)
        self._collect(node, elements, attributes)
        return ComplexType(tuple(elements), tuple(sorted(attributes)), text)

    def _collect(
        self,
        node: etree._Element,
        elements: list[Element],
        attributes: list[tuple[str, SimpleType]],
        *,
        in_choice: bool = False,
        droppable: bool = False,
    ) -> None:
        """Gather what is in the node; `droppable` tells whether all of it together may be taken out."""
        if etree.QName(node).localname == "sequence":
            droppable = droppable and sum(1 for each in node if each.tag != f"{{{XSD}}}annotation") == 1
        for child in node:
            match etree.QName(child).localname:
                case "sequence" | "choice" as group:
                    choice = in_choice or group == "choice" or child.get("minOccurs") == "0"
                    if child.get("maxOccurs", "1") != "1":
                        raise _unsupported(child)
                    whole = droppable or child.get("minOccurs") == "0"
                    self._collect(child, elements, attributes, in_choice=choice, droppable=whole)
                case "element":
                    elements.append(self._element(child, in_choice=in_choice, droppable=droppable))
                case "attribute":
                    declared = self._type_of(child)
                    if not isinstance(declared, SimpleType):
                        raise _unsupported(child)
                    attributes.append((_attribute(child, "name"), declared))
                case "annotation" | "simpleContent" | "complexContent":
                    pass
                case "anyAttribute" if child.get("namespace") == "##other":
                    pass  # Those of SOAP and WS-Security, on a header block: no values of ours.
                case _:
                    raise _unsupported(child)


def _meaning(node: etree._Element) -> Mapping[str, str]:
    texts = node.iterfind(f"{{{XSD}}}annotation/{{{XSD}}}documentation")
    return {str(text.get(_LANGUAGE)): " ".join((text.text or "").split()) for text in texts}


def _attribute(node: etree._Element, name: str) -> str:
    return str(node.attrib[name])


def _unsupported(node: etree._Element) -> UnsupportedSchema:
    name: Mapping[str, str] = {str(key): str(value) for key, value in node.attrib.items()}
    return UnsupportedSchema(f"line {node.sourceline}: {etree.QName(node).localname} {dict(name)} is not supported")
