"""What a worker knows of its own parts without asking anybody: keys, certificates, annexes, contracts, space."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.annexes.registry import AnnexRegistry
from gateway.health.expiry import judge_authorities, judge_revocation_lists, judge_validity
from gateway.health.measure import Finding
from gateway.signing import SigningKey
from gateway.wss.sign import SigningFailed
from gateway.wss.trust import Trust
from services.health import Component, Kind, State

ANNEXES_OLD_SECONDS = 5
ANNEXES_STALE_SECONDS = 15
"""A worker looks for annexes twice a second."""
DISK_WARNING_BYTES = 512 * 1024**2
DISK_CRITICAL_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class OwnParts:
    """The parts of one worker. `tls_validity` is None where TLS is not ours to serve."""

    annexes: AnnexRegistry
    signing_key: SigningKey
    trust: Trust
    tls_validity: tuple[datetime, datetime] | None
    services: int
    state: Path

    def look(self, now: datetime) -> Iterator[Component]:
        """Yield every part as it is at `now`."""
        yield _component("contracts", Finding(State.OK, f"{self.services} services"), now)
        yield _component("annexes", self._judge_annexes(now), now)
        yield _component("signing-key", self._judge_signing_key(now), now)
        if self.tls_validity is not None:
            yield _component("tls-certificate", judge_validity(self.tls_validity, now), now)
        yield _component("client-authorities", judge_authorities(self.trust, now), now)
        yield _component("revocation-lists", judge_revocation_lists(self.trust, now), now)
        yield _component("disk", judge_disk(self.state), now)

    def _judge_annexes(self, now: datetime) -> Finding:
        age = self.annexes.age
        if age > ANNEXES_OLD_SECONDS:
            state = State.NOK if age > ANNEXES_STALE_SECONDS else State.DEGRADED
            return Finding(state, f"last read {age:.0f} s ago")
        if not self.annexes.clients:
            return Finding(State.NOK, "there are no annexes")
        if gaps := self.annexes.gaps:
            return Finding(State.NOK, f"an activation is missing before number {gaps[0]}")
        if clients := self.annexes.list_without_rights(now):
            return Finding(State.NOK, f"without rights, since the annex cannot be trusted: {_name_some(clients)}")
        return Finding(State.OK, f"annexes of {self.annexes.clients} clients")

    def _judge_signing_key(self, now: datetime) -> Finding:
        validity = self.signing_key.validity
        try:
            self.signing_key.sign("<health></health>", None, now)
        except SigningFailed as failure:
            return Finding(State.NOK, str(failure))
        if self.signing_key.files_unusable:
            return Finding(State.DEGRADED, "the files hold no usable key: the former is in force")
        return judge_validity(validity, now) if validity else Finding(State.NOK, "the key was taken away")


def judge_disk(directory: Path) -> Finding:
    """Judge the space that is left where the state lies."""
    try:
        status = os.statvfs(directory)
    except OSError as error:
        return Finding(State.NOK, f"the state directory cannot be looked at: {error.strerror}")
    free = status.f_bavail * status.f_frsize
    detail = f"{free // 1024**2} MiB free"
    if free < DISK_WARNING_BYTES:
        return Finding(State.NOK if free < DISK_CRITICAL_BYTES else State.DEGRADED, detail)
    return Finding(State.OK, detail)


def _name_some(clients: list[str], most: int = 10) -> str:
    further = f" and {len(clients) - most} more" if len(clients) > most else ""
    return ", ".join(clients[:most]) + further


def _component(name: str, finding: Finding, now: datetime) -> Component:
    return Component(name, Kind.GATEWAY, finding.state, None, now, finding.detail)
