"""Receive: is this HTTP request a SOAP request of acceptable size?"""

from email.message import Message
from functools import lru_cache

from gateway.established import Arrived, Received
from gateway.refusal import Fault

_XML_TYPES = {"text/xml", "application/xml"}


def receive(arrived: Arrived, max_bytes: int) -> Received:
    """Accept a POST of UTF-8 XML within `max_bytes`; GTW00010, 11 or 12 otherwise."""
    if arrived.method != "POST":
        raise Fault("GTW00010", "Send SOAP requests with POST; the WSDL is at ?wsdl.", http_status=405)
    if arrived.content_encoding.strip().lower() not in ("", "identity"):
        raise Fault("GTW00011", "Send the message without Content-Encoding.", http_status=415)
    media_type, charset = _read_content_type(arrived.content_type)
    if media_type not in _XML_TYPES:
        raise Fault("GTW00011", "Send Content-Type: text/xml; charset=utf-8.", http_status=415)
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Fault("GTW00011", "Send the message in UTF-8 and say so in the Content-Type.", http_status=415)
    if arrived.body is None:
        raise Fault("GTW00012", f"The message is larger than {max_bytes} bytes: send less in each.", http_status=413)
    return Received(arrived, arrived.body)


@lru_cache(maxsize=64)
def _read_content_type(content_type: str) -> tuple[str, str]:
    """Return the media type, empty if there is none, and the charset; clients send few that differ."""
    header = Message()
    header["Content-Type"] = content_type
    charset = str(header.get_param("charset", "utf-8")).strip("'\" ").lower()
    return header.get_content_type() if content_type else "", charset
