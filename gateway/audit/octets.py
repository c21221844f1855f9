"""Octets as text in files of the log: base64, of which only the one way that it is written counts."""

import base64


def to_base64(octets: bytes) -> str:
    """Return octets as text."""
    return base64.b64encode(octets).decode()


def from_base64(text: str) -> bytes:
    """Return the octets that were written as this text; ValueError for any other text."""
    octets = base64.b64decode(text, validate=True)
    if to_base64(octets) != text:
        raise ValueError("the octets are not written so")
    return octets
