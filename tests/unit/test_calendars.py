"""Russian working days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.calendars import (
    add_working_days,
    is_working_day,
    last_working_day,
    working_days_between,
)

days = st.dates(date(2023, 1, 1), date(2027, 12, 31))


def test_terms_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2026, 11, 23), -1)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 4, 27), True),
        (date(2024, 4, 29), False),
        (date(2025, 11, 1), True),
        (date(2025, 12, 31), False),
        (date(2026, 1, 9), False),
        (date(2026, 3, 9), False),
        (date(2026, 11, 4), False),
        (date(2026, 11, 21), False),
        (date(2026, 11, 23), True),
    ],
)
def test_transferred_days_and_working_saturdays_are_known(day: date, works: bool) -> None:
    assert is_working_day(day) is works


@pytest.mark.parametrize(("year", "count"), [(2023, 247), (2024, 248), (2025, 247), (2026, 247)])
def test_year_has_as_many_working_days_as_the_official_calendar(year: int, count: int) -> None:
    assert working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == count


def test_third_working_day_over_new_year() -> None:
    assert add_working_days(date(2025, 12, 30), 3) == date(2026, 1, 14)


def test_zero_days_from_a_holiday_is_the_next_working_day() -> None:
    assert add_working_days(date(2026, 1, 1), 0) == date(2026, 1, 12)
    assert add_working_days(date(2026, 11, 23), 0) == date(2026, 11, 23)


def test_first_day_is_not_counted_and_last_is() -> None:
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    assert working_days_between(monday, tuesday) == 1
    assert working_days_between(monday, monday) == 0
    assert working_days_between(tuesday, monday) == 0


@given(days)
def test_last_working_day_is_worked_and_nothing_worked_lies_after_it(day: date) -> None:
    last = last_working_day(day)
    assert is_working_day(last) and last <= day
    assert working_days_between(last, day) == 0


@given(days, st.integers(1, 60))
def test_adding_and_counting_agree(day: date, count: int) -> None:
    end = add_working_days(day, count)
    assert is_working_day(end)
    assert working_days_between(day, end) == count
    assert working_days_between(day, end - timedelta(days=1)) == count - 1


@given(days, st.integers(0, 20), st.integers(0, 20))
def test_terms_add_up(day: date, first: int, second: int) -> None:
    in_steps = add_working_days(add_working_days(day, first), second)
    at_once = add_working_days(day, first + second)
    assert in_steps == at_once or (first == 0 and not is_working_day(day))


@given(days, days, days)
def test_working_days_of_adjoining_stretches_add_up(a: date, b: date, c: date) -> None:
    start, middle, end = sorted((a, b, c))
    whole = working_days_between(start, end)
    assert working_days_between(start, middle) + working_days_between(middle, end) == whole
