"""What must be reached, as data: what is measured, over what, and at most how much."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.run import Run

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Judgement:
    """One row of the table: a figure, None where this run did not measure it, and the most that it may be."""

    title: str
    measured: float | None
    most: float

    @property
    def verdict(self) -> str:
        """Say whether the target is reached."""
        if self.measured is None:
            return "not measured"
        return "reached" if self.measured <= self.most else "missed"


_Figure = Callable[[Run], float | None]


def judge(run: Run) -> list[Judgement]:
    """Hold a run against every target."""
    return [Judgement(title, figure(run), most) for title, figure, most in _TARGETS]


def _ratio(what: str, *of: str) -> _Figure:
    return lambda run: run.ratio(what, of)


def _tail(run: Run) -> float | None:
    return run.at_rate.p99 / run.at_rate.p50 if run.at_rate else None


def _memory(run: Run) -> float | None:
    return run.worker_memory / _MEGABYTE if run.worker_memory else None


def _decision(run: Run) -> float | None:
    return max((each.microseconds for each in run.decisions if each.engine == "ours"), default=None)


def _flatness(run: Run) -> float | None:
    ours = [each.microseconds for each in run.decisions if each.engine == "ours"]
    return ours[-1] / ours[0] if ours else None


_TARGETS: tuple[tuple[str, _Figure, float], ...] = (
    ("signed RSA, SQLite : stock Spyne + xmlsec", _ratio("ours", "spyne-signed"), 0.33),
    ("signed RSA, SQLite : gunicorn alone + limit", _ratio("ours", "bare", "limit"), 2.2),
    ("PostgreSQL, its processes counted : SQLite", _ratio("ours-pg", "ours"), 1.35),
    ("P-256 replies : RSA replies", _ratio("ours-ec", "ours"), 0.75),
    ("mutual TLS unsigned : stock Spyne unsigned", _ratio("ours-tls", "spyne"), 0.30),
    ("1,000,000 persons : 10,000", _ratio("many-persons", "few-persons"), 1.15),
    ("10,000 annexes : 10", _ratio("many-annexes", "ours"), 1.05),
    ("p99 : p50 at 70 % of the saturated rate", _tail, 6.0),
    ("memory of the largest worker after 50,000 requests, MB", _memory, 150.0),
    ("serve to first answer, s", lambda run: run.first_answer, 2.0),
    ("a decision, the slowest of 10 to 10,000 annexes, us", _decision, 20.0),
    ("a decision, 10,000 annexes : 10", _flatness, 1.5),
)
