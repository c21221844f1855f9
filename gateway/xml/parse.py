"""Turns bytes from a stranger into one SOAP 1.1 Envelope, or says why not. Looks at form only, never at meaning.

The caps are counted in the bytes, before anything is parsed: every element costs a `<`, every attribute a `=`, every
namespace declaration an `xmlns`, so the counts bound from above what libxml2 and the canonicalisation will meet, at
the price of a memory scan. (Exclusive C14N is quadratic in attributes, and in namespaces times elements.)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lxml import etree

from gateway.xml.namespaces import SOAP, SOAP12

MUST_UNDERSTAND = f"{{{SOAP}}}mustUnderstand"
ACTOR = f"{{{SOAP}}}actor"
# SOAP 1.1 §4.2.2: whoever processes the message first, which is us.
NEXT_ACTOR = "http://schemas.xmlsoap.org/soap/actor/next"

# Looked for in the bytes: the parser is told UTF-8, and reports that whatever the message declares.
_DECLARATION = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<\?xml\s(?:[^>]*?encoding\s*=\s*["'](?P<encoding>[^"'>]*))?""")


class Unparsable(Exception):
    """The bytes are no message that we read. `code` is of the error catalogue, `reason` says what to mend."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class OtherSoapVersion(Unparsable):
    """An Envelope, but not of SOAP 1.1 (SOAP 1.1 §4.4.1: VersionMismatch)."""


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """What a message may cost to read; generous for every published contract.

    `elements` counts start and end tags together; `lookups` bounds them times the namespace declarations, because
    exclusive C14N looks each prefix of a PrefixList up on every element, through all declarations above it. `depth`
    counts the Envelope. `text` is the longest run of bytes without a tag: patterns of an XSD are slow on long texts.
    """

    elements: int = 10_000
    attributes: int = 1_000
    namespaces: int = 250
    lookups: int = 300_000
    depth: int = 24
    text: int = 32 * 1024


@dataclass(frozen=True, slots=True)
class SoapMessage:
    """One Envelope in its parts; `payload` is the Body's only child element."""

    envelope: etree._Element
    header: etree._Element | None
    body: etree._Element
    payload: etree._Element


def parse_message(data: bytes, limits: XmlLimits) -> SoapMessage:
    """Parse UTF-8 bytes as a SOAP 1.1 message; Unparsable (GTW00013, 14, 15) when they are none."""
    return take_apart(parse_document(data, limits))


def parse_document(data: bytes, limits: XmlLimits) -> etree._Element:
    """Parse UTF-8 bytes as XML of any kind; Unparsable (GTW00013, 14) when they are none."""
    _check_bytes(data, limits)
    # A parser of its own for each message: lxml serialises concurrent use of a shared one, and keeps its error log.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # Canonical XML without comments is what signatures cover: once comments are gone, a text split by one reads
        # exactly as it was signed.
        remove_comments=True,
        collect_ids=False,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unparsable("GTW00013", f"The message is not well-formed XML: {_first_line(error)}.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unparsable("GTW00013", "A document type declaration is not allowed; send the message without it.")
    _check_depth(root, limits.depth)
    return root


def headers_to_understand(header: etree._Element | None) -> Iterator[etree._Element]:
    """Yield the header blocks marked mustUnderstand that are meant for us: the ultimate receiver, and the next."""
    for block in header if header is not None else ():
        marked = block.get(MUST_UNDERSTAND, "").strip() in ("1", "true")
        if marked and block.get(ACTOR, "").strip() in ("", NEXT_ACTOR):
            yield block


def _check_bytes(data: bytes, limits: XmlLimits) -> None:
    if b"\0" in data:
        raise Unparsable("GTW00013", "The message is not UTF-8 text; send the XML in UTF-8.")
    if b"<!DOCTYPE" in data:
        raise Unparsable("GTW00013", "A document type declaration is not allowed; send the message without it.")
    declaration = _DECLARATION.match(data)
    if declaration and (declaration["encoding"] or b"utf-8").lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise Unparsable("GTW00013", "The XML declaration names another encoding than UTF-8; send UTF-8.")
    # The XML declaration looks like a processing instruction, but is none.
    if data.count(b"<?") > (1 if declaration else 0):
        raise Unparsable("GTW00013", "Processing instructions are not allowed in a SOAP message.")
    for found, allowed, what in (
        (data.count(b"<"), limits.elements, "tags"),
        (data.count(b"="), limits.attributes, "attributes"),
        (data.count(b"xmlns"), limits.namespaces, "namespace declarations"),
    ):
        if found > allowed:
            raise Unparsable("GTW00014", f"The message has {found} {what}; at most {allowed} are accepted.")
    if len(data) > limits.text and len(max(data.split(b"<"), key=len)) > limits.text:
        raise Unparsable("GTW00014", f"The message has more than {limits.text} bytes in one text or tag.")
    if data.count(b"<") * data.count(b"xmlns") > limits.lookups:
        raise Unparsable("GTW00014", "The message has too many namespace declarations for its many tags.")


def _check_depth(envelope: etree._Element, most: int) -> None:
    if _deeper_than(most)(envelope):
        raise Unparsable("GTW00014", f"The message is nested too deeply; at most {most} levels are accepted.")


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


def _first_line(error: etree.XMLSyntaxError) -> str:
    # libxml2 quotes names of the message in its text: the place is what mends it, and gives nothing away.
    line, column = error.position
    return f"line {line}, column {column}"


def take_apart(envelope: etree._Element) -> SoapMessage:
    """Return the parts of a SOAP 1.1 Envelope; Unparsable (GTW00015) for anything else."""
    if envelope.tag == f"{{{SOAP12}}}Envelope":
        raise OtherSoapVersion("GTW00015", "This is a SOAP 1.2 Envelope; send SOAP 1.1.")
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise OtherSoapVersion("GTW00015", "The root element is no SOAP 1.1 Envelope.")
    parts = list(envelope)
    header = parts.pop(0) if parts and parts[0].tag == f"{{{SOAP}}}Header" else None
    if len(parts) != 1 or parts[0].tag != f"{{{SOAP}}}Body":
        raise Unparsable("GTW00015", "The Envelope must hold at most one Header, then exactly one Body.")
    (body,) = parts
    if len(body) != 1 or any(text and text.strip() for text in (body.text, body[0].tail)):
        raise Unparsable("GTW00015", "The Body must hold exactly one element and no text beside it.")
    return SoapMessage(envelope, header, body, body[0])
