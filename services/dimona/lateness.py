"""Which declarations come too late; they are accepted all the same, and marked. Belgian time and holidays."""

from datetime import date, datetime, timedelta
from functools import cache

from services.calendar import BRUSSELS
from services.dimona.declaration import Action, Declaration
from services.dimona.period import EmploymentPeriod


def is_late(declaration: Declaration, before: EmploymentPeriod | None, after: EmploymentPeriod, now: datetime) -> bool:
    """Tell whether a declaration, received `now` (aware), is late; it turns the period `before` into `after`.

    An IN is late once the worker has begun, an OUT after the first working day that follows the end. An UPDATE is
    late when a begin or an end that it moves, or to which it moves it, lies in the past by the same measures.
    """
    received = now.astimezone(BRUSSELS).replace(tzinfo=None)
    match declaration.action:
        case Action.IN:
            return _has_begun(after, received)
        case Action.OUT:
            return _has_long_ended(after, received)
        case Action.UPDATE if before is not None:
            begins_moved = (before.begin_date, before.begin_hour) != (after.begin_date, after.begin_hour)
            ends_moved = (before.end_date, before.end_hour) != (after.end_date, after.end_hour)
            return any(
                (begins_moved and _has_begun(each, received)) or (ends_moved and _has_long_ended(each, received))
                for each in (before, after)
            )
    return False


def _has_begun(period: EmploymentPeriod, received: datetime) -> bool:
    if period.begin_hour is None:
        return received.date() > period.begin_date
    return received > datetime.combine(period.begin_date, period.begin_hour)


def _has_long_ended(period: EmploymentPeriod, received: datetime) -> bool:
    end = period.end_date
    return end is not None and received.date() > end and received.date() > find_next_working_day(end)


def find_next_working_day(day: date) -> date:
    """Return the first day after it that is no Saturday, Sunday or Belgian public holiday."""
    following = day + timedelta(days=1)
    while following.weekday() >= 5 or following in _holidays(following.year):
        following += timedelta(days=1)
    return following


@cache
def _holidays(year: int) -> frozenset[date]:
    # Imported only here: it loads the calendars of the whole world, and a worker should answer soon.
    from holidays import country_holidays

    # A set of our own: the library's fills itself while it is asked, which no two threads may do at once.
    return frozenset(country_holidays("BE", years=year))
