"""One message to one address and what comes back, within a deadline and a size.

Each exchange has a connection of its own, so that nothing of one answer can be taken for that of another. It follows
no redirect, asks no proxy and reads no environment: it goes to the configured address or nowhere.
"""

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

from gateway.sources.trouble import BadAnswer, BrokenOff, Late, NotReached, NotServed

_CHUNK = 64 * 1024
_SOAP_STATUS = (200, 500)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a source is reached; `tls` is None for http, which settings allow for sources on this machine alone."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        return http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=self.tls)


def open_endpoint(address: str, authority: Path | None) -> Endpoint:
    """Return the endpoint of an http or https URL; OSError when the TLS authorities cannot be read."""
    url = urlsplit(address)
    tls = None
    if url.scheme == "https":
        tls = ssl.create_default_context(cafile=str(authority) if authority else None)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    return Endpoint(url.hostname or "", url.port or (443 if tls else 80), path, tls)


class Exchange:
    """Sends one message; `abort` may be called by another thread at any time."""

    def __init__(self, endpoint: Endpoint, most_bytes: int, left: Callable[[], float]) -> None:
        """`left` tells the seconds until the deadline."""
        self._endpoint = endpoint
        self._most_bytes = most_bytes
        self._left = left
        self._socket: socket.socket | None = None

    def post(self, message: bytes, soap_action: str) -> bytes:
        """Return the octets of the answer; NotReached, BrokenOff, Late, NotServed or BadAnswer."""
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{soap_action}"', "Connection": "close"}
        return self._request("POST", self._endpoint.path, message, headers, _SOAP_STATUS, "/xml")

    def ask(self, question: bytes, content_type: str) -> bytes:
        """Return the octets of the answer to what is no SOAP message; raises as `post` does."""
        headers = {"Content-Type": content_type, "Connection": "close"}
        return self._request("POST", self._endpoint.path, question, headers, (200,), "")

    def look(self) -> None:
        """Ask for the source's WSDL, which is about nobody: return if it answers, by the deadline at the latest."""
        # Nobody else waits for it, and an answer that drips would never be late: each octet takes its time anew.
        deadline = Timer(self._seconds(), self.abort)
        deadline.daemon = True
        deadline.start()
        try:
            self._request("GET", f"{self._endpoint.path}?wsdl", None, {"Connection": "close"}, (200,), "/xml")
        finally:
            deadline.cancel()

    def abort(self) -> None:
        """End the connection: whoever reads from it sees its end."""
        opened = self._socket
        if opened is not None:
            try:
                # Not SSLSocket's own, which changes the object under the thread that reads from it.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)
            except OSError:
                return  # It has ended already.

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], expected: tuple[int, ...], kind: str
    ) -> bytes:
        connection = self._endpoint.connect(self._seconds())
        try:
            self._open(connection)
            return self._converse(connection, method, path, body, headers, expected, kind)
        except TimeoutError:
            raise Late("no answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            raise BrokenOff("the connection broke off") from error
        finally:
            connection.close()

    def _open(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except TimeoutError:
            raise NotReached("no connection in time") from None
        except OSError as error:
            raise NotReached("no connection") from error
        self._socket = connection.sock

    def _converse(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        expected: tuple[int, ...],
        kind: str,
    ) -> bytes:
        connection.sock.settimeout(self._seconds())
        connection.request(method, path, body, headers)
        connection.sock.settimeout(self._seconds())
        with connection.getresponse() as response:
            if response.status not in expected:
                raise NotServed(f"HTTP status {response.status}")
            if not response.headers.get_content_type().endswith(kind):
                raise BadAnswer("the answer is not XML")
            return self._read(response)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        content = bytearray()
        declared = response.length
        while True:
            if self._socket is not None:
                self._socket.settimeout(self._seconds())
            chunk = response.read1(_CHUNK)
            if not chunk:
                break
            content += chunk
            if len(content) > self._most_bytes:
                raise BadAnswer(f"the answer is larger than {self._most_bytes} bytes")
        if declared is not None and len(content) < declared:
            raise BrokenOff("the answer ended before its end")
        return bytes(content)

    def _seconds(self) -> float:
        left = self._left()
        if left <= 0:
            raise Late("no answer in time")
        return left
