"""What a worker counts for Prometheus: requests, decisions, how long stages and sources take, and the audit backlog.

A request costs one append; a thread folds what was noted into the metrics, once a second. The metrics of all workers
of a node meet in files of a directory (prometheus_client's multiprocess mode), which the management process reads.
Labels come from the contracts, the catalogue and the pipeline alone, never from a request.
"""

import os
import shutil
import threading
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gateway.pipeline import STAGES, Answer
from gateway.sources.trouble import WrongPerson
from services.health import HEALTH_CHECK

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_FLUSH_SECONDS = 1.0
# From which the management process knows what one worker alone knows of a source: `gateway.health.workers`.
CIRCUIT_OPEN = "ksz_source_circuit_open"
ON_TRIAL = "ksz_source_on_trial"
WRONG_PERSON_TIME = "ksz_source_wrong_person_time_seconds"
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Guarded(Protocol):
    """A remote source, as far as it is counted.

    Calls by how they ended, whether it is left alone, or was and the next call tries it, and calls in flight.
    """

    name: str
    counts: Counter[str]

    @property
    def is_paused(self) -> bool: ...

    @property
    def is_on_trial(self) -> bool: ...

    @property
    def in_flight(self) -> int: ...


class Meter:
    """Counts the exchanges of one worker process. `sources` are the services whose dispatch, HealthCheck's
    aside, asks a source."""

    def __init__(self, registry: "CollectorRegistry", sources: frozenset[str]) -> None:
        # Imported only here: prometheus_client decides when it is imported whether processes share their values.
        import prometheus_client

        self._sources = sources
        self._noted: deque[tuple[str, Answer]] = deque()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._backlog: Callable[[], int] = lambda: 0
        self._requests = prometheus_client.Counter(
            "ksz_requests", "SOAP exchanges.", ("service", "operation", "outcome", "code"), registry=registry
        )
        self._decisions = prometheus_client.Counter(
            "ksz_decisions", "Decisions of authorize.", ("service", "decision", "code"), registry=registry
        )
        self._stages = prometheus_client.Histogram(
            "ksz_stage_seconds", "Duration of each stage.", ("stage",), buckets=_BUCKETS, registry=registry
        )
        self._source_seconds = prometheus_client.Histogram(
            "ksz_source_seconds",
            "Duration of the question to a service's source.",
            ("source",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._waiting = prometheus_client.Gauge(
            "ksz_audit_backlog",
            "Writes that wait for the database, audit records among them.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._waiting.set(0)
        self._guards: tuple[Guarded, ...] = ()
        self._counted: Counter[tuple[str, str]] = Counter()
        self._calls = prometheus_client.Counter(
            "ksz_source_calls", "Calls to a remote source.", ("source", "outcome"), registry=registry
        )
        per_source = partial(prometheus_client.Gauge, labelnames=("source",), registry=registry)
        self._open = per_source(
            CIRCUIT_OPEN,
            "Workers that leave a remote source alone, because too many calls failed.",
            multiprocess_mode="livesum",
        )
        self._on_trial = per_source(
            ON_TRIAL,
            "Workers that left a remote source alone, and will try it with the next call.",
            multiprocess_mode="livesum",
        )
        self._wrong_person_time = per_source(
            WRONG_PERSON_TIME,
            "When a remote source last answered about another person than was asked, in seconds since 1970.",
            multiprocess_mode="max",
        )
        self._in_flight = per_source(
            "ksz_source_calls_in_flight",
            "Calls to a remote source that have not come back.",
            multiprocess_mode="livesum",
        )

    def note(self, service: str, answer: Answer) -> None:
        """Remember an exchange, to be counted within a second."""
        self._noted.append((service, answer))

    def start(self, backlog: Callable[[], int], guards: Iterable[Guarded] = ()) -> None:
        """Begin to fold what is noted into the metrics; `backlog` tells how many writes wait."""
        self._backlog = backlog
        self._guards = tuple(guards)
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Count what is noted, and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Fold what was noted so far into the metrics."""
        with self._flushing:
            self._waiting.set(self._backlog())
            self._fold_sources()
            noted = [self._noted.popleft() for _ in range(len(self._noted))]
            if not noted:
                return
            requests = Counter((service, each.operation, each.outcome, each.code) for service, each in noted)
            for labels, count in requests.items():
                self._requests.labels(*labels).inc(count)
            decisions = Counter((service, each.decision, each.code) for service, each in noted if each.decision)
            for decided, count in decisions.items():
                self._decisions.labels(*decided).inc(count)
            self._fold_durations(noted)

    def _fold_sources(self) -> None:
        for guard in self._guards:
            for outcome, count in list(guard.counts.items()):
                label = guard.name, outcome
                if outcome == WrongPerson.word and count > self._counted[label]:
                    self._wrong_person_time.labels(guard.name).set_to_current_time()
                self._calls.labels(*label).inc(count - self._counted[label])
                self._counted[label] = count
            self._open.labels(guard.name).set(guard.is_paused)
            self._on_trial.labels(guard.name).set(guard.is_on_trial)
            self._in_flight.labels(guard.name).set(guard.in_flight)

    def _fold_durations(self, noted: Iterable[tuple[str, Answer]]) -> None:
        stages: defaultdict[str, list[float]] = defaultdict(list)
        sources: defaultdict[str, list[float]] = defaultdict(list)
        for service, answer in noted:
            for stage, seconds in durations_of(answer):
                stages[stage].append(seconds)
                if stage == "dispatch" and service in self._sources and answer.operation != HEALTH_CHECK.name:
                    sources[service].append(seconds)
        for stage, spent in stages.items():
            _observe_all(self._stages.labels(stage), spent)
        for source, spent in sources.items():
            _observe_all(self._source_seconds.labels(source), spent)

    def _run(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            self.flush()


def durations_of(answer: Answer) -> list[tuple[str, float]]:
    """Return the seconds of each stage that ran, the refusing one included; `record` is the audit's part of respond."""
    *stages, ran, written, recorded, sealed = answer.marks
    named = list(zip(STAGES, (end - begin for begin, end in pairwise((*stages, ran))), strict=False))
    return [*named, ("respond", written - ran + sealed - recorded), ("record", recorded - written)]


def _observe_all(histogram: Any, seconds: list[float]) -> None:
    """Do what `observe` does for each, at the cost of one: it would take 2 µs for each of ten stages."""
    for bucket, count in Counter(bisect_left(_BUCKETS, each) for each in seconds).items():
        histogram._buckets[bucket].inc(count)
    histogram._sum.inc(sum(seconds))


def clear_metrics(directory: Path) -> None:
    """Begin anew, when a gateway starts."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True)


def open_meter(directory: Path, sources: frozenset[str]) -> Meter:
    """Return the meter of this worker process, which keeps what it counts in the directory."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    from prometheus_client import CollectorRegistry

    return Meter(CollectorRegistry(), sources)


def forget_process(directory: Path, pid: int) -> None:
    """Forget what only a process that lives has: its backlog. What it counted stays."""
    for file in directory.glob(f"gauge_live*_{pid}.db"):
        file.unlink(missing_ok=True)
