"""The simulated sources over HTTP on this machine, and what they do wrong with the octets.

`GET /faults` tells the rules in force, `PUT /faults` replaces them: one rule a line, as `ksz-gateway simulate --fault`.
"""

import io
import socket
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway.app import GatewayApp
from gateway.simulator.app import MAX_BYTES, SimulatedSources
from gateway.simulator.faults import Fault, Faults, NoSuchFault

FAULTS_PATH = "/faults"
SLOW_SECONDS = 2.0
HUGE_BYTES = 64 * 1024 * 1024
_DRIP_SECONDS = 0.1
_XML = "text/xml; charset=utf-8"
_GARBAGE = b"\x00\xff this is no XML <<<"
_DTD = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'


class SimulatorServer(ThreadingHTTPServer):
    """Serves `sources`, which must be put in before it is started; bound when made. `close` ends what hangs."""

    daemon_threads = True
    sources: SimulatedSources

    def __init__(self, address: tuple[str, int], faults: Faults) -> None:
        super().__init__(address, _Handler)
        self.faults = faults
        self._thread: threading.Thread | None = None
        self.stopping = threading.Event()
        self.last_answers: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        """Where it is served."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go of everybody who waits."""
        self.stopping.set()
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who hung up: those who wait for a bad source do."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SimulatorServer
    # A hanging caller of ours is cut off, too.
    timeout = 60
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path == FAULTS_PATH:
            self._send(200, self._tell_rules(), "text/plain; charset=utf-8")
            return
        self._send(*self._call(self.server.sources.app, b""))

    def do_PUT(self) -> None:
        if self.path != FAULTS_PATH:
            self._send(404, b"There is nothing to put here.\n", "text/plain")
            return
        try:
            self.server.faults.replace(*self._read().decode().split())
        except (NoSuchFault, UnicodeDecodeError) as problem:
            self._send(400, f"{problem}\n".encode(), "text/plain; charset=utf-8")
            return
        self._send(200, self._tell_rules(), "text/plain; charset=utf-8")

    def do_POST(self) -> None:
        body = self._read()
        sources, fault = self.server.sources, self.server.faults.pick(self.path)
        if fault is Fault.HANG:
            self.server.stopping.wait(self.timeout)
            self.close_connection = True
            return
        if fault is Fault.REFUSE:
            self._send(503, b"Not now.\n", "text/plain")
            return
        if fault in (Fault.GARBAGE, Fault.DTD, Fault.HUGE):
            content = {Fault.GARBAGE: _GARBAGE, Fault.DTD: _DTD, Fault.HUGE: b"<" + b"a" * HUGE_BYTES}[fault]
            self._send(200, content, _XML)
            return
        if fault is Fault.SLOW:
            time.sleep(SLOW_SECONDS)
        apps = {Fault.WRONG_PERSON: sources.wrong_person, Fault.FORGED: sources.forged}
        status, content, content_type = self._call(apps.get(fault, sources.app) if fault else sources.app, body)
        if fault is Fault.STALE:
            content = self.server.last_answers.get(self.path, content)
        else:
            self.server.last_answers[self.path] = content
        if fault is Fault.CLOSE:
            self._send(status, content[: len(content) // 2], content_type, len(content))
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault is Fault.DRIP:
            self._drip(status, content, content_type)
        else:
            self._send(status, content, content_type)

    def _call(self, app: GatewayApp, body: bytes) -> tuple[int, bytes, str]:
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_SOAPACTION": self.headers.get("SOAPAction", ""),
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.input": io.BytesIO(body),
        }
        started: list[tuple[str, Mapping[str, str]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
            started.append((status, dict(headers)))

        content = b"".join(app(environ, start_response))
        ((status, headers),) = started
        return int(status[:3]), content, headers["Content-Type"]

    def _drip(self, status: int, content: bytes, content_type: str) -> None:
        self._send(status, b"", content_type, len(content))
        for octet in content:
            if self.server.stopping.wait(_DRIP_SECONDS):
                return
            self.wfile.write(bytes((octet,)))
            self.wfile.flush()

    def _send(self, status: int, content: bytes, content_type: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _read(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length", "0")), MAX_BYTES + 1))

    def _tell_rules(self) -> bytes:
        rules = self.server.faults.rules
        return "".join(
            f"{each.where + ':' if each.where else ''}{each.fault}={each.share:.0%}\n" for each in rules
        ).encode()

    def log_message(self, format: str, *args: object) -> None:
        """A source that is only played writes no log."""
