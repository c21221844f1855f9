"""The database machines together: what Patroni and PostgreSQL say of them, and a switchover."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.ha.machine import Machine


class NotInTime(Exception):
    """What was waited for did not come about; the text says what, and what was there."""


@dataclass(frozen=True, slots=True)
class Member:
    """A machine as Patroni sees it: `leader`, `sync_standby` or `replica`; running or streaming, or something worse."""

    name: str
    role: str
    state: str
    timeline: int

    @property
    def is_well(self) -> bool:
        return self.state in {"running", "streaming"}


class Cluster:
    """The machines by their names; `authority` is the file that their certificates come from."""

    def __init__(self, machines: Mapping[str, Machine], authority: Path) -> None:
        self.machines = machines
        self._authority = authority

    def members(self) -> dict[str, Member]:
        """Return the machines that Patroni knows of, asked where one answers."""
        for machine in self.machines.values():
            try:
                url = f"https://127.0.0.1:{machine.ports.patroni}/cluster"
                said = requests.get(url, verify=str(self._authority), timeout=1).json()
            except (requests.RequestException, ValueError):
                continue
            return {each["name"]: _read_member(each) for each in said["members"]}
        return {}

    def find_member(self, role: str) -> Machine:
        """Return the only machine in this role."""
        (name,) = [each.name for each in self.members().values() if each.role == role]
        return self.machines[name]

    def is_whole(self, *, without: str = "") -> bool:
        """Tell whether one leads, one follows synchronously, and all are well and of one history."""
        wanted = self.machines.keys() - {without}
        members = [member for name, member in self.members().items() if name in wanted]
        roles = sorted(member.role for member in members)
        expected = sorted(["leader", "sync_standby", *["replica"] * (len(wanted) - 2)])
        is_one_history = len({member.timeline for member in members}) == 1
        return roles == expected and is_one_history and all(member.is_well for member in members)

    def wait(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Return as soon as it holds; NotInTime when it never does."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise NotInTime(f"{what}: not within {seconds:.0f} s; {sorted(map(str, self.members().values()))}")
            time.sleep(0.2)

    def switch_over(self) -> None:
        """Hand over to the standby, as an operator does."""
        self.find_member("leader").run_patronictl("switchover", "ksz", "--force")


def _read_member(said: Mapping[str, Any]) -> Member:
    return Member(said["name"], said["role"], said["state"], int(said.get("timeline") or 0))
