"""HealthCheck, an operation of more than one service: the port behind which measurements stand, and the reply.

It consults nobody: it tells how the components are, as they were last measured, and measures nothing itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from services.consultation import Consultation, Outcome, Values
from services.descriptor import OperationDescriptor

ANY_KIND = frozenset({"institution", "integrator", "enterprise", "supportApplication", "monitoringProbe"})

HEALTH_CHECK = OperationDescriptor(
    "HealthCheck", free_when=("criteria/level", "PING"), kinds=ANY_KIND, answers_when_broken=True
)


class Level(StrEnum):
    """How thoroughly to look."""

    PING = "PING"
    DEFAULT = "DEFAULT"
    DEEP = "DEEP"


class State(StrEnum):
    """How a component is; the worst is the last."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    NOK = "NOK"


class Kind(StrEnum):
    """Whether a component is a part of the gateway or an authentic source behind a service."""

    GATEWAY = "GATEWAY"
    SOURCE = "SOURCE"


@dataclass(frozen=True, slots=True)
class Component:
    """One component as it was last measured: `milliseconds` long, at `measured_at` (aware), None if never."""

    name: str
    kind: Kind
    state: State
    milliseconds: int | None = None
    measured_at: datetime | None = None
    detail: str = ""


class Health(Protocol):
    """Knows the newest measurements; asking it measures nothing that could wait."""

    @property
    def services(self) -> frozenset[str]:
        """The names of all services, those without a source included."""
        ...

    def components(self, level: Level, services: frozenset[str], now: datetime) -> Iterable[Component]:
        """Return the components that the level covers, of the sources those of `services`."""
        ...


def check_health(consultation: Consultation, health: Health, own: str | None = None) -> Outcome:
    """Tell how the gateway is, with the sources of `own`, or of the one service named, or of all.

    PING asks nobody. `service_unknown` for a name that is no service here.
    """
    criteria = consultation.values["criteria"]
    level = Level(criteria["level"])
    named = criteria.get("service", own)
    if level is Level.PING:
        return Outcome("data_found", _render((), consultation.now))
    known = health.services if own is None else frozenset({own})
    if named is not None and named not in known:
        return Outcome("service_unknown", information=(("field", "criteria/service"),))
    asked = known if named is None else frozenset({named})
    return Outcome("data_found", _render(tuple(health.components(level, asked, consultation.now)), consultation.now))


def _render(components: tuple[Component, ...], now: datetime) -> Values:
    overall = State.NOK if any(each.state is State.NOK for each in components) else State.OK
    return {"health": {"overall": overall.value, "component": [_render_component(each, now) for each in components]}}


def _render_component(component: Component, now: datetime) -> Values:
    values: dict[str, Any] = {
        "name": component.name,
        "kind": component.kind.value,
        "state": component.state.value,
    }
    if component.milliseconds is not None:
        values["latency"] = component.milliseconds
    if component.measured_at is not None:
        values["measuredAt"] = component.measured_at
        values["age"] = max(0, int((now - component.measured_at).total_seconds()))
    if component.detail:
        values["detail"] = component.detail[:256]
    return values
