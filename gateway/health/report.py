"""What HealthCheck tells: a worker's own parts as they are now, and what its node measured last."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.health.measure import Finding, worse_of
from gateway.health.snapshot import read_snapshot
from services.health import Component, Kind, Level, State

MEASURED_PARTS = ("database", "audit")
STALE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Implements `services.health.Health` for one worker.

    `sources` are the services that have one; `look` yields the worker's own parts; `snapshot` is the node's file. A
    measurement is believed for `STALE_SECONDS`, neither longer nor from the future. `look_at_sources` tells what the
    worker's own calls know of remote sources: the worse of the two is told.
    """

    services: frozenset[str]
    sources: frozenset[str]
    look: Callable[[datetime], Iterable[Component]]
    snapshot: Path
    look_at_sources: Callable[[], Mapping[str, Finding]] = dict

    def components(self, level: Level, services: frozenset[str], now: datetime) -> Iterator[Component]:
        """Yield the components that the level covers, of the sources those of `services`."""
        if level is Level.PING:
            return
        yield from self.look(now)
        measured = read_snapshot(self.snapshot)
        for name in MEASURED_PARTS:
            yield _believe(measured.get(name), name, Kind.GATEWAY, now)
        if level is Level.DEEP:
            known = self.look_at_sources()
            # A part of a source is named after its service: `SelfEmployedService/v2 fund 003`.
            for name in sorted(each for each in self.sources if each.partition(" ")[0] in services):
                yield worse_of(_believe(measured.get(name), name, Kind.SOURCE, now), known.get(name))


def _believe(component: Component | None, name: str, kind: Kind, now: datetime) -> Component:
    if component is None or component.measured_at is None:
        return Component(name, kind, State.NOK, detail="not measured")
    age = (now - component.measured_at).total_seconds()
    if abs(age) > STALE_SECONDS:
        detail = f"not measured for more than {STALE_SECONDS} s; it was {component.state}"
        return Component(name, kind, State.NOK, component.milliseconds, component.measured_at, detail)
    return component
