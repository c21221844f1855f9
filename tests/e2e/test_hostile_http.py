"""What no HTTP library sends: bytes on a socket that are no request, half a request, or two requests in one.

The `gateway` fixture looks at the end into the log, which must hold no traceback.
"""

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

import pytest
from lxml import etree

from fixtures.messages import envelope, moment, sign
from fixtures.personas import load_personas
from gateway.pki import create_authority, load_identity
from tests.e2e.conftest import PATIENCE, RunningGateway, wait_until

PATH = "/SelfEmployedService/v2/consult"
SSIN = next(persona.ssin for persona in load_personas() if persona.name == "main-occupation")
# How long to listen where the gateway rightly waits for more and no answer need come.
SHORTLY = 3.0
XML = "Content-Type: text/xml; charset=utf-8\r\n"


def signed_request(gateway: RunningGateway) -> bytes:
    body = (
        '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2"><informationCustomer>'
        "<customerIdentification><cbeNumber>0999900150</cbeNumber></customerIdentification></informationCustomer>"
        f"<legalContext>PCSA:SOCIAL_INQUIRY</legalContext><criteria><ssin>{SSIN}</ssin></criteria>"
        "</v2:consultCareerRequest>"
    )
    return sign(envelope(body), load_identity(gateway.state / "pki" / "clients" / "pcsa"), moment())


@contextmanager
def connected(gateway: RunningGateway) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=gateway.authority)
    host, _, port = gateway.url.removeprefix("https://").partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        yield secure


def converse(gateway: RunningGateway, sent: bytes, patience: float = SHORTLY) -> bytes:
    """Send bytes, and read until the gateway closes or says no more."""
    received = b""
    with connected(gateway) as connection:
        connection.settimeout(patience)
        try:
            connection.sendall(sent)
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass  # Closing at once is as good an answer as a status line.
    return received


def assert_still_serves(gateway: RunningGateway) -> None:
    reply = gateway.post(PATH, signed_request(gateway))
    assert etree.fromstring(reply.content).findtext(".//status/code") == "MSG00000"


def head(line: str = f"POST {PATH} HTTP/1.1", headers: str = "", end: str = "\r\n") -> bytes:
    return f"{line}\r\nHost: a\r\nConnection: close\r\n{XML}{headers}{end}".encode("latin-1")


def chunked(body: bytes) -> bytes:
    return head(headers="Transfer-Encoding: chunked\r\n") + body


SMUGGLED = b"GET /errors HTTP/1.1\r\nHost: a\r\n\r\n"

# None of these is a request: the answer is a refusal by HTTP, or none.
REFUSED: dict[str, bytes] = {
    "no request line": b"\r\n\r\n\r\n\r\n",
    "one word": b"POST\r\n\r\n",
    "words": b"this is no request at all\r\n\r\n",
    "binary": bytes(range(256)) * 20 + b"\r\n\r\n",
    "unknown version": head(f"POST {PATH} HTTP/9.9"),
    "HTTP/0.9": f"GET {PATH}\r\n".encode() + b"\r\n",
    "line of 100,000 bytes": head(f"GET /{'a' * 100_000} HTTP/1.1"),
    "header of 100,000 bytes": head(headers=f"X-A: {'a' * 100_000}\r\n"),
    "500 headers": head(headers="".join(f"X-{number}: a\r\n" for number in range(500))),
    "header with NUL": head(headers="X-A: a\0b\r\n"),
    "header name with NUL": head(headers="X\0A: b\r\n"),
    "header without colon": head(headers="Content-Length 5\r\n"),
    "header name with space": head(headers="Content-Length : 5\r\n") + b"hello",
    "folded header": head(headers="X-A: a\r\n b\r\n"),
    "negative Content-Length": head(headers="Content-Length: -5\r\n") + b"hello",
    "Content-Length of words": head(headers="Content-Length: five\r\n") + b"hello",
    "Content-Length with plus": head(headers="Content-Length: +5\r\n") + b"hello",
    "Content-Length with underscore": head(headers="Content-Length: 1_0\r\n") + b"hello",
    "two Content-Lengths": head(headers="Content-Length: 5\r\nContent-Length: 50\r\n") + b"hello" + SMUGGLED,
    "Content-Length and chunks": head(headers="Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")
    + b"0\r\n\r\n"
    + SMUGGLED,
    "chunks twice": head(headers="Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")
    + b"0\r\n\r\n"
    + SMUGGLED,
    "chunks and not": head(headers="Transfer-Encoding: chunked, identity\r\n") + b"0\r\n\r\n" + SMUGGLED,
    "unknown transfer": head(headers="Transfer-Encoding: xchunked\r\n") + b"0\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused_by_http(gateway: RunningGateway, name: str) -> None:
    received = converse(gateway, REFUSED[name])
    assert received == b"" or received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    assert b"HTTP/1.1 200" not in received
    assert_still_serves(gateway)


CHUNKS = {
    "size of no number": b"zz\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "size with underscore": b"1_0\r\nhello\r\n0\r\n\r\n",
    "size with prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "enormous size": b"f" * 16 + b"\r\nhello\r\n",
    "size of 10,000 digits": b"1" * 10_000 + b"\r\nhello\r\n",
    "longer than its size": b"2\r\nhello\r\n0\r\n\r\n",
    "without end of line": b"5\r\nhello0\r\n\r\n",
    "no end": b"5\r\nhello\r\n",
    "trailers without end": b"0\r\n" + b"X-A: a\r\n" * 2_000,
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_that_are_none_get_no_answer_to_their_content(gateway: RunningGateway, name: str) -> None:
    received = converse(gateway, chunked(CHUNKS[name]))
    assert not received.startswith(b"HTTP/1.1 200")
    assert received.count(b"HTTP/1.1 ") <= 1
    assert_still_serves(gateway)


def test_a_message_in_chunks_is_a_message(gateway: RunningGateway) -> None:
    """Otherwise the tests above would prove nothing about chunks."""
    message = signed_request(gateway)
    pieces = [message[:1000], message[1000:]]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    assert b"MSG00000" in converse(gateway, chunked(body), PATIENCE)


def test_chunks_beyond_the_limit_are_not_read(gateway: RunningGateway) -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    received = converse(gateway, chunked(piece * 8 + b"0\r\n\r\n"))
    assert received == b"" or b"GTW00012" in received
    assert_still_serves(gateway)


def test_a_second_request_in_the_first_ones_body_is_not_answered(gateway: RunningGateway) -> None:
    """Whoever reads the declared length sees one request; so must everybody."""
    message = signed_request(gateway)
    sent = head(headers=f"Content-Length: {len(message)}\r\n") + message + SMUGGLED
    received = converse(gateway, sent, PATIENCE)
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"MSG00000" in received


def _close_after(gateway: RunningGateway, sent: bytes, reset: bool = False) -> None:
    with connected(gateway) as connection:
        connection.sendall(sent)
        if reset:
            linger_not = b"\1\0\0\0\0\0\0\0"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)


LEFT_OFF: dict[str, Callable[[bytes], bytes]] = {
    "before anything": lambda message: b"",
    "in the request line": lambda message: b"POST /Self",
    "in the headers": lambda message: head(headers="Content-Length: 5\r\n", end=""),
    "before the body": lambda message: head(headers=f"Content-Length: {len(message)}\r\n"),
    "in the body": lambda message: head(headers=f"Content-Length: {len(message)}\r\n") + message[:1500],
    "before the last byte": lambda message: head(headers=f"Content-Length: {len(message)}\r\n") + message[:-1],
    "before the answer": lambda message: head(headers=f"Content-Length: {len(message)}\r\n") + message,
    "in a chunk": lambda message: chunked(b"ffff\r\n" + message[:1500]),
}


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("name", LEFT_OFF)
def test_a_caller_who_leaves_early_harms_nobody(gateway: RunningGateway, name: str, reset: bool) -> None:
    for _ in range(20):
        _close_after(gateway, LEFT_OFF[name](signed_request(gateway)), reset)
    assert_still_serves(gateway)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        bytes(1000),
        b"\x16\x03\x01\xff\xff" + os.urandom(2000),
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
        b"\x80\x2e\x01\x00\x02" + bytes(50),
    ],
    ids=["nothing", "plain HTTP", "zeros", "a record of noise", "half a greeting", "SSL 2"],
)
def test_what_is_no_tls_harms_nobody(gateway: RunningGateway, sent: bytes) -> None:
    host, _, port = gateway.url.removeprefix("https://").partition(":")
    for _ in range(10):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as plain:
            plain.settimeout(0.2)
            # It answers, waits for the rest of the greeting, or has hung up.
            with suppress(TimeoutError, ConnectionError):
                plain.sendall(sent)
                assert b"HTTP/1.1 200" not in plain.recv(4096)
    assert_still_serves(gateway)


def test_a_certificate_that_nobody_certified_is_not_let_in(gateway: RunningGateway) -> None:
    """TLS itself refuses it: the authority is not one that the gateway trusts."""
    stranger = create_authority(datetime.now(UTC), "stranger")
    file = gateway.state / "stranger.pem"
    file.write_bytes(stranger.key_pem + stranger.certificate_pem)
    context = ssl.create_default_context(cafile=gateway.authority)
    context.load_cert_chain(file)
    host, _, port = gateway.url.removeprefix("https://").partition(":")
    received = b""
    with (
        suppress(ssl.SSLError, ConnectionError),
        socket.create_connection((host, int(port)), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = secure.recv(4096)
    assert received == b""
    assert_still_serves(gateway)


def test_slow_headers_of_some_do_not_stop_the_others(gateway: RunningGateway) -> None:
    """Fewer than a worker has threads: production stands behind a proxy that waits for whole requests.

    It may be one worker that takes all of them, and then takes the others' requests too.
    """
    with ExitStack() as held:
        for _ in range(7):
            connection = held.enter_context(connected(gateway))
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a")
        # While they are held: the gateway gives none of them up before.
        assert_still_serves(gateway)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_nothing_of_all_this_is_logged_with_its_content(gateway: RunningGateway) -> None:
    for sent in (
        head(f"POST /{SSIN} HTTP/1.1", f"X-A: {SSIN}\0\r\n"),
        head(headers=f"X-{SSIN}\0: a\r\n"),
        head(headers=f"Content-Length: {SSIN}x\r\n"),
        head(headers=f"Transfer-Encoding: {SSIN}\r\n"),
        f"ssin{SSIN} / HTTP/1.1\r\n\r\n".encode(),
        f"GET {SSIN}\r\n\r\n".encode(),
        f"GET / HTTP/{SSIN}\r\n\r\n".encode(),
        chunked(f"<ssin>{SSIN}</ssin>\r\n".encode()),
        chunked(f"2\r\n{SSIN}\r\n".encode()),
        chunked(f"2\r\n\"'{SSIN}\r\n".encode()),
    ):
        converse(gateway, sent)
    assert_still_serves(gateway)
    wait_until(lambda: "Invalid chunk size" in gateway.log.read_text())
    written = gateway.log.read_text()
    assert SSIN not in written
    assert "Traceback" not in written
