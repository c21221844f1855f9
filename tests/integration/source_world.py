"""Simulated sources on a copy of the demo state, and gateways whose sources they are."""

import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_world import PUBLIC_URL, Clock, DemoState, World, opened_node

from gateway.settings import load_settings
from gateway.simulator.opening import make_settings, opened_simulator
from gateway.simulator.server import SimulatorServer
from gateway.source_settings import REMOTE_SERVICES


@dataclass(frozen=True, slots=True)
class RemoteWorld:
    """A gateway whose sources are remote, one that has them in its database, and what is played for the former."""

    remote: World
    local: World
    simulator: SimulatorServer


@contextmanager
def open_remote_world(
    state: DemoState,
    directory: Path,
    broker: bool = False,
    services: Iterable[str] = REMOTE_SERVICES,
    **limits: Any,
) -> Iterator[RemoteWorld]:
    """Open both on copies of a demo state, with the sources of these services remote.

    `limits` are settings of every source; `broker`: the funds are remote.
    """
    clock = Clock()
    ignore = shutil.ignore_patterns("ksz.db*")
    shutil.copytree(state.directory, directory, dirs_exist_ok=True, ignore=ignore)
    databases = state.databases
    with (
        databases.copy(state.database_url, directory) as url,
        databases.copy(state.database_url, directory / "source") as source_url,
    ):
        settings = load_settings(state=directory, database_url=source_url, public_url=PUBLIC_URL)
        with opened_simulator(settings, ("127.0.0.1", 0), clock=clock) as simulator:
            simulator.start()
            every = remote_settings(make_settings(settings, simulator.url), simulator, broker=broker, **limits)
            sources = {name: every[name] for name in services}
            with (
                opened_node(directory, url, databases, clock=clock, sources=sources) as remote,
                opened_node(directory, url, databases, clock=clock) as local,
            ):
                yield RemoteWorld(remote, local, simulator)


def remote_settings(text: str, simulator: SimulatorServer, *, broker: bool, **limits: Any) -> Mapping[str, Any]:
    """Return the settings that the simulator prints, with the RSVZ whole instead of its funds unless `broker`."""
    sources = {name: source | limits for name, source in tomllib.loads(text)["sources"].items()}
    if not broker:
        rsvz = sources["SelfEmployedService/v2"]
        (any_fund, *_) = rsvz.pop("funds").values()
        rsvz["remote"] = any_fund | {"address": f"{simulator.url}/SelfEmployedService/v2/consult"}
    return sources
