"""Limits by address and by client: what exceeds them costs little, is no record, and never another's loss."""

from typing import Any

from gateway_world import HEALTH, HEALTH_PATH, OpenWorld, World

from fixtures.messages import envelope
from gateway.metrics import durations_of
from gateway.rate_limit import RateLimit
from gateway.storage.tables import audit_records, quota_counters, replay_keys, stranger_refusals

SSIN = "75631290176"
PING = f'<h:HealthCheckRequest xmlns:h="{HEALTH}"><criteria><level>PING</level></criteria></h:HealthCheckRequest>'
NEIGHBOUR = "192.0.2.8"


def standing() -> float:
    """A monotonic clock that stands still."""
    return 0.0


class NeverVerifies:
    """Trust that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("a signature was verified")


def kept(world: World) -> int:
    return sum(len(world.rows(table)) for table in (audit_records, stranger_refusals, replay_keys, quota_counters))


def test_an_address_over_its_rate_is_refused_before_anything_is_done(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    limited = world.with_part(address_limit=RateLimit(1, standing))
    assert [limited.ask(SSIN).outcome[1] for _ in range(2)] == ["MSG00000", "MSG00000"]
    before = kept(world)
    limited = limited.with_part(trust=NeverVerifies())
    with world.without_database():
        over = limited.ask(SSIN)
    assert over.outcome == ("fault", "GTW00005")
    assert (over.status, over.headers["Retry-After"]) == ("429 Too Many Requests", "1")
    assert over.faultcode == "soapenv:Client"
    assert not over.is_signed
    assert kept(world) == before


def test_another_address_is_not_refused(world: World) -> None:
    limited = world.with_part(address_limit=RateLimit(1, standing))
    for _ in range(5):
        limited.post(b"<a/>")
    assert limited.post(b"<a/>").outcome[1] == "GTW00005"
    assert limited.post(limited.sign("<a/>"), REMOTE_ADDR=NEIGHBOUR).outcome[1] == "GTW00016"


def test_the_address_behind_a_trusted_proxy_is_the_one_that_counts(world: World) -> None:
    limited = world.with_part(address_limit=RateLimit(1, standing))
    forwarded = {**world.handed_over("career-account"), "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    assert [limited.post(b"<a/>", **forwarded).outcome[1] for _ in range(3)][-1] == "GTW00005"
    forwarded["HTTP_X_FORWARDED_FOR"] = "198.51.100.2"
    assert limited.post(b"<a/>", **forwarded).outcome[1] != "GTW00005"


def test_a_client_over_its_rate_is_refused_before_validation_and_storage(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    limited = world.with_part(client_limit=RateLimit(1, standing))
    for _ in range(2):
        limited.ask(SSIN)
    before = kept(world)
    with world.without_database():
        over = limited.post(limited.sign("<not-valid/>"))
    assert over.outcome == ("fault", "GTW00001")
    assert (over.status, over.headers["Retry-After"]) == ("500 Internal Server Error", "1")
    assert "requests a second" in over.faultstring
    assert not over.is_signed
    assert kept(world) == before
    assert limited.ask(SSIN, "economy").outcome[1] != "GTW00001"


def test_health_checks_count_too(world: World) -> None:
    limited = world.with_part(client_limit=RateLimit(1, standing))
    codes = [limited.post(limited.sign(PING, "probe"), HEALTH_PATH).outcome[1] for _ in range(3)]
    assert codes == ["MSG00000", "MSG00000", "GTW00001"]


def test_a_stranger_uses_up_nobodys_rate_or_quota(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    limited = world.with_part(client_limit=RateLimit(1, standing))
    message = limited.sign("<a/>", "inspection")
    forged = message.replace(b"<a/>", b"<b/>")
    for _ in range(40):
        assert limited.post(forged).faultcode == "wsse:FailedCheck"
        assert limited.post(envelope("<a/>")).faultcode == "wsse:SecurityTokenUnavailable"
    assert world.rows(quota_counters) == []
    assert limited.ask(SSIN, "inspection").outcome[1] == "MSG00000"


def test_a_quota_found_used_up_costs_the_database_nothing_until_the_next_minute(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=1)
    codes = [world.ask(SSIN, "inspection").outcome[1] for _ in range(31)]
    assert codes[-1] == "GTW00001"
    before = kept(world)
    with world.without_database():
        over = world.ask(SSIN, "inspection")
    assert over.outcome == ("fault", "GTW00001")
    assert 50 <= int(over.headers["Retry-After"]) <= 59
    assert kept(world) == before
    world.clock.advance(minutes=1)
    assert world.ask(SSIN, "inspection").outcome[1] == "MSG00000"


def test_what_is_shed_is_measured_by_its_stages(world: World) -> None:
    limited = world.with_part(address_limit=RateLimit(1, standing))
    answers: list[Any] = []

    class Meter:
        def note(self, service: str, answer: Any) -> None:
            answers.append(answer)

    limited.app._meter = Meter()
    for _ in range(3):
        limited.post(b"<a/>")
    assert [answer.code for answer in answers][-1] == "GTW00005"
    assert [answer.shed for answer in answers] == [False, False, True]
    assert [name for name, _ in durations_of(answers[-1])] == ["receive", "respond", "record"]
