"""What deploy/haproxy.cfg promises: who may say whose certificate it was, what reaches a node, and what clients get."""

import base64
import contextlib
import http.client
import re
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.pki import create_authority, issue, load_identity
from tests.e2e.conftest import PATIENCE, free_port, wait_until
from tests.interop.conftest import Proxy, proxying
from tests.interop.exchange import (
    ACCOUNT,
    LARGEST,
    PATH,
    SSIN,
    XML,
    code_of,
    connected,
    head,
    message,
    padded,
    post,
    secured,
    signed,
    tls,
)

# Much less than what the timeouts that are not named here would take, and much more than the one that is.
IN_TIME = 20
UNPROVED = "wsse:SecurityTokenUnavailable"


def certificate_of(state: Path, client: str) -> str:
    der = load_identity(state / "pki" / "clients" / client).certificate.public_bytes(Encoding.DER)
    return base64.b64encode(der).decode()


def test_a_client_certificate_is_handed_over(proxy: Proxy) -> None:
    assert code_of(post(proxy, message(*ACCOUNT), "career-account")) == "MSG00000"


def test_a_signed_message_needs_no_client_certificate(proxy: Proxy) -> None:
    assert code_of(post(proxy, signed(proxy.gateway.state))) == "MSG00000"


@pytest.mark.parametrize("name", ["X-Client-Cert", "x-client-CERT", "X_Client_Cert", "X-Client_Cert"])
def test_a_header_that_a_client_sends_is_ignored(proxy: Proxy, name: str) -> None:
    forged = {name: certificate_of(proxy.gateway.state, "career-account")}
    assert code_of(post(proxy, message(*ACCOUNT), headers=forged)) == UNPROVED


@pytest.mark.parametrize("name", ["X-Client-Cert", "X_Client_Cert"])
def test_a_header_does_not_replace_the_certificate_of_the_connection(proxy: Proxy, name: str) -> None:
    forged = {name: certificate_of(proxy.gateway.state, "career-account")}
    reply = post(proxy, message(*ACCOUNT), "pcsa", forged)
    assert code_of(reply) == "wsse:FailedAuthentication"
    assert b"x509Token" in reply[1]  # It was judged as pcsa, whose annex asks for signed messages.


def test_a_header_sent_to_a_node_past_the_proxy_is_ignored(proxy: Proxy) -> None:
    headers = XML | {"X-Client-Cert": certificate_of(proxy.gateway.state, "career-account")}
    answers = {}
    for address in ("127.0.0.1", "127.0.0.3"):
        host, port = proxy.gateway.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE, source_address=(address, 0))
        with contextlib.closing(connection) as node:
            node.request("POST", PATH, message(*ACCOUNT), headers)
            reply = node.getresponse()
            answers[address] = code_of((reply.status, reply.read()))
    assert set(answers.values()) == {UNPROVED}


def test_an_address_that_a_client_claims_is_not_recorded(proxy: Proxy) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.9", "X_Forwarded_For": "203.0.113.9"}
    assert code_of(post(proxy, message(*ACCOUNT), headers=claimed)) == UNPROVED
    with contextlib.closing(sqlite3.connect(proxy.gateway.state / "ksz.db")) as database:
        sources = {row[0] for row in database.execute("SELECT source FROM stranger_refusals")}
    assert sources <= {"127.0.0.1", "127.0.0.3"}
    assert "127.0.0.1" in sources


def test_a_resumed_tls_session_keeps_its_certificate(proxy: Proxy) -> None:
    context = tls(proxy.gateway.state, "career-account")
    session, resumed, codes = None, [], []
    for _ in range(3):
        with secured(proxy.port, context, session) as connection:
            resumed.append(connection.session_reused)
            content = message(*ACCOUNT)
            connection.sendall(head(len(content), "Connection: close") + content)
            answer = connection.makefile("rb").read()
            session = connection.session
        codes.append(code_of((200, answer.partition(b"\r\n\r\n")[2])))
    assert resumed == [False, True, True]
    assert codes == ["MSG00000"] * 3


def test_the_wsdl_is_read_without_a_certificate_and_names_the_proxy(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        connection.request("GET", f"{PATH}?wsdl")
        reply = connection.getresponse()
        wsdl = reply.read().decode()
        assert reply.status == 200
        assert re.findall(r'location="(https://[^"]+)"', wsdl) == [f"{proxy.url}{PATH}"]
        connection.request("GET", "/xsd/CommonV3.xsd")
        schema = connection.getresponse()
        schema.read()
        assert schema.status == 200


def test_a_certificate_of_another_authority_does_not_connect(proxy: Proxy, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    stranger = issue(create_authority(now, "Another authority"), "career-account", 1003, now)
    (tmp_path / "stranger.pem").write_bytes(stranger.certificate_pem + stranger.key_pem)
    context = tls(proxy.gateway.state)
    context.load_cert_chain(tmp_path / "stranger.pem")
    with contextlib.closing(
        http.client.HTTPSConnection("127.0.0.1", proxy.port, context=context, timeout=PATIENCE)
    ) as connection:
        # In TLS 1.3 the client hears of the refusal when it reads, or when it writes once more.
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            connection.request("POST", PATH, message(*ACCOUNT), XML)
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            connection.getresponse()


def test_the_largest_message_passes_and_a_larger_one_does_not(proxy: Proxy) -> None:
    padding = {f"X-Padding-{n}": "x" * 1500 for n in range(9)}
    assert code_of(post(proxy, padded(LARGEST), "career-account", padding)) == "MSG00000"
    larger = post(proxy, padded(LARGEST + 1), "career-account")
    assert (larger[0], code_of(larger)) == (413, "GTW00012")


def test_a_chunked_message_passes_unless_it_is_too_large(proxy: Proxy) -> None:
    def chunked(content: bytes) -> tuple[int, bytes]:
        pieces: Iterator[bytes] = (content[at : at + 4000] for at in range(0, len(content), 4000))
        with connected(proxy, "career-account") as connection:
            connection.request("POST", PATH, pieces, XML, encode_chunked=True)
            reply = connection.getresponse()
            return reply.status, reply.read()

    assert code_of(chunked(padded(LARGEST))) == "MSG00000"
    refused = chunked(padded(LARGEST + 1))
    assert (refused[0], code_of(refused)) == (413, "GTW00012")


def test_a_client_that_waits_for_100_continue_gets_it(proxy: Proxy) -> None:
    content = message(*ACCOUNT)
    with secured(proxy.port, tls(proxy.gateway.state, "career-account")) as connection:
        connection.sendall(head(len(content), "Expect: 100-continue", "Connection: close"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(content)
        answer = connection.makefile("rb").read()
    assert b"<code>MSG00000</code>" in answer


def test_without_a_node_clients_get_a_fault_that_they_can_read(proxy: Proxy) -> None:
    nobody, port = f"127.0.0.1:{free_port()}", free_port()
    without = replace(proxy.gateway, url=f"http://{nobody}", management_url=f"http://{nobody}")
    with proxying(without, port) as alone:
        reply = post(alone, message(*ACCOUNT), "career-account")
    assert (reply[0], code_of(reply)) == (503, "MSG00001")


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST / HTTP/1.1\r\nHost: ga", head(5000) + b"<soap", head(None) + b"5\r\n<soap\r\n"],
    ids=["nothing", "half a head", "half a body", "half a chunked body"],
)
def test_who_stalls_is_cut_off_in_time(proxy: Proxy, sent: bytes) -> None:
    with proxying(proxy.gateway, free_port(), PROXY_REQUEST_TIMEOUT="1s") as impatient:
        started = time.monotonic()
        with secured(impatient.port, tls(proxy.gateway.state)) as connection:
            connection.sendall(sent)
            answer = connection.recv(1000)
            waited = time.monotonic() - started
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert 0.5 < waited < IN_TIME


def test_who_never_says_anything_is_cut_off_in_time(proxy: Proxy) -> None:
    with (
        proxying(proxy.gateway, free_port(), PROXY_REQUEST_TIMEOUT="1s") as impatient,
        socket.create_connection(("127.0.0.1", impatient.port), timeout=PATIENCE) as plain,
    ):
        started = time.monotonic()
        assert plain.recv(100) == b""
        assert time.monotonic() - started < IN_TIME


def test_who_drips_is_cut_off_in_time(proxy: Proxy) -> None:
    def drip(connection: ssl.SSLSocket) -> None:
        deadline = time.monotonic() + IN_TIME
        while time.monotonic() < deadline:
            connection.sendall(b" ")
            time.sleep(0.1)

    with (
        proxying(proxy.gateway, free_port(), PROXY_REQUEST_TIMEOUT="1s") as impatient,
        secured(impatient.port, tls(proxy.gateway.state)) as connection,
    ):
        connection.sendall(head(5000))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            drip(connection)


def test_one_address_does_not_take_all_connections(proxy: Proxy) -> None:
    settings = {"PROXY_MAXCONN_PER_SOURCE": "5", "PROXY_REQUEST_TIMEOUT": "300s"}
    with proxying(proxy.gateway, free_port(), **settings) as narrow, contextlib.ExitStack() as opened:
        held: list[ssl.SSLSocket] = []

        def hold_five() -> bool:
            # The connection that found HAProxy ready may count still.
            with contextlib.suppress(OSError):
                held.append(opened.enter_context(secured(narrow.port, tls(proxy.gateway.state))))
            return len(held) == 5

        wait_until(hold_five)
        assert _is_turned_away(narrow)
        held[0].close()
        wait_until(lambda: not _is_turned_away(narrow))


def _is_turned_away(proxy: Proxy) -> bool:
    """Tell whether HAProxy closes a new connection, however that shows; on one that it lets in, we are answered."""
    try:
        reply = post(proxy, signed(proxy.gateway.state))
    except OSError:
        return True
    assert code_of(reply) == "MSG00000"
    return False


def test_the_log_tells_who_and_how_long_and_nothing_about_anybody(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        connection.request("GET", f"{PATH}?ssin={SSIN}")
        connection.getresponse().read()
    wait_until(lambda: f"GET {PATH}\n" in proxy.log.read_text())
    assert SSIN not in proxy.log.read_text()


def test_an_address_over_its_rate_is_told_what_a_node_would_tell(proxy: Proxy) -> None:
    with proxying(proxy.gateway, free_port(), PROXY_RATE_PER_SOURCE="10") as narrow:
        replies = [post(narrow, b"<a/>") for _ in range(12)]
    assert [status for status, _ in replies].count(429) == 2
    assert code_of(replies[-1]) == "GTW00005"
