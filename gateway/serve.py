"""Serving: gunicorn with gthread workers and one management process, from our settings.

Each worker builds its own gateway after the fork. The TLS context is built once per process, not once per connection.
"""

import os
import ssl
import subprocess
import sys
import time
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.sock import ssl_context

from gateway.address import NOWHERE, AddressUnusable, check_free
from gateway.bootstrap import REPOSITORIES, CannotStart, Gateway, build_gateway
from gateway.logs import configure_logs
from gateway.metrics import Meter, clear_metrics, forget_process, open_meter
from gateway.preflight import check_start
from gateway.processors import choose_processor, find_processors, keep_to
from gateway.settings import Settings
from gateway.tls import make_tls_context

log = structlog.get_logger(__name__)

_RESTART_SECONDS = 2.0
_END_SECONDS = 5.0


class CannotServe(Exception):
    """The gateway cannot start here; the message is one line that says what to do."""


def serve(settings: Settings) -> None:
    """Serve until a signal says stop. CannotServe when an address is taken or a file is missing."""
    configure_logs(settings.log_level, settings.log_format)
    _check_address(settings.bind, "bind")
    with_management = _is_management_possible(settings)
    try:
        # Build one here first: what is missing is said once and plainly, not by every worker that dies of it.
        check_start(settings)
    except CannotStart as reason:
        raise CannotServe(str(reason)) from None
    clear_metrics(settings.metrics_directory)
    _Application(settings, with_management=with_management).run()


def check_addresses(settings: Settings) -> None:
    """Raise CannotServe when an address that we need is taken or not ours."""
    _check_address(settings.bind, "bind")
    _check_address(settings.management_bind, "management_bind")


class _GunicornLog(Logger):
    """gunicorn's own log, through the gateway's: it would print lines of another form."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True


class _Application(BaseApplication):
    def __init__(self, settings: Settings, *, with_management: bool) -> None:
        self._settings = settings
        # One for good: gunicorn loads its configuration anew when it reloads.
        self._management = _Management(settings, with_port=with_management)
        self._processors = find_processors()
        self._gateway: Gateway | None = None
        self._meter: Meter | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options: dict[str, Any] = {
            "bind": [settings.bind],
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "worker_tmp_dir": "/dev/shm" if sys.platform == "linux" else None,  # noqa: S108 - a heartbeat, no data
            "timeout": 30,
            "graceful_timeout": 30,
            "keepalive": 30,
            "control_socket_disable": True,
            "loglevel": "warning",
            "logger_class": _GunicornLog,
            "proc_name": "ksz-gateway",
            "pre_fork": self._choose_processor,
            "post_fork": self._keep_to_processor,
            "post_worker_init": self._prepare,
            "worker_exit": lambda server, worker: self.close(),
            "child_exit": lambda server, worker: forget_process(settings.metrics_directory, worker.pid),
            "when_ready": lambda server: self._management.start(),
            "on_exit": lambda server: self._management.stop(),
        }
        if settings.tls:
            options |= {
                "certfile": str(settings.tls_certificate),
                "keyfile": str(settings.tls_key),
                "ca_certs": str(settings.client_ca),
                "cert_reqs": ssl.CERT_OPTIONAL,
                "ssl_context": make_tls_context,
            }
        for name, value in options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until told to stop."""
        _Arbiter(self, self._settings, self._management).run()

    def load(self) -> Any:
        self._meter = open_meter(self._settings.metrics_directory, frozenset(REPOSITORIES))
        self._gateway = build_gateway(self._settings, meter=self._meter)
        commit = self._gateway.storage.commit
        self._meter.start(backlog=lambda: commit.waiting, guards=self._gateway.guards)
        return self._gateway.app

    def _choose_processor(self, arbiter: Arbiter, worker: Any) -> None:
        """Note at the worker which processor it shall have: one that the workers there are leave free."""
        worker.processor = None
        if self._settings.pin_workers and self._processors:
            others = (each.processor for each in arbiter.WORKERS.values())
            worker.processor = choose_processor(self._processors, (each for each in others if each is not None))

    def _keep_to_processor(self, arbiter: Arbiter, worker: Any) -> None:
        if worker.processor is not None:
            keep_to(worker.processor)

    def _prepare(self, worker: Any) -> None:
        """Log as is set, and read the certificate now: a worker must not change it at its first connection."""
        configure_logs(self._settings.log_level, self._settings.log_format)
        if self._settings.tls:
            ssl_context(worker.cfg)

    def close(self) -> None:
        """Let what was accepted be written, at the end of a worker."""
        if self._gateway is not None:
            self._gateway.close()
        if self._meter is not None:
            self._meter.close()


class _Arbiter(Arbiter):
    """gunicorn's, which also keeps the management process alive, and reloads only what could start."""

    def __init__(self, app: _Application, settings: Settings, management: "_Management") -> None:
        self._gateway_settings = settings
        self._management = management
        super().__init__(app)

    def manage_workers(self) -> None:
        """Keep as many workers as there should be, and one management process; called once a second."""
        super().manage_workers()
        self._management.keep_alive()

    def handle_hup(self) -> None:
        """Have new workers take over from the old; these stay when new ones could not start with what is there now."""
        checked = subprocess.run(
            [sys.executable, "-m", "gateway.preflight"],
            env=_environment(self._gateway_settings),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if checked.returncode:
            log.error("not_reloaded", reason=(checked.stderr.splitlines() or [""])[-1])
            return
        super().handle_hup()
        log.info("reloaded")


class _Management:
    """The management process: it lives and dies with the gunicorn arbiter. Without a port it measures all the same."""

    def __init__(self, settings: Settings, *, with_port: bool) -> None:
        self._settings = settings
        self._with_port = with_port
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def keep_alive(self) -> None:
        """Start it again if it has ended, not more often than every few seconds."""
        if self._process is None or self._process.poll() is None:
            return
        if time.monotonic() - self._started_at > _RESTART_SECONDS:
            log.error("management_restarted")
            self.start()

    def start(self) -> None:
        self._started_at = time.monotonic()
        # A fresh interpreter: the arbiter must stay free of threads and connections.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gateway.management", *([] if self._with_port else [NOWHERE])],
            stdin=subprocess.PIPE,
            env=_environment(self._settings),
        )

    def stop(self) -> None:
        """End it. One that does not end in time is killed: what it writes, it writes whole or not at all."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("management_killed")
            self._process.kill()
            self._process.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """Hand down what the command line may have said of the state and the addresses."""
    return os.environ | {
        "KSZ_STATE": str(settings.state),
        "KSZ_BIND": settings.bind,
        "KSZ_TLS": str(settings.tls).lower(),
        "KSZ_MANAGEMENT_BIND": settings.management_bind,
    }


def _is_management_possible(settings: Settings) -> bool:
    """Tell whether the management port can be had. One that nobody chose is done without when another node has it."""
    try:
        _check_address(settings.management_bind, "management_bind")
    except CannotServe as reason:
        if "management_bind" in settings.model_fields_set:
            raise
        log.warning("no_management_port", reason=str(reason))
        return False
    return True


def _check_address(address: str, setting: str) -> None:
    try:
        check_free(address)
    except AddressUnusable as reason:
        raise CannotServe(f"{reason}: stop what listens there, or choose another address ({setting}).") from None
