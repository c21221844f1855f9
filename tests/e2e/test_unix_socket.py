"""Behind a proxy on the same machine, the gateway can listen where nobody else can reach it."""

import base64
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from fixtures.messages import envelope
from gateway.pki import load_identity
from tests.e2e.conftest import PATIENCE, run_command, serving
from tests.e2e.test_serving import SELF_EMPLOYED, career_request


class UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def test_a_proxy_on_the_same_machine_may_come_by_a_unix_socket(state: Path, tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    certificate = load_identity(state / "pki" / "clients" / "career-account").certificate
    message = envelope(
        career_request(legal_context="SIGEDIS:CAREER_ACCOUNT").replace(
            "<cbeNumber>0999900150</cbeNumber>", "<sector>21</sector><institution>0</institution>"
        )
    )
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "X-Client-Cert": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),
    }
    with serving(state, "--no-tls", "--bind", f"unix:{path}", KSZ_TRUSTED_PROXIES='["local"]'):
        with closing(UnixConnection(path)) as connection:
            connection.request("POST", SELF_EMPLOYED, message, headers)
            reply = etree.fromstring(connection.getresponse().read())
        second = run_command("serve", "--state", state, "--no-tls", "--bind", f"unix:{path}")
    assert reply.findtext(".//status/code") == "MSG00000"
    assert second.returncode == 1
    assert f"unix:{path} is in use" in second.stderr
