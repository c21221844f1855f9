"""Who is compared, as data: how each is started, what it is asked, and what its answers must hold."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import messages
from bench.world import World

CONSULT = "/SelfEmployedService/v2/consult"
WORKERS = 2


def _database_of(world: World) -> Mapping[str, str]:
    return {} if world.database_url is None else {"KSZ_DATABASE_URL": world.database_url}


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server under test.

    `cost` says how dear a request is to it, and so how many a round has: as many times fewer than the cheapest's.
    `world` names the world that it serves; `certified` is for one that is asked with a client certificate over TLS.
    """

    name: str
    title: str
    command: Callable[[World, int], list[str]]
    write: messages.Write
    expected: str
    path: str = CONSULT
    environment: Callable[[World], Mapping[str, str]] = _database_of
    world: str = "usual"
    certified: bool = False
    cost: int = 4
    only_full: bool = False


def _gateway(*options: str) -> Callable[[World, int], list[str]]:
    return lambda world, port: [
        *(sys.executable, "-m", "gateway", "serve", "--state", str(world.state)),
        *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), *options),
    ]


def _gunicorn(application: str) -> Callable[[World, int], list[str]]:
    return lambda world, port: [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread"),
        *("--workers", str(WORKERS), "--threads", "8", "--keep-alive", "30", "--bind", f"127.0.0.1:{port}"),
        *("--log-level", "warning", application),
    ]


POSTGRESQL = "PostgreSQL"
WORLDS: Mapping[str, tuple[int, int]] = {
    "many persons": (1_000_000, 10),
    "usual": (100_000, 10),
    POSTGRESQL: (100_000, 10),
    "few persons": (10_000, 10),
    "many annexes": (100_000, 10_000),
}
"""How many persons and annexes each world has: what takes longest to make comes first."""

_SIGNED = messages.signed_contributions
_FOUND = "DATA_FOUND"

# In this order they take turns: those that are compared with each other, soon after one another.
CONTESTANTS = (
    Contestant("ours", "ours, signed RSA, SQLite", _gateway("--no-tls"), _SIGNED, _FOUND),
    Contestant(
        "many-annexes",
        "ours, 10,000 annexes",
        _gateway("--no-tls"),
        _SIGNED,
        _FOUND,
        world="many annexes",
        only_full=True,
    ),
    Contestant(
        "spyne-signed",
        "stock Spyne + xmlsec, signed",
        _gunicorn("bench.spyne_app:signed"),
        messages.signed_spyne_contributions,
        _FOUND,
        environment=lambda world: {"BENCH_STATE": str(world.state)},
        cost=10,
    ),
    Contestant(
        "ours-ec",
        "ours, replies signed with P-256",
        _gateway("--no-tls"),
        _SIGNED,
        _FOUND,
        environment=lambda world: {
            "KSZ_SIGNING_KEY": str(world.state / "ec/pki/gateway.key"),
            "KSZ_SIGNING_CERTIFICATE": str(world.state / "ec/pki/gateway.pem"),
        },
    ),
    Contestant("ours-pg", "ours, signed RSA, PostgreSQL", _gateway("--no-tls"), _SIGNED, _FOUND, world=POSTGRESQL),
    Contestant(
        "few-persons",
        "ours, 10,000 persons",
        _gateway("--no-tls"),
        _SIGNED,
        _FOUND,
        world="few persons",
        only_full=True,
    ),
    Contestant(
        "many-persons",
        "ours, 1,000,000 persons",
        _gateway("--no-tls"),
        _SIGNED,
        _FOUND,
        world="many persons",
        only_full=True,
    ),
    Contestant(
        "ours-ping",
        "ours, PING, signed",
        _gateway("--no-tls"),
        messages.signed_ping,
        "HealthCheckResponse",
        path="/HealthCheckService/v1/consult",
        cost=2,
    ),
    Contestant("ours-tls", "ours, mutual TLS, unsigned", _gateway(), messages.contributions, _FOUND, certified=True),
    Contestant(
        "spyne",
        "stock Spyne, unsigned",
        _gunicorn("bench.spyne_app:unsigned"),
        messages.spyne_contributions,
        _FOUND,
        cost=8,
    ),
    Contestant(
        "bare", "gunicorn alone, 10 KB", _gunicorn("bench.bare_app:application"), messages.contributions, "x", cost=1
    ),
)
