"""A source may send so many a second, and no more; it is forgotten when too many others came since."""

import pytest

from gateway.peer import source_of
from gateway.rate_limit import BURST_SECONDS, RateLimit


class Watch:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(limit: RateLimit, source: str, times: int) -> int:
    """Return how many of so many requests pass."""
    return sum(limit.take(source) == 0 for _ in range(times))


def test_a_source_may_send_a_burst_and_then_its_rate() -> None:
    watch = Watch()
    limit = RateLimit(8, watch)
    assert taken(limit, "a", 100) == 8 * BURST_SECONDS
    watch.now += 1
    assert taken(limit, "a", 100) == 8
    watch.now += 3600
    assert taken(limit, "a", 100) == 8 * BURST_SECONDS


def test_what_is_refused_costs_the_source_nothing_and_says_when_to_come_back() -> None:
    watch = Watch()
    limit = RateLimit(1, watch)
    assert taken(limit, "a", 2) == 2
    assert {limit.take("a") for _ in range(1000)} == {1}
    watch.now += 1
    assert limit.take("a") == 0


def test_sources_do_not_share_a_rate() -> None:
    limit = RateLimit(1, Watch())
    taken(limit, "a", 100)
    assert limit.take("b") == 0


def test_no_rate_is_no_limit() -> None:
    assert taken(RateLimit(0, Watch()), "a", 100_000) == 100_000


def test_memory_is_bounded_and_whoever_asks_on_is_not_forgotten() -> None:
    limit = RateLimit(1, Watch(), most_sources=10)
    for number in range(10_000):
        limit.take("noisy")
        limit.take(f"192.0.2.{number}")
    assert limit.take("noisy") > 0
    assert len(limit._full_at) == 10


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("local", "local"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_network_counts_as_one_source(address: str | None, source: str) -> None:
    assert source_of(address) == source
