"""Octets as text: base64, of which only the one way that it is written counts."""

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


def put_base64(written: bytes, name: str, octets: bytes) -> bytes:
    """Return JSON without spaces in which the first empty text called `name` is filled with octets.

    To write them with the rest, which looks for what it must escape, would cost more than all the rest. No text before
    can be taken for the place, since the quotes in a text are escaped.
    """
    place = f'"{name}":"'.encode()
    return written.replace(place + b'"', place + base64.b64encode(octets) + b'"', 1)
