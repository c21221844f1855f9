"""Working days in Belgium: Monday to Friday, public holidays left out."""

from datetime import date, timedelta


def add_working_days(day: date, count: int) -> date:
    """Return the `count`-th working day after `day`."""
    # Imported only here: it loads the calendars of the whole world, and a worker should answer soon.
    import holidays

    closed = holidays.country_holidays("BE", years=(day.year, day.year + 1))
    while count:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in closed:
            count -= 1
    return day
