"""By its HTTP headers a request is a SOAP request of acceptable size, or it is refused with HTTP's own word for it."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts import load_contracts
from gateway.dispatch import ServiceEndpoint
from gateway.established import Arrived
from gateway.refusal import Fault
from gateway.stages.receive import receive

CONTRACT = load_contracts().services["/TestConnectionService/v1/consult"]
ENDPOINT = ServiceEndpoint(CONTRACT, None, "https://gateway.example")


def arrived(**changes: Any) -> Arrived:
    values: dict[str, Any] = {
        "ticket": "00000000-0000-4000-8000-000000000000",
        "received_at": datetime(2026, 6, 15, 12, 0, tzinfo=UTC),
        "endpoint": ENDPOINT,
        "method": "POST",
        "content_type": "text/xml; charset=utf-8",
        "content_encoding": "",
        "soap_action": None,
        "body": b"<a/>",
        "address": "192.0.2.1",
        "peer_certificate": None,
    }
    return Arrived(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content_type": "text/xml"},
        {"content_type": "application/xml; charset=UTF8"},
        {"content_type": "TEXT/XML ; Charset='utf-8'"},
        {"content_type": 'text/xml;charset="us-ascii"'},
        {"content_encoding": " Identity "},
    ],
)
def test_a_soap_request_is_received(changes: dict[str, Any]) -> None:
    assert receive(arrived(**changes), 100).body == b"<a/>"


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"method": "GET"}, "GTW00010", 405),
        ({"method": "post"}, "GTW00010", 405),
        ({"content_type": ""}, "GTW00011", 415),
        ({"content_type": "xml"}, "GTW00011", 415),
        ({"content_type": "text/plain"}, "GTW00011", 415),
        ({"content_type": "application/soap+xml"}, "GTW00011", 415),
        ({"content_type": "multipart/related; type=text/xml"}, "GTW00011", 415),
        ({"content_type": "text/xml; charset=latin1"}, "GTW00011", 415),
        ({"content_type": "text/xml; charset="}, "GTW00011", 415),
        ({"content_encoding": "gzip"}, "GTW00011", 415),
        ({"content_encoding": "identity, gzip"}, "GTW00011", 415),
        ({"body": None}, "GTW00012", 413),
    ],
)
def test_anything_else_is_refused(changes: dict[str, Any], code: str, status: int) -> None:
    with pytest.raises(Fault) as refusal:
        receive(arrived(**changes), 100)
    assert (refusal.value.code, refusal.value.http_status) == (code, status)


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_header_is_received_or_refused(content_type: str, parameters: str) -> None:
    """HTTP servers hand over any bytes, as Latin-1."""
    for value in (content_type, f"text/xml;{parameters}", f"text/xml; charset={parameters}"):
        with suppress(Fault):
            receive(arrived(content_type=value, content_encoding=parameters), 100)
        with suppress(Fault):
            receive(arrived(content_type=value), 100)
