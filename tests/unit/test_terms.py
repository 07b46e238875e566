from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.terms import add_months, last_day

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
months = st.integers(0, 240)


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
        (date(2026, 11, 23), 60, date(2031, 11, 23)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2028, 2, 29), 60, date(2033, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_term_ends_on_the_day_of_the_same_number_or_the_last_of_the_month(
    start: date, length: int, end: date
) -> None:
    assert last_day(start, length) == end


@given(days, months)
def test_number_of_the_day_is_kept_wherever_the_month_has_it(day: date, length: int) -> None:
    later = add_months(day, length)
    assert (later.year - day.year) * 12 + later.month - day.month == length
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@given(days, days, months)
def test_whoever_starts_later_does_not_end_earlier(a: date, b: date, length: int) -> None:
    first, second = sorted((a, b))
    assert last_day(first, length) <= last_day(second, length)


@given(days)
def test_no_months_change_nothing_and_months_go_back_too(day: date) -> None:
    assert add_months(day, 0) == day
    assert add_months(day.replace(day=1), -1) < day
