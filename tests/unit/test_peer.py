"""The peer's address and certificate come from the connection, and from headers only if a trusted proxy sent them."""

import base64
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.demo_pki import DemoClient, prepare_pki
from gateway.peer import Peer, PeerFinder
from gateway.pki import load_identity

PROXY = "10.0.0.1"
DER = b"\x30\x03\x02\x01\x01"
HEADER = base64.b64encode(DER).decode()
FINDER = PeerFinder(frozenset({PROXY}), "X-Client-Cert")


def test_a_trusted_proxy_hands_over_address_and_certificate() -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_CLIENT_CERT": HEADER}
    assert FINDER.find(environ) == Peer("192.0.2.1", DER)


def test_the_same_headers_from_anywhere_else_are_as_if_not_there() -> None:
    environ = {"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": PROXY, "HTTP_X_CLIENT_CERT": HEADER}
    assert FINDER.find(environ) == Peer("192.0.2.9", None)


def test_without_trusted_proxies_no_header_is_believed() -> None:
    finder = PeerFinder(frozenset(), "X-Client-Cert")
    assert finder.find({"REMOTE_ADDR": PROXY, "HTTP_X_CLIENT_CERT": HEADER}) == Peer(PROXY, None)


def test_of_several_forwarded_addresses_the_proxys_own_counts() -> None:
    """The ones before it were sent by the client, who may write what it likes."""
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": f"{PROXY}, 203.0.113.5 , 192.0.2.1"}
    assert FINDER.find(environ).address == "192.0.2.1"


@pytest.mark.parametrize("forwarded", ["", " ", "192.0.2.1,"])
def test_without_a_forwarded_address_the_proxys_own_is_taken(forwarded: str) -> None:
    assert FINDER.find({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": forwarded}).address == PROXY


def test_a_forwarded_text_is_kept_short() -> None:
    assert len(FINDER.find({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "x" * 9999}).address) == 45


@pytest.mark.parametrize("value", ["", "no base64!", "é", "\u20ac", "QUJ", "==", HEADER[:-1] + "\n"])
def test_a_header_that_is_no_base64_is_no_certificate(value: str) -> None:
    assert FINDER.find({"REMOTE_ADDR": PROXY, "HTTP_X_CLIENT_CERT": value}).certificate is None


def test_the_name_of_the_header_is_configured() -> None:
    finder = PeerFinder(frozenset({PROXY}), "SSL-Client-DER")
    assert finder.find({"REMOTE_ADDR": PROXY, "HTTP_SSL_CLIENT_DER": HEADER}).certificate == DER
    assert finder.find({"REMOTE_ADDR": PROXY, "HTTP_X_CLIENT_CERT": HEADER}).certificate is None


def test_a_local_socket_has_an_address_too() -> None:
    assert FINDER.find({"REMOTE_ADDR": ""}) == Peer("local", None)
    assert PeerFinder(frozenset({"local"}), "X-Client-Cert").find({"HTTP_X_CLIENT_CERT": HEADER}).certificate == DER


def test_without_tls_a_connection_has_no_certificate() -> None:
    plain, other = socket.socketpair()
    with plain, other:
        assert FINDER.find({"REMOTE_ADDR": "192.0.2.1", "gunicorn.socket": plain}).certificate is None


def test_the_certificate_of_the_tls_connection_is_found(tmp_path: Path) -> None:
    prepare_pki(tmp_path, [DemoClient("bank", 7)], datetime.now(UTC))
    pki = tmp_path / "pki"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki / "gateway.pem", pki / "gateway.key")
    server.load_verify_locations(pki / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(pki / "ca.pem"))
    client.load_cert_chain(pki / "clients" / "bank.pem", pki / "clients" / "bank.key")
    near, far = socket.socketpair()

    def connect() -> None:
        with client.wrap_socket(far, server_hostname="localhost") as connection:
            connection.recv(1)

    thread = Thread(target=connect)
    thread.start()
    with server.wrap_socket(near, server_side=True) as accepted:
        environ = {"REMOTE_ADDR": "192.0.2.1", "gunicorn.socket": accepted, "HTTP_X_CLIENT_CERT": HEADER}
        found = FINDER.find(environ)
        accepted.send(b"x")
        thread.join()
    assert found.certificate == load_identity(pki / "clients" / "bank").certificate.public_bytes(Encoding.DER)
