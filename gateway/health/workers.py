"""What the workers of a node know of remote sources: each knows its own calls alone, and leaves here what it counts.

Read by the management process. Not to be imported where metrics are made: see `gateway.metrics`.
"""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client.multiprocess import MultiProcessCollector

from gateway.health.measure import Finding
from gateway.metrics import CIRCUIT_OPEN, WRONG_PERSON_TIME
from gateway.sources.guard import ALARM_SECONDS
from services.health import State


def look_at_workers(directory: Path, now: float) -> Mapping[str, Finding]:
    """Return what is wrong with each remote source, by its name, as the workers tell in the directory of metrics.

    `now` is in seconds since 1970.
    """
    collector = MultiProcessCollector(None, path=str(directory))  # type: ignore[no-untyped-call]
    values = {
        (sample.name, sample.labels["source"]): sample.value
        for metric in collector.collect()  # type: ignore[no-untyped-call]
        if metric.name in (CIRCUIT_OPEN, WRONG_PERSON_TIME)
        for sample in metric.samples
    }
    alarmed = {
        source: Finding(State.DEGRADED, "it answered about another person than was asked, within the last hour")
        for (name, source), value in values.items()
        if name == WRONG_PERSON_TIME and now - value < ALARM_SECONDS
    }
    left_alone = {
        source: Finding(State.NOK, f"left alone by {value:.0f} of the workers: too many calls failed")
        for (name, source), value in values.items()
        if name == CIRCUIT_OPEN and value
    }
    return alarmed | left_alone
