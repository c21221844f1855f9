"""What a node's management process tells Prometheus: what its workers counted, its measurements, what expires."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gateway.settings import Settings
from gateway.source_settings import list_endpoints
from gateway.wss.trust import Trust
from services.health import Component, State

_VALUES = {State.OK: 1.0, State.DEGRADED: 0.5, State.NOK: 0.0}


class NodeMetrics:
    """Renders the metrics of a node; `latest` gives its newest measurements, `is_closed` whether for maintenance."""

    def __init__(
        self, settings: Settings, latest: Callable[[], Iterable[Component]], is_closed: Callable[[], bool]
    ) -> None:
        self._directory = settings.metrics_directory
        self._node = _NodeCollector(settings, latest, is_closed)

    def render(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        registry = CollectorRegistry()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        MultiProcessCollector(registry, path=str(self._directory))  # type: ignore[no-untyped-call]
        registry.register(self._node)
        return generate_latest(registry)


class _NodeCollector(Collector):
    def __init__(
        self, settings: Settings, latest: Callable[[], Iterable[Component]], is_closed: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._latest = latest
        self._is_closed = is_closed

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of the node as they are now."""
        now = datetime.now(UTC)
        days = GaugeMetricFamily(
            "ksz_certificate_days_left",
            "Days until a certificate ends, or until a revocation list must be replaced.",
            labels=("certificate",),
        )
        for name, end in find_ends(self._settings):
            days.add_metric((name,), (end - now).total_seconds() / 86400)
        yield days
        health = GaugeMetricFamily(
            "ksz_component_health", "1 OK, 0.5 DEGRADED, 0 NOK, as last measured.", labels=("component",)
        )
        seconds = GaugeMetricFamily(
            "ksz_component_measured_seconds", "How long the last measurement took.", labels=("component",)
        )
        for component in self._latest():
            health.add_metric((component.name,), _VALUES[component.state])
            seconds.add_metric((component.name,), (component.milliseconds or 0) / 1000)
        yield health
        yield seconds
        yield GaugeMetricFamily("ksz_maintenance", "1 while closed for maintenance, else 0.", float(self._is_closed()))


def find_ends(settings: Settings) -> Iterator[tuple[str, datetime]]:
    """Yield when each certificate and list ends; nothing of unreadable files.

    Of several authorities or lists the first end counts, of the certificates of a remote source the last.
    """
    files = {"signing": settings.signing_certificate}
    if settings.tls:
        files["tls"] = settings.tls_certificate
    for name, path in files.items():
        try:
            yield name, x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError):
            continue
    for name, endpoint in list_endpoints(settings.sources):
        try:
            certificates = x509.load_pem_x509_certificates(endpoint.certificate.read_bytes())
        except (OSError, ValueError):
            continue
        yield f"source {name}", max(each.not_valid_after_utc for each in certificates)
    try:
        trust = Trust(settings.client_ca.read_bytes(), _read_lists(settings.client_crl))
    except (OSError, ValueError):
        return
    yield "client-authorities", min(trust.authorities.values())
    if trust.next_updates:
        yield "revocation-lists", min(trust.next_updates.values())


def _read_lists(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
