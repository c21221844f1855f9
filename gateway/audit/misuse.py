"""Signs of misuse per client: what a security adviser should ask about. Pure functions over exchanges.

Nobody is accused: a sign says what is unusual, by thresholds that are data (`misuse.yaml`). Persons are pseudonyms,
which differ from month to month, so nobody needs a key for it and no person is shown.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from statistics import median
from typing import Any, Self
from zoneinfo import ZoneInfo

import holidays
import yaml

_BRUSSELS = ZoneInfo("Europe/Brussels")
# Makes the median of the distances to the median comparable to a standard deviation.
_SPREAD = 1.4826


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on something is a sign: sections of `misuse.yaml`."""

    working_hours: Mapping[str, int]
    off_hours: Mapping[str, float]
    volume: Mapping[str, float]
    persons: Mapping[str, int]
    refusals: Mapping[str, float]

    @classmethod
    def load(cls) -> Self:
        """Read the thresholds that come with the gateway."""
        return cls(**yaml.safe_load((files("gateway.audit") / "misuse.yaml").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the report looks at of a record. `received_at` is aware; `persons` are pseudonyms with their month."""

    client: str
    received_at: datetime
    refused: bool
    code: str | None = None
    persons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """Something unusual; `kind` is off-hours, volume, person, many clients or refusals, `what` says it in words."""

    kind: str
    client: str
    count: int
    what: str


@dataclass(slots=True)
class Activity:
    """What one client did in the period."""

    exchanges: int = 0
    off_hours: int = 0
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    persons: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Report:
    """Every client that was active, and the signs, the client's names in order."""

    clients: Mapping[str, Activity]
    signs: tuple[Sign, ...]


def is_off_hours(moment: datetime, thresholds: Thresholds) -> bool:
    """Tell whether a moment lies outside working hours in Brussels: night, weekend or a Belgian public holiday."""
    local = moment.astimezone(_BRUSSELS)
    hours = thresholds.working_hours
    return not is_working_day(local.date()) or not hours["begin"] <= local.hour < hours["end"]


@cache
def is_working_day(day: date) -> bool:
    """Tell whether a day is neither in a weekend nor a public holiday of Belgium."""
    return day.weekday() < 5 and day not in _belgian_holidays(day.year)


def earliest(since: date, thresholds: Thresholds) -> date:
    """Return the first day whose exchanges are needed for a report from `since` on: a client's usual days."""
    return since - timedelta(days=int(thresholds.volume["earlier_days"]))


def report(exchanges: Iterable[Exchange], since: date, thresholds: Thresholds) -> Report:
    """Report on the exchanges from a day (of Brussels) on; the earlier ones say what is usual for a client."""
    clients: defaultdict[str, Activity] = defaultdict(Activity)
    earlier: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for exchange in exchanges:
        day = exchange.received_at.astimezone(_BRUSSELS).date()
        if day < since:
            earlier[exchange.client][day] += 1
            continue
        activity = clients[exchange.client]
        activity.exchanges += 1
        activity.off_hours += is_off_hours(exchange.received_at, thresholds)
        activity.days[day] += 1
        activity.persons.update(exchange.persons)
        if exchange.refused:
            activity.refused += 1
            activity.codes[exchange.code or "no code"] += 1
    signs = [
        sign
        for name in sorted(clients)
        for sign in (
            *_off_hours(name, clients[name], thresholds.off_hours),
            *_volume(name, clients[name].days + earlier[name], since, thresholds.volume),
            *_same_person(name, clients[name], thresholds.persons["times"]),
            *_refusals(name, clients[name], thresholds.refusals),
        )
    ]
    signs += _many_clients(clients, thresholds.persons["clients"])
    return Report({name: clients[name] for name in sorted(clients)}, tuple(signs))


def _off_hours(client: str, activity: Activity, threshold: Mapping[str, float]) -> Iterator[Sign]:
    share = activity.off_hours / activity.exchanges
    if activity.off_hours >= threshold["least"] and share >= threshold["share"]:
        yield Sign("off-hours", client, activity.off_hours, f"{share:.0%} outside working hours")


def _volume(client: str, days: Mapping[date, int], since: date, threshold: Mapping[str, float]) -> Iterator[Sign]:
    """Compare each day with the client's own days before it of the same sort, working days or not."""
    first = min(days)
    for day in sorted(day for day in days if day >= since):
        if days[day] < threshold["least"]:
            continue
        begin = max(first, day - timedelta(days=int(threshold["earlier_days"])))
        before = (begin + timedelta(days=number) for number in range((day - begin).days))
        usual = [days.get(each, 0) for each in before if is_working_day(each) == is_working_day(day)]
        if len(usual) < threshold["fewest_days"]:
            continue
        middle = median(usual)
        spread = _SPREAD * median(abs(each - middle) for each in usual)
        # A client whose days are all alike has no spread: then as if it were a tenth of its usual day, at least one.
        if days[day] > middle + threshold["spreads"] * max(spread, middle / 10, 1):
            yield Sign("volume", client, days[day], f"{days[day]} on {day}, usually {middle:g}")


def _same_person(client: str, activity: Activity, times: int) -> Iterator[Sign]:
    for (month, person), count in activity.persons.most_common():
        if count < times:
            break
        yield Sign("person", client, count, f"{count} times the person {person[:12]} in {month}")


def _refusals(client: str, activity: Activity, threshold: Mapping[str, float]) -> Iterator[Sign]:
    share = activity.refused / activity.exchanges
    if activity.exchanges >= threshold["least"] and share >= threshold["share"]:
        codes = ", ".join(f"{code} {count}" for code, count in activity.codes.most_common())
        yield Sign("refusals", client, activity.refused, f"{share:.0%} refused: {codes}")


def _many_clients(clients: Mapping[str, Activity], fewest: int) -> Iterator[Sign]:
    askers: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in sorted(clients):
        for asked in clients[name].persons:
            askers[asked].append(name)
    for (month, person), names in sorted(askers.items()):
        if len(names) >= fewest:
            what = f"{len(names)} clients about the person {person[:12]} in {month}"
            yield Sign("many clients", ", ".join(names), len(names), what)


@cache
def _belgian_holidays(year: int) -> Any:
    return holidays.country_holidays("BE", years=year)
