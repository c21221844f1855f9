"""Reads text and base64 from elements of the Security header, and canonicalises elements.

Comments split text in lxml, and no signature covers them: where text is expected, anything else is refused.
"""

import base64
import binascii
from collections.abc import Sequence
from io import BytesIO
from threading import local

from lxml import etree

from gateway.wss.faults import SecurityCode, SecurityFault

_thread = local()


def read_text(element: etree._Element) -> str:
    """Return the text of an element that has nothing but text, without the white space around it."""
    if len(element):
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY,
            "An element of the Security header that must hold text alone also holds a comment, a processing "
            "instruction or an element. Send the text alone.",
        )
    return (element.text or "").strip()


def read_base64(element: etree._Element, max_characters: int) -> bytes:
    """Return the octets that the element's base64 text stands for; white space may break its lines."""
    text = read_text(element)
    if len(text) > max_characters:
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY,
            "A base64 value of the Security header is longer than any certificate, digest or signature.",
        )
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY,
            "A value of the Security header that must be base64 is not. Encode it again.",
        ) from None


def canonicalize(element: etree._Element, inclusive_prefixes: Sequence[str] = ()) -> bytes:
    """Return the exclusive canonical form, without comments, of the element and all that is in it."""
    if "#default" in inclusive_prefixes:
        _make_default_prefix_known()
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(inclusive_prefixes) or None,
        )
    except (etree.LxmlError, ValueError):
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY,
            "A signed element has no canonical form. Use absolute URIs for namespaces, no entity references.",
        ) from None


def _make_default_prefix_known() -> None:
    """Have lxml obey `#default` in a PrefixList; it drops names that its thread's name table lacks."""
    if not hasattr(_thread, "default_prefix_known"):
        for _event in etree.iterparse(BytesIO(b"<a/>"), tag="#default"):
            pass
        _thread.default_prefix_known = True
