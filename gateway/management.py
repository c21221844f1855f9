"""The management process of a node: /live and /ready over plain HTTP, apart from the workers that do the work.

Live: this node's processes run. Ready: the SOAP port answers and the schema of the database is current; a load
balancer sends work only then. It consults nobody's data and asks no source.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

from gateway.address import connect, split_tcp
from gateway.logs import configure_logs
from gateway.settings import Settings, load_settings
from gateway.storage.database import Database

log = structlog.get_logger(__name__)

Check = Callable[[], None]
"""Returns when the part is well, raises when it is not."""


def run_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """Run every check; `OK` or the class of its failure, by name."""
    results: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
            results[name] = "OK"
        except Exception as error:
            # The class alone: an exception's text may hold an address or a password of the deployment.
            results[name] = f"NOK: {type(error).__name__}"
    return results


def make_server(address: tuple[str, int], checks: Mapping[str, Check]) -> ThreadingHTTPServer:
    """Return the server, bound and not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        # Head and content leave in one piece: load balancers hang up as soon as they have read the status.
        wbufsize = -1

        def do_GET(self) -> None:
            results = run_checks(checks) if self.path == "/ready" else {"process": "OK"}
            if self.path not in ("/live", "/ready"):
                self._send(404, {"error": "there are /live and /ready"})
                return
            well = all(result == "OK" for result in results.values())
            self._send(200 if well else 503, {"status": "OK" if well else "NOK", "components": results})

        def _send(self, status: int, document: Mapping[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds: they are not worth a line."""

    return _Server(address, Handler)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a failure of ours in one line. A probe that hung up before it was answered is none."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            log.error("management_failed", error=type(error).__name__)


def readiness_checks(settings: Settings) -> Mapping[str, Check]:
    """Return what must be well before this node gets work."""
    database = Database(settings.database_url, connections=1)

    def services() -> None:
        connect(settings.bind, 2).close()

    def schema() -> None:
        if not database.is_current():
            raise RuntimeError("the database needs a migration")

    return {"services": services, "database": schema}


def main() -> None:
    """Serve until told to stop, or until the process that started this one is gone."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    server = make_server(split_tcp(settings.management_bind), readiness_checks(settings))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    log.info("management", address=settings.management_bind)
    server.serve_forever()


def _stop_with_parent(server: ThreadingHTTPServer) -> None:
    # The parent holds the other end of our standard input: it is closed when the parent is gone, however it went.
    os.read(sys.stdin.fileno(), 1)
    server.shutdown()


if __name__ == "__main__":
    main()
