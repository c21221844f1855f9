"""Freshness: Created within five minutes back and one ahead, Expires not past, and nothing that is no time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.wss.faults import SecurityFault
from gateway.wss.names import WSU
from gateway.wss.policy import SecurityPolicy
from gateway.wss.timestamp import Timestamp, check_fresh, read_timestamp

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POLICY = SecurityPolicy()


def timestamp(*times: str) -> etree._Element:
    return etree.fromstring(f'<u:Timestamp xmlns:u="{WSU}">{"".join(times)}</u:Timestamp>')


def created(text: str) -> str:
    return f"<u:Created>{text}</u:Created>"


def expires(text: str) -> str:
    return f"<u:Expires>{text}</u:Expires>"


@pytest.mark.parametrize(
    ("age", "accepted"), [(299, True), (300, False), (301, False), (-60, True), (-61, False), (0, True)]
)
def test_created_bounds(age: int, accepted: bool) -> None:
    stamp = Timestamp(NOW - timedelta(seconds=age), None)
    if accepted:
        check_fresh(stamp, POLICY, NOW)
        return
    with pytest.raises(SecurityFault) as refusal:
        check_fresh(stamp, POLICY, NOW)
    assert refusal.value.code == "wsu:MessageExpired"


@pytest.mark.parametrize(("left", "accepted"), [(1, True), (0, False), (-1, False), (10**9, True)])
def test_expires_has_no_tolerance_and_no_maximum(left: int, accepted: bool) -> None:
    stamp = Timestamp(NOW - timedelta(seconds=100), NOW + timedelta(seconds=left))
    if accepted:
        check_fresh(stamp, POLICY, NOW)
        return
    with pytest.raises(SecurityFault) as refusal:
        check_fresh(stamp, POLICY, NOW)
    assert refusal.value.code == "wsu:MessageExpired"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:00:00Z", NOW),
        (" 2026-03-02T11:00:00.000+01:00\n", NOW),
        ("2026-03-02T10:00:00.999999999Z", NOW.replace(microsecond=999999)),
    ],
)
def test_times_are_read_as_utc(text: str, expected: datetime) -> None:
    assert read_timestamp(timestamp(created(text))).created == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02",
        "2026-03-02T10:00:00",
        "2026-03-02 10:00:00Z",
        "2026-03-02T24:00:01Z",
        "2026-02-30T10:00:00Z",
        "2026-03-02T10:00:60Z",
        "20260302T100000Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-02T10:00:00.Z",
        "2026-03-02T10:00:00+99:99",
        "٢٠٢٦-03-02T10:00:00Z",
        "-2026-03-02T10:00:00Z",
        "2026-03-02T10:<!-- -->00:00Z",
        "<u:x/>2026-03-02T10:00:00Z",
        "2026-03-02T10:00:00Z<!-- and then -->junk",
        "2026-03-02T10:00:00Z<?and then?>",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(SecurityFault) as refusal:
        read_timestamp(timestamp(created(text)))
    assert refusal.value.code == "wsse:InvalidSecurity"


def test_created_must_be_there_once_and_expires_at_most_once() -> None:
    moment = "2026-03-02T10:00:00Z"
    for wrong in (
        timestamp(),
        timestamp(expires(moment)),
        timestamp(created(moment), created(moment)),
        timestamp(created(moment), expires(moment), expires(moment)),
    ):
        with pytest.raises(SecurityFault) as refusal:
            read_timestamp(wrong)
        assert refusal.value.code == "wsse:InvalidSecurity"


def test_expires_before_created_is_refused() -> None:
    with pytest.raises(SecurityFault) as refusal:
        check_fresh(Timestamp(NOW, NOW - timedelta(seconds=1)), POLICY, NOW)
    assert refusal.value.code == "wsse:InvalidSecurity"


@given(st.datetimes(), st.datetimes())
def test_any_two_times_are_accepted_or_refused(first: datetime, second: datetime) -> None:
    stamp = Timestamp(first.replace(tzinfo=UTC), second.replace(tzinfo=UTC))
    try:
        check_fresh(stamp, POLICY, NOW)
    except SecurityFault:
        return
    assert NOW - POLICY.max_age < stamp.created <= NOW + POLICY.clock_skew
    assert stamp.expires is not None
    assert stamp.expires > NOW
