"""Time stamps: no answer and every wrong answer of an authority is refused. Right ones: tests/interop."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def dripping(before: bytes) -> Iterator[str]:
    """Run a server that says this, and then a letter ten times a second, for as long as anybody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(before)
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.1)

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            thread.join()


# A refusal as RFC 3161 §2.4.2 has it: status 2 (rejection), no token.
REJECTION = bytes.fromhex("30053003020102")


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, b"", "gives none: HTTP status 500"),
        (200, b"", "cannot be believed"),
        (200, b"no DER", "cannot be believed"),
        (200, REJECTION, "cannot be believed"),
        (200, b"\x30\x84\xff\xff\xff\xff" + b"x" * 60_000, "cannot be believed"),
        (200, b"\x30\x84\xff\xff\xff\xff" + b"x" * 100_000, "gives none: the answer is larger than 65536 bytes"),
    ],
)
def test_a_wrong_answer_is_no_time_stamp(status: int, content: bytes, reason: str) -> None:
    with answering(lambda request: (status, content)) as url, pytest.raises(TimeStampFailed, match=reason):
        TimeStampAuthority(url, ROOTS).stamp(b"checkpoint")


def test_an_authority_that_is_not_there_gives_no_time_stamp() -> None:
    with answering(lambda request: (200, b"")) as url:
        pass
    with pytest.raises(TimeStampFailed, match="gives none: no connection"):
        TimeStampAuthority(url, ROOTS).stamp(b"checkpoint")


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_authority_that_answers_drop_by_drop_is_cut_off(before: bytes) -> None:
    """Whether it drips in its status, in a header or in the answer itself: each drop comes well in time."""
    with dripping(before) as url:
        started = time.monotonic()
        with pytest.raises(TimeStampFailed):
            TimeStampAuthority(url, ROOTS, seconds=0.5).stamp(b"checkpoint")
        assert 0.4 < time.monotonic() - started < 3


def test_what_is_stored_is_verified_anew() -> None:
    with pytest.raises(TimeStampFailed, match="cannot be believed"):
        verify_time_stamp(REJECTION, b"checkpoint", ROOTS)
