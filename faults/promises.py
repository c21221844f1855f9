"""What is promised of each fault: the one table of how long service may be away, and of what callers may be told.

`within_seconds` counts from the end of the fault, or from its begin where nothing but the gateway itself ends it: until
then every client that it concerns is answered well again, without anybody's help, and is from then on.
"""

from collections.abc import Callable
from dataclasses import dataclass

from faults import clocks, connections, disk, kills, quota, sources
from faults.load import BROKEN
from faults.trial import Trial

AWAY = "MSG00001"
"""The gateway cannot answer now: it could not have recorded it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """`told` is what the clients concerned may get instead of data while it lasts. `database`: sqlite or postgresql."""

    name: str
    fault: str
    run: Callable[[Trial], None]
    within_seconds: float
    told: frozenset[str]
    database: str = "sqlite"


PROMISES = tuple(
    Promise(name, fault, run, seconds, frozenset(told), *more)
    for name, fault, run, seconds, told, *more in (
        ("worker", "kill -9 of one worker", kills.kill_one_worker, 5, {BROKEN}),
        ("workers", "kill -9 of all workers", kills.kill_all_workers, 15, {BROKEN}),
        ("gateway", "kill -9 of the whole gateway, on SQLite, and a start", kills.kill_gateway, 15, {BROKEN}),
        (
            *("database", "kill -9 of PostgreSQL, away for 5 s", kills.kill_database),
            *(10, {AWAY, BROKEN}, "postgresql"),
        ),
        ("disk", "disk full for 5 s", disk.fill_disk, 10, {AWAY, BROKEN}),
        ("clock-ahead", "the clock jumps an hour ahead, and back", clocks.jump_ahead, 5, {"wsu:MessageExpired"}),
        ("clock-behind", "the clock jumps an hour back, and ahead", clocks.jump_back, 5, {"wsu:MessageExpired"}),
        ("source-hangs", "a source hangs for 8 s", sources.hang, 15, {"MSG00020"}),
        ("source-garbage", "a source answers garbage for 8 s", sources.answer_garbage, 15, {"MSG00020", "MSG00023"}),
        ("slow-proxied", "2,000 slow connections to HAProxy", connections.stall_proxy, 5, set()),
        ("slow-bare", "2,000 slow connections to the gateway itself", connections.stall_gateway, 15, {BROKEN}),
        ("quota", "10,000 requests of a client over its quota", quota.exceed, 5, set()),
    )
)
