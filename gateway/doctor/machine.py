"""Checks of the machine, of what is installed, and of settings that do not fit together."""

import stat
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from authz.ssin import Environment
from gateway.doctor.deployment import Deployment
from gateway.health.measure import Finding, worst_of
from gateway.health.own_parts import judge_disk
from services.health import State

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_WATCH_SECONDS = 0.2
_JUMP_SECONDS = 0.05


def state_directory(deployment: Deployment) -> Finding:
    """Judge who may change what is in the state directory, and beside the database if it is a file elsewhere."""
    open_ones = [each for each in deployment.directories if each.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    if open_ones:
        return Finding(State.NOK, f"others may write in {', '.join(map(str, open_ones))}")
    return Finding()


def disk(deployment: Deployment) -> Finding:
    """Judge the space that is left."""
    return worst_of(map(judge_disk, deployment.directories))


def own_clock(deployment: Deployment) -> Finding:
    """Watch for a moment whether our clock runs as time does."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(_WATCH_SECONDS)
    jump = (time.time() - wall) - (time.monotonic() - steady)
    return Finding(State.NOK, f"it jumped {jump:+.3f} s") if abs(jump) > _JUMP_SECONDS else Finding()


def dependencies(deployment: Deployment) -> Finding:
    """Compare what is installed with what the lock pins."""
    if not LOCK.is_file():
        return Finding(State.DEGRADED, "there is no requirements.lock beside the gateway to compare with")
    lines = (line.rstrip(" \\") for line in LOCK.read_text("utf-8").splitlines() if line[:1].isalnum())
    requirements = [each for each in map(Requirement, lines) if each.marker is None or each.marker.evaluate()]
    pinned = {each.name: str(each.specifier).removeprefix("==") for each in requirements}
    wrong = [f"{name} {found} instead of {pinned[name]}" for name, found in _installed(pinned) if found != pinned[name]]
    return Finding(State.DEGRADED, ", ".join(wrong)) if wrong else Finding(State.OK, f"{len(pinned)} as pinned")


def _installed(names: dict[str, str]) -> list[tuple[str, str]]:
    found = []
    for name in names:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "nothing"))
    return found


def environment(deployment: Deployment) -> Finding:
    """Judge whether a production gateway is one: no demo keys, a public address, limits."""
    settings = deployment.settings
    if settings.environment is not Environment.PRODUCTION:
        return Finding(State.OK, f"{settings.environment}: synthetic persons only")
    odd = {
        "pki/clients holds keys of clients": any((settings.state / "pki" / "clients").glob("*.key")),
        "pki/persons holds keys of persons": any((settings.state / "pki" / "persons").glob("*.key")),
        "public_url is not https": not settings.public_url.startswith("https://"),
        "public_url is of this machine only": "//127.0.0.1" in settings.public_url,
        "address_rate is off": settings.address_rate == 0,
        "client_rate is off": settings.client_rate == 0,
    }
    found = [what for what, is_so in odd.items() if is_so]
    return Finding(State.DEGRADED, ", ".join(found)) if found else Finding()


def proxy(deployment: Deployment) -> Finding:
    """Judge how clients reach the gateway: by TLS of ours, or through a proxy that is the only one to reach us."""
    settings = deployment.settings
    if settings.tls:
        return Finding(State.OK, "TLS is served here")
    if not settings.trusted_proxies:
        return Finding(State.DEGRADED, "no TLS and no trusted_proxies: no client certificate can arrive")
    if not settings.bind.startswith(("unix:", "127.", "localhost:", "[::1]")):
        return Finding(State.DEGRADED, f"plain HTTP on {settings.bind}: only the proxy may reach it")
    return Finding()
