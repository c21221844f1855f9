"""What a run measured, and the medians and ratios that follow from it."""

import os
import platform
import ssl
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.commits import Commits
from bench.contestants import CONTESTANTS
from bench.decisions import Decisions
from bench.load import Round

_PACKAGES = ("gunicorn", "spyne", "lxml", "xmlsec", "cryptography", "SQLAlchemy", "psycopg", "pycasbin", "cedarpy")


@dataclass(slots=True)
class Run:
    """What was measured: `rounds` by contestant, the `limit` of each round, and what was measured once.

    Memory is bytes (`memory` of all processes of a server, `worker_memory` of the largest), times are seconds where
    their names do not say otherwise.
    """

    rounds: dict[str, list[Round]] = field(default_factory=dict)
    limit: list[float] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    worker_memory: int = 0
    first_answer: float | None = None
    at_rate: Round | None = None
    stages: Sequence[tuple[str, float]] = ()
    decisions: Sequence[Decisions] = ()
    commits: Sequence[Commits] = ()

    def ratio(self, what: str, of: Sequence[str]) -> float | None:
        """Return the median, over the rounds, of a cost over the sum of others; None where one did not run."""
        if not {what, *of} <= {*self.rounds, "limit"}:
            return None
        others = zip(*(self._costs(name) for name in of), strict=True)
        return float(median(cost / sum(other) for cost, other in zip(self._costs(what), others, strict=True)))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each contestant, in their order, the limit last."""
        rows = [self._row(each.name, each.title) for each in CONTESTANTS if each.name in self.rounds]
        limit = {"name": "limit", "title": "the limit, in process", "cpu": median(self.limit)}
        return [*rows, limit | {"ratio": self.ratio("limit", ("ours",))}]

    def _costs(self, name: str) -> list[float]:
        return self.limit if name == "limit" else [each.cpu for each in self.rounds[name]]

    def _row(self, name: str, title: str) -> dict[str, Any]:
        rounds = [asdict(each) for each in self.rounds[name]]
        medians = {key: median(each[key] for each in rounds) for key in rounds[0]}
        return {
            "name": name,
            "title": title,
            **medians,
            "ratio": self.ratio(name, ("ours",)),
            "memory": self.memory.get(name),
        }


def describe_machine() -> Mapping[str, str]:
    """Name what the numbers depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} x {models[0] if models else platform.processor()}, Linux {platform.release()}",
        "python": f"{platform.python_version()}, {_optimisation()}",
        "openssl": ssl.OPENSSL_VERSION,
        **{name: version(name) for name in _PACKAGES},
    }


def _optimisation() -> str:
    """Tell how this interpreter was built: it changes everything that is written in Python."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return "built with PGO" if "--enable-optimizations" in arguments else "built without PGO"
