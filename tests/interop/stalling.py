"""Connections that say a part of what they should, and then nothing."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.conftest import PATIENCE
from tests.interop.exchange import head, message

STALLS = {
    "half a TLS handshake": None,
    "half a head": head(5000)[:60],
    "half a body": head(5000) + message("", "")[:300],
    "half a chunked body": head(None) + b"1000\r\n<soap",
}


@contextmanager
def stalled(port: int, state: Path, count: int, sent: bytes | None) -> Iterator[list[socket.socket]]:
    """Open connections that send this and then nothing, until the block ends."""
    context = ssl.create_default_context(cafile=str(state / "pki" / "ca.pem"))
    with ExitStack() as opened:
        connections: list[socket.socket] = []
        for _ in range(count):
            plain = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            if sent is None:
                plain.sendall(b"\x16\x03\x01\x02\x00\x01")
                connections.append(plain)
                continue
            connection = opened.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            connection.sendall(sent)
            connections.append(connection)
        yield connections
