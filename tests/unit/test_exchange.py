"""One exchange with an address: the deadline, the size, and that it goes nowhere else. The other side is a socket."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from gateway.pki import KeyKind, create_authority, create_key, issue
from gateway.sources.exchange import Exchange, open_endpoint
from gateway.sources.guard import Guard, GuardPolicy
from gateway.sources.trouble import BadAnswer, BrokenOff, Late, NotReached, NotServed, Trouble

# How long a busy machine may need for what is at once otherwise.
PATIENCE = 30.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
Behave = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Behave) -> Iterator[int]:
    """Give the port at which each connection is served so, one after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextmanager
def answering(behave: Behave) -> Iterator[str]:
    """Give the address of who behaves so to each that has sent something."""

    def serve(connection: socket.socket) -> None:
        # All of it: who closes a connection with something unread resets it.
        asked = b""
        while not asked.endswith(b"<question/>") and (part := connection.recv(65536)):
            asked += part
        behave(connection)

    with serving(serve) as port:
        yield f"http://127.0.0.1:{port}/service"


def post(address: str, seconds: float = PATIENCE, most_bytes: int = 1000, authority: Path | None = None) -> bytes:
    guard = Guard("source", GuardPolicy(deadline_seconds=seconds))
    until = guard.begin()
    exchange = Exchange(open_endpoint(address, authority), most_bytes, lambda: guard.left(until))
    try:
        return guard.call(lambda: exchange.post(b"<question/>", "urn:ask"), until, exchange.abort)
    finally:
        guard.close()


def sending(*parts: bytes) -> Behave:
    def behave(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


def test_an_answer_comes_back() -> None:
    with answering(sending(HEAD + b"Content-Length: 4\r\n\r\n<a/>")) as address:
        assert post(address) == b"<a/>"


@pytest.mark.parametrize(
    ("sent", "trouble"),
    [
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", NotServed),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<a/>", BadAnswer),
        (HEAD + b"Content-Length: 2000\r\n\r\n" + b"a" * 2000, BadAnswer),
        (HEAD + b"\r\n" + b"a" * 2000, BadAnswer),
        (HEAD + b"Content-Length: 10\r\n\r\n<a/>", BrokenOff),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\n<a/>", BrokenOff),
        (HEAD + b"Content-Length: minus\r\n\r\n", None),
        (b"no HTTP at all\r\n\r\n", BrokenOff),
        (b"", BrokenOff),
        (b"".join(b"X-%d: a\r\n" % number for number in range(200)).join([HEAD, b"\r\n"]), BrokenOff),
    ],
    ids=["503", "html", "large", "large unsaid", "short", "short chunk", "length", "no http", "nothing", "headers"],
)
def test_each_bad_answer_has_its_word(sent: bytes, trouble: type[Trouble] | None) -> None:
    with answering(sending(sent)) as address:
        if trouble is None:
            assert post(address) == b""
        else:
            with pytest.raises(trouble):
                post(address)


def test_nobody_there_is_not_reached() -> None:
    with answering(sending(b"")) as address:
        pass
    with pytest.raises(NotReached):
        post(address)


def test_a_redirect_is_not_followed() -> None:
    asked: list[bytes] = []

    def elsewhere(connection: socket.socket) -> None:
        asked.append(b"asked")

    with answering(elsewhere) as other:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n".encode()
        with answering(sending(moved)) as address, pytest.raises(NotServed):
            post(address)
    assert asked == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with answering(sending(HEAD + b"Content-Length: 4\r\n\r\n<a/>")) as address:
        assert post(address) == b"<a/>"


def forever(*, before: bytes, again: bytes, pause: float = 0.02) -> Behave:
    def behave(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(again)
            time.sleep(pause)

    return behave


DRIPPING = pytest.mark.parametrize(
    "behave",
    [
        forever(before=b"", again=b""),
        forever(before=b"", again=b"H"),
        forever(before=b"HTTP/1.1 200 OK\r\n", again=b"a"),
        forever(before=b"", again=b"HTTP/1.1 100 Continue\r\n\r\n"),
        forever(before=HEAD + b"\r\n", again=b"a"),
        forever(before=HEAD + b"Transfer-Encoding: chunked\r\n\r\n", again=b"1\r\na\r\n"),
    ],
    ids=["nothing", "status", "headers", "continue", "body", "chunks"],
)


@DRIPPING
def test_whatever_a_source_drips_the_deadline_holds(behave: Behave) -> None:
    with answering(behave) as address:
        started = time.monotonic()
        with pytest.raises((Late, BrokenOff)):
            post(address, seconds=0.3, most_bytes=1_000_000)
        # Whoever waited for the source would wait forever.
        assert time.monotonic() - started < PATIENCE


@DRIPPING
def test_whatever_an_address_drips_whoever_looks_at_it_is_let_go(behave: Behave) -> None:
    with answering(behave) as address:
        started = time.monotonic()
        with pytest.raises((Late, BrokenOff)):
            Exchange(open_endpoint(address, None), 1_000_000, lambda: 0.3 - (time.monotonic() - started)).look()
        assert time.monotonic() - started < PATIENCE


def test_who_is_let_go_leaves_no_thread_behind() -> None:
    with answering(forever(before=b"", again=b"HTTP/1.1 100 Continue\r\n\r\n")) as address:
        guard = Guard("left-behind", GuardPolicy(deadline_seconds=0.2))
        until = guard.begin()
        exchange = Exchange(open_endpoint(address, None), 1000, lambda: guard.left(until))
        with pytest.raises((Late, BrokenOff)):
            guard.call(lambda: exchange.post(b"<question/>", "urn:ask"), until, exchange.abort)
        deadline = time.monotonic() + PATIENCE
        while guard.in_flight:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        guard.close()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    now = datetime.now(UTC)
    authority = create_authority(now)
    own = issue(
        authority, "source", 1, now, key=create_key(KeyKind.EC), names=[x509.IPAddress(ip_address("127.0.0.1"))]
    )
    for name, content in (
        ("own.pem", own.certificate_pem),
        ("own.key", own.key_pem),
        ("ca.pem", authority.certificate_pem),
    ):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "own.key")
    return context, tmp_path / "ca.pem"


def test_over_tls_the_certificate_must_come_from_the_authority_that_is_configured(
    tls: tuple[ssl.SSLContext, Path], tmp_path: Path
) -> None:
    context, authority = tls
    other = tmp_path / "other.pem"
    other.write_bytes(create_authority(datetime.now(UTC)).certificate_pem)
    with _over_tls(context) as address:
        assert post(address, authority=authority) == b"<a/>"
        with pytest.raises(NotReached):
            post(address, authority=other)
        with pytest.raises(NotReached):
            post(address)


@contextmanager
def _over_tls(context: ssl.SSLContext) -> Iterator[str]:
    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            while not secure.recv(65536).endswith(b"<question/>"):
                continue
            secure.sendall(HEAD + b"Content-Length: 4\r\n\r\n<a/>")

    with serving(serve) as port:
        yield f"https://127.0.0.1:{port}/service"
