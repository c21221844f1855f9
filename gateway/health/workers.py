"""What the workers of a node know of remote sources: each knows its own calls alone, and leaves here what it counts.

Read by the management process. Not to be imported where metrics are made: see `gateway.metrics`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from prometheus_client.multiprocess import MultiProcessCollector

from gateway.health.measure import Finding, sum_up
from gateway.metrics import CIRCUIT_OPEN, ON_TRIAL, WRONG_PERSON_TIME
from gateway.sources.guard import ALARM_SECONDS
from services.health import State


def look_at_workers(directory: Path, now: float) -> Mapping[str, Finding]:
    """Return what is wrong with each remote source, by its name, as the workers tell in the directory of metrics.

    `now` is in seconds since 1970.
    """
    collector = MultiProcessCollector(None, path=str(directory))  # type: ignore[no-untyped-call]
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for metric in collector.collect():  # type: ignore[no-untyped-call]
        for sample in metric.samples if metric.name in _JUDGES else ():
            if finding := _JUDGES[metric.name](sample.value, now):
                found[sample.labels["source"]].append(finding)
    return {source: sum_up(findings) for source, findings in found.items()}


def _judge_pause(workers: float, now: float) -> Finding | None:
    return Finding(State.NOK, f"left alone by {workers:.0f} of the workers: too many calls failed") if workers else None


def _judge_trial(workers: float, now: float) -> Finding | None:
    detail = f"not tried by {workers:.0f} of the workers since too many calls failed"
    return Finding(State.DEGRADED, detail) if workers else None


def _judge_wrong_person(at: float, now: float) -> Finding | None:
    detail = "it answered about another person than was asked, within the last hour"
    return Finding(State.DEGRADED, detail) if now - at < ALARM_SECONDS else None


_JUDGES: Mapping[str, Callable[[float, float], Finding | None]] = {
    CIRCUIT_OPEN: _judge_pause,
    ON_TRIAL: _judge_trial,
    WRONG_PERSON_TIME: _judge_wrong_person,
}
