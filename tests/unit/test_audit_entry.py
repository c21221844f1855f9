"""The entry of a record: one form for one content."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from gateway.audit.entry import entry_octets

ROW: dict[str, Any] = {
    "position": 7,
    "client": "gemeente Sint-Truiden \N{EURO SIGN}",
    "value": None,
    "received_at": datetime(2026, 3, 10, 12, 0, 5, tzinfo=UTC),
    "criteria": ["criteria/ssin"],
    "sealed": b"\x00\xff",
    "left_out": 0,
}


def test_entry_is_canonical_json() -> None:
    assert entry_octets(ROW, ["b", "a"]).decode() == (
        '{"client":"gemeente Sint-Truiden €","criteria":["criteria/ssin"],"further_subjects":["a","b"],"left_out":0,'
        '"position":7,"received_at":"2026-03-10T12:00:05.000000Z","sealed":"AP8="}'
    )


def test_entry_is_the_same_before_storing_and_after() -> None:
    brussels = ROW["received_at"].astimezone(timezone(timedelta(hours=1)))
    written = {**dict(reversed(ROW.items())), "received_at": brussels, "criteria": ("criteria/ssin",)}
    assert entry_octets(written, ["a", "b"]) == entry_octets(ROW, ["b", "a"])


def test_a_text_that_looks_like_the_sealed_part_stays_where_it_is() -> None:
    written = json.loads(entry_octets({**ROW, "client": '"sealed":""', "value": '{"sealed":""}'}, []))
    assert (written["client"], written["value"], written["sealed"]) == ('"sealed":""', '{"sealed":""}', "AP8=")


def test_leaf_and_columns_without_a_value_are_not_in_it() -> None:
    assert entry_octets({**ROW, "leaf": b"x", "added_later": None}, []) == entry_octets(ROW, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"position": 8},
        {"client": None},
        {"value": ""},
        {"received_at": ROW["received_at"] + timedelta(microseconds=1)},
        {"criteria": []},
        {"sealed": b"\x00\xfe"},
        {"left_out": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_column_is_in_it(changed: dict[str, Any]) -> None:
    assert entry_octets({**ROW, **changed}, []) != entry_octets(ROW, [])


@pytest.mark.parametrize("value", [object(), float("nan")])
def test_what_has_no_one_form_has_no_entry(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        entry_octets({**ROW, "value": value}, [])
