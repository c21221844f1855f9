"""The management process of a node, apart from the workers that do the work: it measures, and answers over plain HTTP.

Live: this node's processes run. Ready: the SOAP port answers, the schema of the database is current and there is a key
to sign with; a load balancer sends work only then. Ping: this process answers. Metrics: for Prometheus. Every few
seconds it measures what can be away, each source included, and leaves that for the workers as a file. It consults
nobody's data. It keeps the audit's log too: checkpoints, time stamps, and sums of what strangers were refused.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.address import NOWHERE, connect, split_tcp
from gateway.audit.log import LogBroken
from gateway.audit.time_stamp import TimeStampFailed
from gateway.audit.trail import AuditUnavailable
from gateway.bootstrap import build_maintenance_watch, build_measurer, opened_log_keeper
from gateway.health.measurements import Measurements
from gateway.health.workers import look_at_workers
from gateway.logs import configure_logs
from gateway.node_metrics import NodeMetrics
from gateway.settings import Settings, load_settings
from gateway.storage.database import Database
from gateway.storage.group_commit import CommitError
from gateway.wss.sign import Signer

log = structlog.get_logger(__name__)

_KEEP_SECONDS = 5.0

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


def make_server(
    address: tuple[str, int], checks: Mapping[str, Check], metrics: Callable[[], bytes]
) -> ThreadingHTTPServer:
    """Return the server, bound and not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        # Head and content leave in one piece: load balancers hang up as soon as they have read the status.
        wbufsize = -1

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, metrics(), CONTENT_TYPE_LATEST)
            elif self.path in ("/live", "/ready", "/ping"):
                results = run_checks(checks) if self.path == "/ready" else {"process": "OK"}
                well = all(result == "OK" for result in results.values())
                self._send_json(200 if well else 503, {"status": "OK" if well else "NOK", "components": results})
            else:
                self._send_json(404, {"error": "there are /live, /ready, /ping and /metrics"})

        def _send_json(self, status: int, document: Mapping[str, Any]) -> None:
            self._send(status, json.dumps(document).encode(), "application/json")

        def _send(self, status: int, content: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
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

    def signing_key() -> None:
        Signer(settings.signing_key.read_bytes(), settings.signing_certificate.read_bytes())

    return {"services": services, "database": schema, "signing key": signing_key}


def main() -> None:
    """Measure and serve until told to stop, or until the process that started this one is gone."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    measurer = build_measurer(settings, look_at_workers=lambda: look_at_workers(settings.metrics_directory, time()))
    measurements = Measurements(measurer, settings.health_snapshot)
    measurements.start()
    if NOWHERE not in sys.argv:
        maintenance = build_maintenance_watch(settings)
        maintenance.start()
        metrics = NodeMetrics(settings, lambda: measurements.latest, lambda: maintenance.current is not None)
        server = make_server(split_tcp(settings.management_bind), readiness_checks(settings), metrics.render)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        log.info("management", address=settings.management_bind)
    with opened_log_keeper(settings) as keeper:
        keep_until(stop, keeper.keep)


def keep_until(stop: threading.Event, keep: Callable[[], None], every_seconds: float = _KEEP_SECONDS) -> None:
    """Keep the log again and again until told to stop. That it fails is logged once, and that it works again."""
    failed = ""
    while True:
        try:
            keep()
            reason = ""
        except (LogBroken, AuditUnavailable, CommitError, TimeStampFailed) as error:
            reason = str(error)
        except Exception as error:
            # The class alone: an exception's text may hold an address or a password of the deployment.
            reason = type(error).__name__
        if reason and not failed:
            log.error("log_not_kept", reason=reason)
        elif failed and not reason:
            log.info("log_kept_again")
        failed = reason
        if stop.wait(every_seconds):
            return


def _stop_with_parent(stop: threading.Event) -> None:
    # The parent holds the other end of our standard input: it is closed when the parent is gone, however it went.
    os.read(sys.stdin.fileno(), 1)
    stop.set()


if __name__ == "__main__":
    main()
