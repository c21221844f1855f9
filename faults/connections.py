"""2,000 connections that begin and do not end: to HAProxy in front, as production has it, and to the gateway itself."""

import resource
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

from faults.trial import Trial
from tests.e2e.conftest import free_port
from tests.interop.conftest import PROXY_ADDRESS, proxying
from tests.interop.stalling import STALLS, stalled

CONNECTIONS = 2_000
SECONDS = 5.0
# More than the gateway has threads.
HALF_BODIES = 40
HANDSHAKE_SECONDS = 3.0
_PATIENT = {"PROXY_REQUEST_TIMEOUT": "300s", "PROXY_MAXCONN_PER_SOURCE": "4000"}


def stall_proxy(trial: Trial) -> None:
    """Stall in each way that there is; HAProxy keeps them all away from the gateway."""
    _allow_descriptors()
    port = free_port()
    behind = {"scheme": "http", "KSZ_TRUSTED_PROXIES": f'["{PROXY_ADDRESS}"]'}
    with (
        trial.serving("--no-tls", "--public-url", f"https://127.0.0.1:{port}", **behind) as gateway,
        proxying(gateway, port, **_PATIENT) as proxy,
        trial.loaded(replace(gateway, url=proxy.url)),
        trial.fault(),
        ExitStack() as stack,
    ):
        for sent in STALLS.values():
            stack.enter_context(stalled(port, gateway.state, CONNECTIONS // len(STALLS), sent))
        time.sleep(SECONDS)


def stall_gateway(trial: Trial) -> None:
    """Occupy every thread with half a body, and begin as many handshakes as make 2,000 connections."""
    _allow_descriptors()
    with trial.serving() as gateway, trial.loaded(gateway), trial.fault(), ExitStack() as stack:
        port = int(gateway.url.rpartition(":")[2])
        context = ssl.create_default_context(cafile=gateway.authority)
        with ThreadPoolExecutor(HALF_BODIES) as pool:
            for sent in [pool.submit(_send_half_a_body, port, context) for _ in range(HALF_BODIES)]:
                stack.enter_context(sent.result())
        stack.enter_context(stalled(port, gateway.state, CONNECTIONS - HALF_BODIES, None))
        time.sleep(SECONDS)


def _send_half_a_body(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return the connection; whose handshake nobody answers has found all threads occupied, and waits for one."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=HANDSHAKE_SECONDS)
    connection = context.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
    with suppress(TimeoutError):
        connection.do_handshake()
        connection.sendall(STALLS["half a body"])
    return connection


def _allow_descriptors() -> None:
    """A connection is a descriptor here and another in HAProxy, which inherits our limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * CONNECTIONS + 2_000), hard))
