"""The misuse report says what is unusual of a client, and nothing of one that works as it always did."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.misuse import Exchange, Report, Thresholds, is_off_hours, is_working_day, report

THRESHOLDS = Thresholds.load()
MONDAY = date(2026, 3, 9)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def asked(day: date, count: int, client: str = "pcsa", hour: int = 9, **values: object) -> list[Exchange]:
    """Return so many exchanges, about a person each."""
    persons = [((f"{day:%Y-%m}", f"{client}-{day}-{number}"),) for number in range(count)]
    return [Exchange(client, at(day, hour), **{"refused": False, "persons": each} | values) for each in persons]


def signs(exchanges: Iterable[Exchange], since: date = MONDAY) -> list[tuple[str, str, int]]:
    return [(sign.kind, sign.client, sign.count) for sign in report(exchanges, since, THRESHOLDS).signs]


@pytest.mark.parametrize(
    ("moment", "off"),
    [
        ("2026-03-09T05:59:00+00:00", True),  # 6:59 in Brussels
        ("2026-03-09T06:00:00+00:00", False),
        ("2026-03-09T17:59:00+00:00", False),
        ("2026-03-09T18:00:00+00:00", True),
        ("2026-07-06T05:00:00+00:00", False),  # 7:00 in summer time
        ("2026-03-08T12:00:00+00:00", True),  # Sunday
        ("2026-07-21T12:00:00+00:00", True),  # the national day, a Tuesday
        ("2026-05-14T12:00:00+00:00", True),  # Ascension
    ],
)
def test_hours_are_those_of_brussels_with_its_holidays(moment: str, off: bool) -> None:
    assert is_off_hours(datetime.fromisoformat(moment), THRESHOLDS) is off


def test_nights_are_told_of_who_usually_works_by_day() -> None:
    assert signs(asked(MONDAY, 40) + asked(MONDAY, 9, hour=2)) == []
    assert signs(asked(MONDAY, 40) + asked(MONDAY, 10, hour=2)) == [("off-hours", "pcsa", 10)]
    assert signs(asked(MONDAY, 41) + asked(MONDAY, 10, hour=2)) == []


def steady(day: date, count: int) -> list[Exchange]:
    """Return what a client does that asks as often on each of the four weeks' working days before."""
    days = [day - timedelta(days=number) for number in range(1, 29)]
    return [exchange for each in days if is_working_day(each) for exchange in asked(each, count)]


def test_a_day_far_above_a_clients_own_days_is_told() -> None:
    assert signs(steady(MONDAY, 40) + asked(MONDAY, 60)) == []
    assert signs(steady(MONDAY, 40) + asked(MONDAY, 65)) == [("volume", "pcsa", 65)]


def test_one_wild_day_before_does_not_hide_the_next() -> None:
    wild = asked(MONDAY - timedelta(days=3), 5000)
    assert ("volume", "pcsa", 300) in signs(steady(MONDAY, 40) + wild + asked(MONDAY, 300))


def test_a_client_without_a_past_is_not_measured_against_it() -> None:
    assert signs(asked(MONDAY, 500)) == []


def test_a_saturday_is_compared_with_days_without_work() -> None:
    saturday = MONDAY + timedelta(days=5)
    assert ("volume", "pcsa", 60) in signs(steady(MONDAY, 100) + asked(saturday, 60))


def test_who_asks_often_about_one_person_is_told() -> None:
    person = (("2026-03", "ab" * 32),)
    exchanges = [each for number in range(3) for each in asked(MONDAY + timedelta(days=number), 3, persons=person)]
    assert signs(exchanges) == []
    (sign,) = report([*exchanges, *asked(MONDAY, 1, persons=person)], MONDAY, THRESHOLDS).signs
    assert (sign.kind, sign.count) == ("person", 10)
    assert "abababababab" in sign.what


def test_a_person_whom_many_clients_ask_about_is_told() -> None:
    person = (("2026-03", "ab" * 32),)
    two = asked(MONDAY, 1, "pcsa", persons=person) + asked(MONDAY, 1, "economy", persons=person)
    assert signs(two) == []
    assert signs(two + asked(MONDAY, 1, "fund", persons=person)) == [("many clients", "economy, fund, pcsa", 3)]


def test_many_refusals_are_told_with_their_codes() -> None:
    refused = asked(MONDAY, 4, refused=True, code="MSG00012")
    assert signs(asked(MONDAY, 15) + refused) == []
    (sign,) = report(asked(MONDAY, 16) + refused, MONDAY, THRESHOLDS).signs
    assert (sign.kind, sign.count, sign.what) == ("refusals", 4, "20% refused: MSG00012 4")


def test_earlier_days_say_what_is_usual_and_are_not_reported() -> None:
    found: Report = report(asked(MONDAY - timedelta(days=1), 30, hour=2), MONDAY, THRESHOLDS)
    assert (found.clients, found.signs) == ({}, ())


_EXCHANGES = st.lists(
    st.builds(
        Exchange,
        st.sampled_from(["pcsa", "economy"]),
        st.integers(-20 * 24, 10 * 24).map(lambda hours: at(MONDAY, 0) + timedelta(hours=hours)),
        st.booleans(),
        st.sampled_from([None, "MSG00012"]),
        st.lists(st.tuples(st.just("2026-03"), st.sampled_from("abc")), max_size=2).map(tuple),
    ),
    max_size=60,
)


@given(_EXCHANGES, st.randoms())
def test_the_order_of_the_records_changes_nothing(exchanges: list[Exchange], random: object) -> None:
    shuffled = sorted(exchanges, key=lambda each: random.random())  # type: ignore[attr-defined]
    before, after = report(exchanges, MONDAY, THRESHOLDS), report(shuffled, MONDAY, THRESHOLDS)
    assert before.clients == after.clients
    assert {(sign.kind, sign.client, sign.count) for sign in before.signs} == {
        (sign.kind, sign.client, sign.count) for sign in after.signs
    }
