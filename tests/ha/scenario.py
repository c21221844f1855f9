"""What happens to the database machines while clients work, and what must be so afterwards."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from tests.ha.cluster import Cluster
from tests.ha.judge import Judge, Verdict
from tests.ha.load import Attempt, Load
from tests.ha.machine import Machine
from tests.ha.world import World

PROMISES = Path(__file__).parents[2] / "docs" / "high-availability.md"
_QUIET_SECONDS = 3
_WHOLE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an event went: for how long a node served none of a kind, in seconds, and what the new primary holds.

    `whole_after` is when every machine had its role again, in seconds since the event.
    """

    event: str
    promised: float
    interruption: float
    whole_after: float
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        return self.interruption <= self.promised and self.verdict.is_good


def read_promises() -> Mapping[str, float]:
    """Return within how many seconds the service is back, by event, as the documentation states it."""
    rows = [line.strip("|").split("|") for line in PROMISES.read_text("utf-8").splitlines() if line.startswith("| ")]
    promises = {}
    for event, *cells in rows:
        with suppress(ValueError):
            promises[event.strip()] = float(cells[0].strip().removesuffix(" s"))
    return promises


def run_events(world: World) -> Iterator[Outcome]:
    """Run every event under load; at last ask each machine about all of them."""
    promises, days = read_promises(), _days()
    overall, everything = Judge(world.cluster.find_member("leader")), list[Attempt]()
    for event, happen in _EVENTS.items():
        judge, load = Judge(world.cluster.find_member("leader")), Load(world.nodes, days)
        load.start()
        try:
            _wait_served(world.cluster, load, time.monotonic() + _QUIET_SECONDS)
            began = time.monotonic()
            happen(world.cluster)
            world.cluster.wait(world.cluster.is_whole, _WHOLE_SECONDS, event)
            whole = time.monotonic()
            _wait_served(world.cluster, load, whole)
            interruption = load.longest_interruption(began, time.monotonic())
        finally:
            load.stop()
        everything += load.attempts
        verdict = judge.judge(world.cluster.find_member("leader"), load.attempts)
        yield Outcome(event, promises[event], interruption, whole - began, verdict)
    for machine in world.cluster.machines.values():
        world.cluster.wait(lambda: _has_all(machine, world.cluster), _WHOLE_SECONDS, f"{machine.name} has caught up")  # noqa: B023 - called at once
        yield Outcome(f"at last, on {machine.name}", 0, 0, 0, overall.judge(machine, everything))


def _lose_primary(cluster: Cluster) -> None:
    lost = cluster.find_member("leader")
    lost.lose()
    cluster.wait(lambda: cluster.is_whole(without=lost.name), _WHOLE_SECONDS, f"another than {lost.name} leads")
    lost.start()


def _lose_standby(cluster: Cluster) -> None:
    lost = cluster.find_member("sync_standby")
    lost.lose()
    cluster.wait(lambda: cluster.is_whole(without=lost.name), _WHOLE_SECONDS, f"another than {lost.name} follows")
    lost.start()


def _freeze_primary(cluster: Cluster) -> None:
    frozen = cluster.find_member("leader")
    frozen.freeze()
    try:
        cluster.wait(lambda: cluster.is_whole(without=frozen.name), _WHOLE_SECONDS, f"another than {frozen.name} leads")
    finally:
        frozen.thaw()


_EVENTS: Mapping[str, Callable[[Cluster], None]] = {
    "the primary's machine is lost": _lose_primary,
    "the standby's machine is lost": _lose_standby,
    "switchover": Cluster.switch_over,
    "the primary's machine is cut off, and comes back": _freeze_primary,
}


def _wait_served(cluster: Cluster, load: Load, moment: float) -> None:
    cluster.wait(lambda: load.is_served_since(moment), _WHOLE_SECONDS, "every node serves")


def _has_all(machine: Machine, cluster: Cluster) -> bool:
    """Tell whether a machine has replayed what the primary has written, which writes nothing now that matters."""
    newest = "SELECT count(*) FROM audit_records"
    return machine.run_sql(newest) == cluster.find_member("leader").run_sql(newest)


def _days() -> Iterator[date]:
    """Yield each day once, from as far ahead as may be declared."""
    last = datetime.now(UTC).date() + timedelta(days=300)
    return (last - timedelta(days=number) for number in count())
