"""The least that any server behind gunicorn costs: a constant reply of 10 KB."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

_REPLY = b"<reply>" + b"x" * 10_000 + b"</reply>"


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the request and answer."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(_REPLY)))])
    return [_REPLY]
