"""Two thousand connections that stall, each in its own way, do not silence an honest client."""

import resource
import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.conftest import free_port, wait_until
from tests.interop.conftest import Proxy, proxying
from tests.interop.exchange import code_of, head, padded, post, signed
from tests.interop.stalling import STALLS, stalled

CONNECTIONS = 2_000
WITHIN = 20.0  # Seconds, on a machine that has more to do. Who stalls is waited for much longer.
PATIENT = {"PROXY_REQUEST_TIMEOUT": "300s"}
# Whole messages but for their last byte: none may reach a thread of the gateway.
LARGE = padded(250_000)


@pytest.fixture(autouse=True)
def enough_descriptors() -> Iterator[None]:
    """A connection is a descriptor here and another in HAProxy, which inherits our limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * CONNECTIONS + 2_000
    assert hard == resource.RLIM_INFINITY or hard >= needed, f"ulimit -Hn is {hard}: these tests need {needed}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def still_open(connections: list[socket.socket]) -> int:
    """Count the connections at the other end of which somebody still waits."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        # A TLS session ticket may be unread: only an end of the connection counts.
        ready = {key.fileobj for key, _ in selector.select(timeout=0)}
    return sum(not (each in ready and _has_ended(each)) for each in connections)


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        connection.recv(1000)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except (ssl.SSLError, ConnectionError):
        return True
    return True


def consult(proxy: Proxy, times: int) -> list[float]:
    """Consult as an honest client does, each time on a new connection; how long each took, in seconds."""
    durations = []
    for _ in range(times):
        content = signed(proxy.gateway.state)
        started = time.monotonic()
        assert code_of(post(proxy, content)) == "MSG00000"
        durations.append(time.monotonic() - started)
    return durations


def test_two_thousand_stalled_connections_do_not_silence_an_honest_client(proxy: Proxy) -> None:
    settings = PATIENT | {"PROXY_MAXCONN_PER_SOURCE": "4000"}
    with proxying(proxy.gateway, free_port(), **settings) as patient, ExitStack() as stack:
        connections = [
            connection
            for sent in STALLS.values()
            for connection in stack.enter_context(
                stalled(patient.port, patient.gateway.state, CONNECTIONS // len(STALLS), sent)
            )
        ]
        durations = consult(patient, 20)
        assert still_open(connections) == CONNECTIONS
    print(f"{CONNECTIONS} stalled: honest client answered in {max(durations) * 1000:.0f} ms at most")
    assert max(durations) < WITHIN


def test_large_bodies_without_their_end_do_not_reach_the_gateway(proxy: Proxy) -> None:
    # Each is larger than HAProxy's default buffer, and there are more of them than the gateway has threads.
    for framing in (head(len(LARGE)) + LARGE[:-1], head(None) + b"%x\r\n" % len(LARGE) + LARGE[:-1]):
        with (
            proxying(proxy.gateway, free_port(), **PATIENT) as patient,
            stalled(patient.port, patient.gateway.state, 100, framing) as connections,
        ):
            durations = consult(patient, 5)
            assert still_open(connections) == 100
        assert max(durations) < WITHIN


def test_what_stalls_is_gone_when_its_time_is_over(proxy: Proxy) -> None:
    with (
        proxying(proxy.gateway, free_port(), PROXY_REQUEST_TIMEOUT="3s") as impatient,
        stalled(impatient.port, impatient.gateway.state, 100, STALLS["half a body"]) as connections,
    ):
        wait_until(lambda: still_open(connections) == 0, lambda: f"{still_open(connections)} are open")
