"""Hours of a room, and the visits that fit into them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import Invalid, InvalidValue, Required
from emk_app.domain.regions import REGIONS, zone_of
from emk_app.domain.schedules import (
    EXCEPTIONS_AT_MOST,
    DayIsPast,
    Hours,
    HoursBackwards,
    HoursMalformed,
    HoursOverlap,
    NoHours,
    NumberOutOfRange,
    Schedule,
    SlotLongerThanHours,
    Span,
    TooManyExceptions,
    parse_exception_day,
    parse_hours,
    parse_schedule,
    shown_hours,
)

MOSCOW = ZoneInfo("Europe/Moscow")
FORM = {
    "name": "Кабинет 12",
    **{f"day_{n}": "09:00–17:00" for n in range(5)},
    "breaks": "13:00–14:00",
    "slot_minutes": "30",
    "capacity": "2",
    "horizon_days": "14",
}


@st.composite
def hours(draw: st.DrawFn, most: int = 3) -> Hours:
    """Draw spans of one day that share no time."""
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=0, max_size=2 * most)))
    return tuple(Span(one, other) for one, other in zip(cuts[::2], cuts[1::2], strict=False))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    return Schedule(
        name="Кабинет",
        week=tuple(draw(hours()) for _ in range(7)),
        breaks=draw(hours()),
        slot_minutes=draw(st.integers(5, 240)),
        capacity=draw(st.integers(1, 50)),
        horizon_days=draw(st.integers(1, 90)),
        works_on_holidays=draw(st.booleans()),
        exceptions=draw(st.dictionaries(st.dates(date(2026, 1, 1), date(2027, 12, 31)), hours())),
    )


days = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def minutes(of: time) -> int:
    return of.hour * 60 + of.minute


@given(schedules(), days)
def test_visits_stay_inside_hours_never_overlap_and_leave_breaks_empty(
    schedule: Schedule, day: date
):
    starts = [minutes(start) for start in schedule.starts_on(day)]
    for one, other in pairwise(starts):
        assert one + schedule.slot_minutes <= other
    for start in starts:
        end = start + schedule.slot_minutes
        assert any(span.opens <= start and end <= span.closes for span in schedule.hours_on(day))
        assert all(end <= rest.opens or start >= rest.closes for rest in schedule.breaks)


@given(schedules(), days)
def test_no_time_is_wasted_within_hours(schedule: Schedule, day: date):
    starts = {minutes(start) for start in schedule.starts_on(day)}
    for span in schedule.hours_on(day):
        inside = [start for start in starts if span.opens <= start < span.closes]
        assert len(inside) == (span.closes - span.opens) // schedule.slot_minutes


@given(schedules())
def test_schedule_reads_what_it_packed(schedule: Schedule):
    assert Schedule.read(schedule.pack()) == schedule


@given(hours())
def test_hours_read_what_is_shown(given: Hours):
    assert parse_hours(shown_hours(given)) == given


@given(schedules(), days, st.sampled_from(sorted(REGIONS)))
def test_every_region_keeps_one_distance_from_utc_all_year(
    schedule: Schedule, day: date, code: str
):
    zone = zone_of(code)
    slots = schedule.slots_on(day, zone)
    january = datetime(2026, 1, 1, tzinfo=zone).utcoffset()
    assert {slot.utcoffset() for slot in slots} <= {january}
    assert len({slot.astimezone(UTC) for slot in slots}) == len(slots)
    assert all(schedule.offers(slot.astimezone(UTC), zone) for slot in slots)


def test_clock_of_the_region_and_not_of_moscow_counts():
    far = datetime(2026, 11, 24, 9, 0, tzinfo=zone_of("41"))
    assert far.astimezone(UTC) == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert zone_of("77").key == "Europe/Moscow"
    assert datetime(2026, 7, 1, tzinfo=zone_of("39")).utcoffset() == timedelta(hours=2)


def test_form_reads_into_visits_of_a_day():
    schedule = parse_schedule(FORM, {})
    monday = schedule.starts_on(date(2026, 11, 23))
    assert monday[0] == time(9) and monday[-1] == time(16, 30)
    assert time(12, 30) in monday and time(13, 0) not in monday and time(14, 0) in monday
    assert len(monday) == 14
    assert schedule.starts_on(date(2026, 11, 28)) == ()
    assert schedule.last_day(date(2026, 11, 23)) == date(2026, 12, 7)


def test_public_holidays_are_off_unless_the_room_works_on_them():
    off = date(2027, 1, 4)
    assert parse_schedule(FORM, {}).starts_on(off) == ()
    assert parse_schedule(FORM | {"works_on_holidays": "on"}, {}).starts_on(off) != ()


def test_exception_wins_over_week_and_holiday():
    schedule = parse_schedule(FORM, {})
    saturday, monday, holiday = date(2026, 11, 28), date(2026, 11, 23), date(2027, 1, 4)
    more = schedule.except_on(saturday, parse_hours("10-12")).except_on(monday, ())
    more = more.except_on(holiday, parse_hours("10-11"))
    assert more.starts_on(saturday) == (time(10), time(10, 30), time(11), time(11, 30))
    assert more.starts_on(monday) == ()
    assert more.starts_on(holiday) == (time(10), time(10, 30))
    assert more.as_usual_on(monday).starts_on(monday) == schedule.starts_on(monday)


def test_exceptions_are_not_without_end():
    schedule = parse_schedule(FORM, {})
    first = date(2026, 12, 1)
    for n in range(EXCEPTIONS_AT_MOST):
        schedule = schedule.except_on(first + timedelta(days=n), ())
    schedule = schedule.except_on(first, parse_hours("9-10"))
    with pytest.raises(TooManyExceptions):
        schedule.except_on(date(2026, 11, 30), ())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ()),
        ("9-13", (Span(540, 780),)),
        ("14.00—18.30, 9:00 - 13", (Span(540, 780), Span(840, 1110))),
        ("0-23:59", (Span(0, 1439),)),
    ],
)
def test_hours_are_read_as_people_type_them(text: str, read: Hours):
    assert parse_hours(text) == read


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("утром", HoursMalformed),
        ("9", HoursMalformed),
        ("9-25", HoursMalformed),
        ("9:75-10", HoursMalformed),
        ("9-24", HoursMalformed),
        ("18-9", HoursBackwards),
        ("9-9", HoursBackwards),
        ("9-13, 12-15", HoursOverlap),
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str, problem: type[InvalidValue]):
    with pytest.raises(problem):
        parse_hours(text)


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"name": " "}, "name", Required),
        ({"day_2": "x"}, "day_2", HoursMalformed),
        ({"breaks": "14-13"}, "breaks", HoursBackwards),
        ({"slot_minutes": "4"}, "slot_minutes", NumberOutOfRange),
        ({"slot_minutes": ""}, "slot_minutes", Required),
        ({"capacity": "0"}, "capacity", NumberOutOfRange),
        ({"capacity": "²"}, "capacity", NumberOutOfRange),
        ({"horizon_days": "91"}, "horizon_days", NumberOutOfRange),
        ({f"day_{n}": "" for n in range(5)}, "day_0", NoHours),
        ({"slot_minutes": "240"}, None, None),
        ({"slot_minutes": "240", "breaks": "12-14"}, "slot_minutes", SlotLongerThanHours),
    ],
)
def test_form_tells_what_is_wrong_beside_its_field(
    change: dict[str, str], field: str | None, problem: type[InvalidValue] | None
):
    if field is None or problem is None:
        assert parse_schedule(FORM | change, {})
        return
    with pytest.raises(Invalid) as caught:
        parse_schedule(FORM | change, {})
    assert list(caught.value.fields) == [field]
    assert isinstance(caught.value.fields[field], problem)


def test_exception_is_for_today_or_later():
    today = date(2026, 11, 23)
    assert parse_exception_day("23.11.2026", today) == today
    with pytest.raises(DayIsPast):
        parse_exception_day("22.11.2026", today)
