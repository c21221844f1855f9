"""Messages to a gateway behind HAProxy, sent over HTTP as a client would, and what comes back."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from lxml import etree

from fixtures.messages import envelope, moment, sign
from fixtures.personas import load_personas
from gateway.pki import load_identity
from tests.e2e.conftest import PATIENCE
from tests.interop.conftest import Proxy

PATH = "/SelfEmployedService/v2/consult"
SSIN = next(persona.ssin for persona in load_personas() if persona.name == "main-occupation")
XML = {"Content-Type": "text/xml; charset=utf-8"}
LARGEST = 256 * 1024
ACCOUNT = "<sector>21</sector><institution>0</institution>", "SIGEDIS:CAREER_ACCOUNT"
PCSA = "<cbeNumber>0999900150</cbeNumber>", "PCSA:SOCIAL_INQUIRY"


def message(organisation: str, legal_context: str) -> bytes:
    return envelope(
        '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2">'
        f"<informationCustomer><customerIdentification>{organisation}</customerIdentification></informationCustomer>"
        f"<legalContext>{legal_context}</legalContext><criteria><ssin>{SSIN}</ssin></criteria>"
        "</v2:consultCareerRequest>"
    )


def padded(size: int) -> bytes:
    """Return a message that the gateway answers, of this many bytes; comments after it say nothing."""
    content = message(*ACCOUNT)
    count, rest = divmod(size - len(content), 16_000)
    return content + (b"<!--" + b"x" * 15_993 + b"-->") * count + b" " * rest


def signed(state: Path) -> bytes:
    return sign(message(*PCSA), load_identity(state / "pki" / "clients" / "pcsa"), moment())


def tls(state: Path, client: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(state / "pki" / "ca.pem"))
    if client:
        clients = state / "pki" / "clients"
        context.load_cert_chain(clients / f"{client}.pem", clients / f"{client}.key")
    return context


def connected(proxy: Proxy, client: str | None = None) -> closing[http.client.HTTPSConnection]:
    context = tls(proxy.gateway.state, client)
    return closing(http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=PATIENCE, context=context))


@contextmanager
def secured(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Iterator[ssl.SSLSocket]:
    """A TLS connection to HAProxy, for those who say what no HTTP library says."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as connection,
    ):
        connection.do_handshake()  # Was left out, without a word, if the connection was closed by then.
        yield connection


def post(
    proxy: Proxy, content: bytes, client: str | None = None, headers: Mapping[str, str] = XML
) -> tuple[int, bytes]:
    with connected(proxy, client) as connection:
        connection.request("POST", PATH, content, {**XML, **headers})
        reply = connection.getresponse()
        return reply.status, reply.read()


def code_of(reply: tuple[int, bytes]) -> str:
    """Return the status code of a reply, or the code of a fault."""
    tree = etree.fromstring(reply[1])
    return tree.findtext(".//status/code") or str(tree.findtext(".//faultstring")).partition(": ")[0]


def head(length: int | None, *more: str) -> bytes:
    """Return the head of a request; of a chunked one when no length is known."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = (f"POST {PATH} HTTP/1.1", "Host: gateway", "Content-Type: text/xml; charset=utf-8", framing, *more)
    return "\r\n".join((*lines, "", "")).encode()
