"""The binding: reads values from a validated element and writes values as text that is already canonical.

Compiled once from the model of the XSDs into a tree of closures. The text it writes is what exclusive C14N would
make of it, so that a reply is digested as it stands and never serialised twice. Meaning is not its business.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from lxml import etree

from gateway.xml.lexical import reader_of, writer_of
from gateway.xml.model import ComplexType, Element, SimpleType

# A read-only mapping, such as the element of a code in its table, is written once and its text kept: by each element
# so many.
_MOST_CONSTANTS = 1000

Reader = Callable[[etree._Element], Any]
Writer = Callable[[Any, list[str]], None]


class Unreadable(Exception):
    """An element is valid against its XSD but holds what the gateway cannot represent; `path` names the element."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} holds a value outside the supported calendar or structure")
        self.path = path


class Unwritable(Exception):
    """Values do not fit the contract: a mistake of ours, found before anything leaves."""


def escape_text(text: str) -> str:
    """Escape character data as Canonical XML 1.0 §2.3 has it."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    return text


def escape_attribute(text: str) -> str:
    """Escape an attribute's value as Canonical XML 1.0 §2.3 has it."""
    if text.isalnum():
        return text
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace('"', "&quot;")
        .replace("\t", "&#x9;")
        .replace("\n", "&#xA;")
        .replace("\r", "&#xD;")
    )


def compile_reader(root: Element) -> Callable[[etree._Element], Mapping[str, Any]]:
    """Return a function that reads the whole element; it raises Unreadable."""
    return _reader(root, root.name)


def compile_writer(root: Element, namespace: str, prefix: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that writes the values as the global element; it raises Unwritable."""
    content = _content_writer(root, root.name)
    start = f'<{prefix}:{root.name} xmlns:{prefix}="{escape_attribute(namespace)}">'
    end = f"</{prefix}:{root.name}>"

    def write(values: Mapping[str, Any]) -> str:
        out = [start]
        content(values, out)
        out.append(end)
        return "".join(out)

    return write


def _reader(element: Element, path: str) -> Reader:
    if isinstance(element.type, SimpleType):
        return _simple_reader(element.type, path)
    if element.type.text is not None:
        return _text_reader(element.type, element.type.text, path)
    return _children_reader(element.type, path)


def _simple_reader(simple: SimpleType, path: str) -> Reader:
    read_text = reader_of(simple.builtin)

    def read(node: etree._Element) -> Any:
        try:
            return read_text(node.text or "")
        except (ValueError, KeyError, OverflowError):
            raise Unreadable(path) from None

    return read


def _text_reader(declared: ComplexType, text: SimpleType, path: str) -> Reader:
    read_content = _simple_reader(text, path)
    attributes = tuple((name, f"@{name}", reader_of(simple.builtin)) for name, simple in declared.attributes)

    def read(node: etree._Element) -> Any:
        value = {"#text": read_content(node)}
        for name, key, read_text in attributes:
            found = node.get(name)
            if found is not None:
                value[key] = read_text(found)
        return value

    return read


def _children_reader(declared: ComplexType, path: str) -> Reader:
    children = {child.name: (child.many, _reader(child, f"{path}/{child.name}")) for child in declared.elements}

    def read(node: etree._Element) -> Any:
        values: dict[str, Any] = {}
        for child in node:
            try:
                many, read_child = children[child.tag]
            except KeyError:
                # Only a type named by xsi:type can bring what the declared type does not have.
                raise Unreadable(path) from None
            if many:
                values.setdefault(child.tag, []).append(read_child(child))
            else:
                values[child.tag] = read_child(child)
        return values

    return read


def _content_writer(element: Element, path: str) -> Writer:
    if isinstance(element.type, ComplexType) and element.type.text is None:
        return _children_writer(element.type, path)
    raise Unwritable(f"{path} is no element with children")


def _children_writer(declared: ComplexType, path: str) -> Writer:
    children = tuple(
        (child.name, child.many, _element_writer(child, f"{path}/{child.name}")) for child in declared.elements
    )
    known = frozenset(name for name, _, _ in children)

    def write(values: Any, out: list[str]) -> None:
        written = 0
        for name, many, write_child in children:
            value = values.get(name)
            if value is None:
                written += name in values
                continue
            written += 1
            if many:
                for item in value:
                    write_child(item, out)
            else:
                write_child(value, out)
        if written != len(values):
            raise Unwritable(f"{path} has no element {', '.join(sorted(set(values) - known))}")

    return write


def _element_writer(element: Element, path: str) -> Writer:
    start, end = f"<{element.name}>", f"</{element.name}>"
    if isinstance(element.type, SimpleType):
        write_text = writer_of(element.type.builtin)

        def write_simple(value: Any, out: list[str]) -> None:
            out.append(f"{start}{escape_text(write_text(value))}{end}")

        return write_simple
    if element.type.text is not None:
        return _text_writer(element.name, element.type, element.type.text)
    content = _children_writer(element.type, path)
    constants: dict[int, tuple[Any, str]] = {}

    def write(value: Any, out: list[str]) -> None:
        known = constants.get(id(value))
        if known is not None:
            out.append(known[1])
            return
        begin = len(out)
        out.append(start)
        content(value, out)
        out.append(end)
        if type(value) is MappingProxyType and len(constants) < _MOST_CONSTANTS:
            # The value is kept with its text, so that no other can take its identity.
            constants[id(value)] = value, "".join(out[begin:])

    return write


def _text_writer(name: str, declared: ComplexType, text: SimpleType) -> Writer:
    write_text = writer_of(text.builtin)
    attributes = tuple((key, f"@{key}", writer_of(simple.builtin)) for key, simple in declared.attributes)

    def write(value: Any, out: list[str]) -> None:
        out.append(f"<{name}")
        for key, entry, write_attribute in attributes:
            found = value.get(entry)
            if found is not None:
                out.append(f' {key}="{escape_attribute(write_attribute(found))}"')
        out.append(f">{escape_text(write_text(value['#text']))}</{name}>")

    return write
