"""The meter counts every exchange once, and folds durations as Prometheus itself would."""

from dataclasses import replace
from pathlib import Path

from prometheus_client import CollectorRegistry, Histogram

from gateway.metrics import Meter, durations_of, forget_process
from gateway.pipeline import STAGES, Answer

SERVICE = "SelfEmployedService/v2"


def answer(*stages: float, outcome: str = "reply", code: str = "MSG00000", decision: str = "permit") -> Answer:
    """An answer whose stages took so many seconds; writing took 0.25, recording 0.5 and sealing 1."""
    marks = [100.0]
    for seconds in stages:
        marks.append(marks[-1] + seconds)
    # The end of the last that ran: at once where all established something.
    if len(stages) == len(STAGES):
        marks.append(marks[-1])
    written = marks[-1] + 0.25
    return Answer(
        200, b"", outcome, code, "pcsa", "consultCareer", decision, [*marks, written, written + 0.5, written + 1.5]
    )


def test_each_stage_that_ran_has_its_duration() -> None:
    whole = durations_of(answer(*(0.125,) * len(STAGES)))
    assert whole == [*((stage, 0.125) for stage in STAGES), ("respond", 1.25), ("record", 0.5)]


def test_the_stage_that_refuses_has_its_duration_too() -> None:
    refused = durations_of(answer(0.125, 0.125, 2.0, outcome="fault", decision=""))
    assert refused == [("receive", 0.125), ("parse", 0.125), ("authenticate", 2.0), ("respond", 1.25), ("record", 0.5)]


def test_exchanges_are_counted_once_by_what_became_of_them() -> None:
    registry = CollectorRegistry()
    meter = Meter(registry, frozenset({SERVICE}))
    for each in (answer(0.1), answer(0.1), answer(0.1, outcome="refusal", code="MSG00012", decision="deny")):
        meter.note(SERVICE, each)
    meter.note(SERVICE, answer(0.1, outcome="fault", code="MSG00001", decision=""))
    assert registry.get_sample_value("ksz_requests_total", _labels("reply", "MSG00000")) is None
    meter.flush()
    meter.flush()
    assert registry.get_sample_value("ksz_requests_total", _labels("reply", "MSG00000")) == 2
    assert registry.get_sample_value("ksz_requests_total", _labels("fault", "MSG00001")) == 1
    decided = {"service": SERVICE, "decision": "deny", "code": "MSG00012"}
    assert registry.get_sample_value("ksz_decisions_total", decided) == 1


def _labels(outcome: str, code: str) -> dict[str, str]:
    return {"service": SERVICE, "operation": "consultCareer", "outcome": outcome, "code": code}


def test_folded_durations_are_what_observing_each_would_give() -> None:
    registry, plain = CollectorRegistry(), CollectorRegistry()
    meter = Meter(registry, frozenset({SERVICE}))
    spent = [0.0001, 0.0005, 0.001, 0.003, 0.2, 0.2, 10.0, 11.0, 99.0]
    for seconds in spent:
        meter.note(SERVICE, answer(*(seconds,) * len(STAGES)))
        meter.note("TestConnectionService/v1", answer(*(seconds,) * len(STAGES)))
    meter.flush()
    bounds = [bound for bound in meter._source_seconds.labels(SERVICE)._upper_bounds if bound != float("inf")]
    histogram = Histogram("ksz_source_seconds", "x", ("source",), buckets=bounds, registry=plain)
    for seconds in spent:
        begin = 100.0 + 7 * seconds
        histogram.labels(SERVICE).observe(begin + seconds - begin)
    for bound in [*map(str, bounds), "+Inf"]:
        labels = {"source": SERVICE, "le": bound}
        expected = plain.get_sample_value("ksz_source_seconds_bucket", labels)
        assert registry.get_sample_value("ksz_source_seconds_bucket", labels) == expected
    meter.note(SERVICE, replace(answer(*(1.0,) * len(STAGES)), operation="HealthCheck"))
    meter.flush()
    assert registry.get_sample_value("ksz_source_seconds_count", {"source": SERVICE}) == len(spent)
    other = {"source": "TestConnectionService/v1"}
    assert registry.get_sample_value("ksz_source_seconds_count", other) is None


def test_the_backlog_is_that_of_the_moment() -> None:
    registry = CollectorRegistry()
    meter = Meter(registry, frozenset())
    waiting = [7]
    meter.start(backlog=lambda: waiting[0])
    meter.flush()
    assert registry.get_sample_value("ksz_audit_backlog") == 7
    waiting[0] = 0
    meter.close()
    assert registry.get_sample_value("ksz_audit_backlog") == 0


def test_of_a_process_that_ended_only_its_gauges_are_forgotten(tmp_path: Path) -> None:
    for name in ("counter_7.db", "gauge_livesum_7.db", "gauge_livesum_77.db"):
        (tmp_path / name).touch()
    forget_process(tmp_path, 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counter_7.db", "gauge_livesum_77.db"]
