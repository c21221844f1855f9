"""The management port and those who ask it: a load balancer reads the status and hangs up."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from gateway.management import make_server

RESET = struct.pack("ii", 1, 0)


def fail() -> None:
    raise RuntimeError("not to be told")


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    server = make_server(("127.0.0.1", 0), {"part": fail}, lambda: b"")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield ("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()


def test_a_probe_that_hangs_up_leaves_no_trace(address: tuple[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        with socket.create_connection(address) as probe:
            probe.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with socket.create_connection(address) as probe:
        probe.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
        answer = probe.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.0 503 ")
    assert b'"part": "NOK: RuntimeError"' in answer
    assert capfd.readouterr() == ("", "")
