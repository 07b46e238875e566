"""The promise in working days, and its clock that stands still while the holder is asked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain import deadlines
from emk_app.domain.calendars import is_working_day, working_days_between
from emk_app.domain.deadlines import LATE_DAYS, LONGEST_DAYS, Wait

days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
spans = st.integers(0, 120)


@st.composite
def stories(draw: st.DrawFn) -> tuple[date, tuple[Wait, ...], date]:
    """Draw the day of handing in, the questions one after another, and the day of the look."""
    submitted_on = at = draw(days)
    waits: list[Wait] = []
    for _ in range(draw(st.integers(0, 3))):
        asked_on = at + timedelta(days=draw(st.integers(0, 20)))
        at = asked_on + timedelta(days=draw(st.integers(0, 40)))
        waits.append(Wait(asked_on, at))
    today = at + timedelta(days=draw(spans))
    if waits and draw(st.booleans()):
        waits[-1] = Wait(waits[-1].asked_on, None)
    return submitted_on, tuple(waits), today


@given(stories())
def test_promise_never_ends_on_a_day_off(story: tuple[date, tuple[Wait, ...], date]) -> None:
    assert is_working_day(deadlines.promised_by(*story))


@given(stories(), spans)
def test_promise_of_whoever_comes_later_is_not_earlier(
    story: tuple[date, tuple[Wait, ...], date], later: int
) -> None:
    submitted_on, waits, today = story
    after = submitted_on + timedelta(days=later)
    assert deadlines.promised_by(after, waits, today) >= deadlines.promised_by(*story)


@given(stories(), spans)
def test_promise_moves_only_while_the_holder_is_asked(
    story: tuple[date, tuple[Wait, ...], date], later: int
) -> None:
    submitted_on, waits, today = story
    then = today + timedelta(days=later)
    before, after = deadlines.promised_by(*story), deadlines.promised_by(submitted_on, waits, then)
    assert after >= before
    if not waits or waits[-1].answered_on is not None:
        assert after == before


@given(stories(), spans)
def test_clock_stands_still_while_the_holder_is_asked(
    story: tuple[date, tuple[Wait, ...], date], later: int
) -> None:
    submitted_on, waits, today = story
    then = today + timedelta(days=later)
    passed = deadlines.spent(submitted_on, waits, then) - deadlines.spent(*story)
    if waits and waits[-1].answered_on is None:
        assert passed == 0
    else:
        assert passed == working_days_between(today, then)


@given(stories())
def test_what_is_left_and_the_day_of_the_promise_agree(
    story: tuple[date, tuple[Wait, ...], date],
) -> None:
    left, by = deadlines.remaining(*story), deadlines.promised_by(*story)
    today = story[2]
    assert left + deadlines.spent(*story) == LONGEST_DAYS
    if left >= 0:
        assert working_days_between(today, by) == left
    else:
        assert by < today
        assert working_days_between(by, today) == -left


@given(stories())
def test_late_is_later_than_the_promise(story: tuple[date, tuple[Wait, ...], date]) -> None:
    assert deadlines.is_late(*story) is (deadlines.remaining(*story) < LONGEST_DAYS - LATE_DAYS)


@pytest.mark.parametrize(
    ("submitted_on", "promised_by"),
    [
        (date(2026, 11, 23), date(2026, 12, 2)),
        (date(2025, 12, 25), date(2026, 1, 15)),  # over the New Year holidays, 31.12 transferred
        (date(2025, 10, 27), date(2025, 11, 6)),  # a worked Saturday, 1 November, and two days off
        (date(2026, 11, 21), date(2026, 12, 1)),  # handed in on a Saturday
    ],
)
def test_promise_counts_transferred_days(submitted_on: date, promised_by: date) -> None:
    assert deadlines.promised_by(submitted_on, (), submitted_on) == promised_by
