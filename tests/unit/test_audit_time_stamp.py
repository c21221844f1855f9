"""Time stamps: no answer and every wrong answer of an authority is refused. Right ones: tests/interop."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.audit.time_stamp import TimeStampAuthority, TimeStampFailed, verify_time_stamp
from gateway.pki import create_authority

ROOTS = [create_authority(datetime.now(UTC)).certificate]


@contextmanager
def answering(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    """Run an HTTP server that answers every POST so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# A refusal as RFC 3161 §2.4.2 has it: status 2 (rejection), no token.
REJECTION = bytes.fromhex("30053003020102")


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, b"", "does not answer: HTTPError"),
        (200, b"", "cannot be believed"),
        (200, b"no DER", "cannot be believed"),
        (200, REJECTION, "cannot be believed"),
        (200, b"\x30\x84\xff\xff\xff\xff" + b"x" * 100_000, "cannot be believed"),
    ],
)
def test_a_wrong_answer_is_no_time_stamp(status: int, content: bytes, reason: str) -> None:
    with answering(lambda request: (status, content)) as url, pytest.raises(TimeStampFailed, match=reason):
        TimeStampAuthority(url, ROOTS).stamp(b"checkpoint")


def test_an_authority_that_is_not_there_gives_no_time_stamp() -> None:
    with answering(lambda request: (200, b"")) as url:
        pass
    with pytest.raises(TimeStampFailed, match="does not answer: ConnectionError"):
        TimeStampAuthority(url, ROOTS).stamp(b"checkpoint")


def test_what_is_stored_is_verified_anew() -> None:
    with pytest.raises(TimeStampFailed, match="cannot be believed"):
        verify_time_stamp(REJECTION, b"checkpoint", ROOTS)
