"""The WSGI application: which path is what. Services take POST; WSDLs, XSDs and the error catalogue GET.

Reads a body up to the limit and no further, hands the request to the pipeline, and logs one line about it.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog

from gateway.catalogue import Catalogue, render_html
from gateway.contracts import find_schema_document
from gateway.dispatch import ServiceEndpoint
from gateway.established import Arrived
from gateway.peer import PeerFinder
from gateway.pipeline import Answer

log = structlog.get_logger(__name__)

XML = "text/xml; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Meter(Protocol):
    """Counts what is answered."""

    def note(self, service: str, answer: Answer) -> None:
        """Remember an answer of the service."""
        ...


class Processor(Protocol):
    """Answers a SOAP request."""

    def process(self, arrived: Arrived) -> Answer:
        """Return what goes back; never raises for anything in the request."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back over HTTP."""

    status: str
    content: bytes
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()


class GatewayApp:
    """The application that gunicorn serves. One per worker process; `endpoints` are by path."""

    def __init__(
        self,
        endpoints: Mapping[str, ServiceEndpoint],
        processor: Processor,
        catalogue: Catalogue,
        peers: PeerFinder,
        max_bytes: int,
        clock: Callable[[], datetime],
        meter: Meter | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._processor = processor
        self._catalogue = catalogue
        self._peers = peers
        self._max_bytes = max_bytes
        self._clock = clock
        self._meter = meter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one HTTP request."""
        response = self._respond(environ)
        headers = [("Content-Type", response.content_type), ("Content-Length", str(len(response.content)))]
        start_response(response.status, [*headers, *response.headers])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.content]

    def _respond(self, environ: WSGIEnvironment) -> Response:
        path = environ.get("PATH_INFO", "/")
        reading = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        endpoint = self._endpoints.get(path)
        if endpoint is not None:
            if reading and environ.get("QUERY_STRING", "").lower() == "wsdl":
                return Response("200 OK", endpoint.wsdl, XML)
            return self._exchange(environ, endpoint)
        if not reading:
            return _not_found()
        if path == "/":
            return Response("200 OK", self._index().encode())
        if path.startswith("/xsd/"):
            document = find_schema_document(path.removeprefix("/xsd/"))
            return Response("200 OK", document, XML) if document is not None else _not_found()
        if path == "/errors" or path.startswith("/errors/"):
            return self._error_page(path.removeprefix("/errors").strip("/"), environ)
        return _not_found()

    def _exchange(self, environ: WSGIEnvironment, endpoint: ServiceEndpoint) -> Response:
        started = time.perf_counter()
        peer = self._peers.find(environ)
        arrived = Arrived(
            ticket=str(uuid.uuid4()),
            received_at=self._clock(),
            endpoint=endpoint,
            method=environ["REQUEST_METHOD"],
            content_type=environ.get("CONTENT_TYPE", ""),
            content_encoding=environ.get("HTTP_CONTENT_ENCODING", ""),
            soap_action=environ.get("HTTP_SOAPACTION"),
            body=_read_body(environ, self._max_bytes),
            address=peer.address,
            peer_certificate=peer.certificate,
        )
        answer = self._processor.process(arrived)
        if self._meter is not None:
            self._meter.note(endpoint.contract.descriptor.name, answer)
        if not answer.shed:
            log.info(
                "exchange",
                ticket=arrived.ticket,
                service=endpoint.contract.descriptor.name,
                outcome=answer.outcome,
                code=answer.code,
                client=answer.client,
                operation=answer.operation,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )
        return Response(_STATUS[answer.http_status], answer.content, XML, tuple(_headers(answer)))

    def _index(self) -> str:
        wsdls = "".join(f"  {path}?wsdl\n" for path in sorted(self._endpoints))
        return f"KSZ gateway: SOAP services.\n\n{wsdls}\nError codes explained: /errors\n"

    def _error_page(self, code: str, environ: Mapping[str, Any]) -> Response:
        if code and code not in self._catalogue:
            return _not_found()
        language = _preferred_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""), self._catalogue.languages)
        page = render_html(self._catalogue, language, code or None)
        return Response("200 OK", page.encode(), HTML, (("Content-Language", language), ("Vary", "Accept-Language")))


_STATUS = {
    200: "200 OK",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
}


def _headers(answer: Answer) -> Iterator[tuple[str, str]]:
    if answer.http_status == 405:
        yield "Allow", "POST"
    if answer.retry_after_seconds:
        yield "Retry-After", str(answer.retry_after_seconds)


def _read_body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """Read the body, None when it is longer than `limit`; never more than a byte past it."""
    declared = _declared_length(environ.get("CONTENT_LENGTH") or "")
    if declared is not None and declared > limit:
        return None
    body: bytes = environ["wsgi.input"].read(limit + 1 if declared is None else declared)
    return None if len(body) > limit else body


def _declared_length(text: str) -> int | None:
    """Read a Content-Length; None for what is none, which `int` and `isdigit` take a wider view of."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _preferred_language(accepted: str, languages: Iterable[str]) -> str:
    """Return the first language of Accept-Language that we have, English otherwise (quality values are ignored)."""
    for part in accepted.lower().split(","):
        language = part.partition(";")[0].strip()[:2]
        if language in languages:
            return language
    return "en"


def _not_found() -> Response:
    return Response("404 Not Found", b"GTW00019: there is nothing at this address. The services are listed at /.\n")
