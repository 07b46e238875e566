"""Russian working days, with the days off that the government transfers each year."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from holidays import country_holidays

_DAY = timedelta(days=1)


def is_working_day(day: date) -> bool:
    """Whether ``day`` is worked in a five-day week.

    Transfers and working Saturdays are known for the years the government has decided on, at
    present to 2027; later years count the statutory holidays only.
    """
    holidays, worked_weekends = _calendar(day.year)
    return day in worked_weekends if day.weekday() >= 5 else day not in holidays


def is_public_holiday(day: date) -> bool:
    """Whether ``day`` is off by law or by transfer; ordinary weekends are not."""
    return day in _calendar(day.year)[0]


def add_working_days(day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``, which itself is not counted.

    Zero gives ``day`` or, if it is not worked, the next working day.
    """
    if count < 0:
        raise ValueError("terms are counted forward")
    if count == 0 and not is_working_day(day):
        count = 1
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def last_working_day(day: date) -> date:
    """Return ``day`` or, if it is not worked, the working day before it."""
    while not is_working_day(day):
        day -= _DAY
    return day


def working_days_between(start: date, end: date) -> int:
    """Return how many working days follow ``start`` up to and with ``end``; 0 if none does.

    So ``working_days_between(day, add_working_days(day, n)) == n`` for n above zero.
    """
    return sum(is_working_day(start + _DAY * n) for n in range(1, (end - start).days + 1))


@cache
def _calendar(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the holidays of a year and its worked weekend days.

    Made anew for each year instead of one growing calendar, which threads could not share.
    """
    year_calendar = country_holidays("RU", years=year, expand=False)
    return frozenset(year_calendar), frozenset(year_calendar.weekend_workdays)
