"""What operators sign: one way to write it, every part of it in it, and no statement that could pass for the other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from gateway.annexes.statement import Approval, Order

NOON = datetime(2026, 3, 10, 12, 0, 0, 5, tzinfo=UTC)
ORDER = Order("pcsa", "ab" * 32, frozenset({"sha256:b", "sha256:a"}), NOON, "", "an", NOON)
APPROVAL = Approval(ORDER, 7, NOON, "cd" * 32, "bram", NOON)


def test_an_order_is_one_canonical_text() -> None:
    assert ORDER.octets() == (
        b"ksz-gateway annex order v1\n"
        b'{"activeFrom":"2026-03-10T12:00:00.000005Z","after":"","client":"pcsa",'
        b'"names":["sha256:a","sha256:b"],"proposedAt":"2026-03-10T12:00:00.000005Z","proposedBy":"an",'
        b'"revision":"' + b"ab" * 32 + b'"}'
    )
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
    assert replace(ORDER, active_from=elsewhere, proposed_at=elsewhere).octets() == ORDER.octets()


@pytest.mark.parametrize(
    "change",
    [
        {"client": "economy"},
        {"revision": "ac" * 32},
        {"names": frozenset({"sha256:a"})},
        {"active_from": None},
        {"after": "00" * 32},
        {"proposed_by": "bram"},
        {"proposed_at": NOON + timedelta(microseconds=1)},
    ],
)
def test_every_part_of_an_order_is_signed_by_both(change: dict[str, Any]) -> None:
    other = replace(ORDER, **change)
    assert other.octets() != ORDER.octets()
    assert replace(APPROVAL, order=other).octets() != APPROVAL.octets()


@pytest.mark.parametrize(
    "change",
    [
        {"number": 8},
        {"active_from": NOON + timedelta(microseconds=1)},
        {"follows": ""},
        {"approved_by": "an"},
        {"approved_at": NOON - timedelta(microseconds=1)},
    ],
)
def test_every_part_of_an_approval_is_signed_and_in_its_digest(change: dict[str, Any]) -> None:
    other = replace(APPROVAL, **change)
    assert other.octets() != APPROVAL.octets()
    assert other.digest != APPROVAL.digest


def test_an_order_never_passes_for_an_approval() -> None:
    assert APPROVAL.octets().startswith(b"ksz-gateway annex approval v1\n")
    assert not ORDER.octets().startswith(b"ksz-gateway annex approval")
