"""Terms in working days: holidays, transferred days, and the clock that stands still."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain import deadlines
from emk_app.domain.deadlines import LATE_DAYS, PAPERS_DAYS, Wait

MONDAY = date(2026, 11, 23)
days = st.dates(date(2024, 1, 1), date(2027, 6, 30))


@st.composite
def stories(draw: st.DrawFn) -> tuple[date, list[Wait], date]:
    """Draw a day of submission, questions one after the other, and a day after them all."""
    at = submitted = draw(days)
    waits: list[Wait] = []
    for _ in range(draw(st.integers(0, 3))):
        asked = at + timedelta(days=draw(st.integers(0, 9)))
        at = asked + timedelta(days=draw(st.integers(0, 25)))
        waits.append(Wait(asked, at))
    return submitted, waits, at + timedelta(days=draw(st.integers(0, 40)))


@pytest.mark.parametrize(
    ("submitted_on", "due_on"),
    [
        (MONDAY, date(2026, 11, 25)),
        (date(2026, 11, 20), date(2026, 11, 24)),
        # The holidays of New Year end on 11 January.
        (date(2025, 12, 30), date(2026, 1, 13)),
        # 8 March is a Sunday: Monday is off for it.
        (date(2026, 3, 6), date(2026, 3, 11)),
        # A Saturday that was worked counts: 27 April 2024.
        (date(2024, 4, 25), date(2024, 4, 27)),
        (date(2026, 11, 3), date(2026, 11, 6)),
    ],
)
def test_papers_are_due_on_the_second_working_day(submitted_on: date, due_on: date) -> None:
    assert deadlines.papers_due_on(submitted_on, (), submitted_on) == due_on


def test_clock_stands_while_the_holder_is_asked() -> None:
    asked = [Wait(date(2026, 11, 24), None)]
    for today in (date(2026, 11, 24), date(2026, 12, 15)):
        assert deadlines.spent(MONDAY, asked, today) == 1
    answered = [Wait(date(2026, 11, 24), date(2026, 12, 15))]
    due_on = deadlines.papers_due_on(MONDAY, answered, date(2026, 12, 15))
    assert due_on == date(2026, 12, 16)
    assert deadlines.spent(MONDAY, answered, due_on) == PAPERS_DAYS


def test_asking_twice_stops_the_clock_twice() -> None:
    waits = [
        Wait(date(2026, 11, 24), date(2026, 11, 27)),
        Wait(date(2026, 11, 30), date(2026, 12, 2)),
    ]
    assert deadlines.waited(waits, date(2026, 12, 3)) == 5
    assert deadlines.spent(MONDAY, waits, date(2026, 12, 3)) == 3


@pytest.mark.parametrize(
    ("today", "left", "is_overdue"),
    [
        (MONDAY, 2, False),
        (date(2026, 11, 25), 0, False),
        (date(2026, 11, 26), -1, True),
        (date(2026, 11, 28), -2, True),
        (date(2026, 11, 30), -3, True),
    ],
)
def test_days_left_are_counted_after_today(today: date, left: int, is_overdue: bool) -> None:
    due_on = date(2026, 11, 25)
    assert deadlines.days_left(due_on, today) == left
    assert deadlines.is_overdue(due_on, today) is is_overdue


def test_days_off_make_nothing_overdue() -> None:
    friday = date(2026, 11, 27)
    assert not deadlines.is_overdue(friday, friday + timedelta(days=2))
    assert deadlines.is_overdue(friday, friday + timedelta(days=3))


@given(stories())
def test_stored_day_and_counted_days_agree(story: tuple[date, list[Wait], date]) -> None:
    submitted, waits, today = story
    due_on = deadlines.papers_due_on(submitted, waits, today)
    spent = deadlines.spent(submitted, waits, today)
    assert deadlines.is_overdue(due_on, today) is (spent > PAPERS_DAYS)
    assert deadlines.is_late_by(due_on, today) is (spent > LATE_DAYS)
    assert deadlines.is_late_by(due_on, today) is deadlines.is_late(submitted, waits, today)
    assert deadlines.days_left(due_on, today) == PAPERS_DAYS - spent
