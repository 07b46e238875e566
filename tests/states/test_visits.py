"""Booking, the desk at the door and the schedule as tabs meet them: honest and forged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.visits import Room, Seat, Visit
from emk_app.domain.actors import Actor, Position
from emk_app.domain.visits import VisitStatus
from emk_app.presenting.formats import day
from emk_app.services import booking, scheduling
from emk_app.states.reception import ReceptionState, ScheduleState
from emk_app.states.session import MessageState
from emk_app.states.visits import VisitsState
from tests.factories import make_clinic, make_holder, make_physician, make_received
from tests.scenes import kept
from tests.states.conftest import Screen, Screens

PAGE = "/cabinet/visits/[number_arg]"
HOURS = {
    "name": "Кабинет 12",
    **{f"day_{n}": "00:00–23:50" for n in range(7)},
    "slot_minutes": "30",
    "capacity": "1",
    "horizon_days": "14",
    "works_on_holidays": "on",
}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
STATE = "reflex___state____state"
VISITS = f"{STATE}.emk_app___states___visits____visits_state"
DESK = f"{STATE}.emk_app___states___reception____reception_state"
PLAN = f"{STATE}.emk_app___states___reception____schedule_state"


@pytest.fixture
@kept
def moment(world: None) -> datetime:
    """Handlers read the clock themselves."""
    return clock.now()


@pytest.fixture
@kept
def clinic_id(world: None) -> int:
    return make_clinic()


@pytest.fixture
@kept
def registrar(clinic_id: int, moment: datetime) -> Actor:
    made = make_physician(clinic_id, moment, Position.REGISTRAR)
    scheduling.add(made, HOURS, now=moment)
    return made


@pytest.fixture
@kept
def holder(moment: datetime) -> Actor:
    return make_holder(moment)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, registrar: Actor, moment: datetime) -> str:
    return make_received(holder, moment, clinic_id=clinic_id).number.slug


def booked() -> list[Visit]:
    with reading() as db:
        return list(db.exec(select(Visit).where(Visit.status == VisitStatus.BOOKED)).all())


async def begun(screens: Screens, holder: Actor, number: str = "") -> Screen:
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(VisitsState.follow, PAGE, number_arg=number)
    await screen.until(VisitsState, lambda state: state.is_loaded)
    return screen


async def opened(screens: Screens, actor: Actor, follow: Any, kind: Any, path: str) -> Screen:
    screen = await screens.signed_in(actor.user_id)
    await screen.follow(follow, path)
    await screen.until(kind, lambda state: state.is_loaded)
    return screen


async def test_holder_chooses_a_day_and_a_time_and_moves_and_cancels(
    screens: Screens, holder: Actor, number: str
):
    screen = await begun(screens, holder)
    state = await screen.state(VisitsState)
    assert state.visit.slug == number and state.nearest and state.days and state.times
    await screen.send(VisitsState.choose_day(state.days[1].value), PAGE)
    state = await screen.state(VisitsState)
    wanted = state.times[3].value
    await screen.send(VisitsState.choose_time(wanted), PAGE)
    await screen.send(VisitsState.book, PAGE)
    state = await screen.state(VisitsState)
    assert state.visit.is_ahead and not state.chosen_time and state.visit.may_change
    assert [each.starts_at for each in booked()] == [datetime.fromisoformat(wanted)]
    await screen.send(VisitsState.begin_move, PAGE)
    await screen.send(VisitsState.choose_nearest, PAGE)
    await screen.send(VisitsState.book, PAGE)
    (visit,) = booked()
    assert visit.sequence == 1 and visit.starts_at < datetime.fromisoformat(wanted)
    await screen.send(VisitsState.cancel, PAGE)
    state = await screen.state(VisitsState)
    assert booked() == [] and not state.visit.is_ahead and state.visit.may_book
    assert (await screen.state(MessageState)).polite


async def test_time_taken_by_another_leaves_every_open_screen_and_is_refused_kindly(
    screens: Screens, holder: Actor, number: str, clinic_id: int, moment: datetime
):
    screen = await begun(screens, holder, number)
    await screen.send(VisitsState.choose_nearest, PAGE)
    wanted = (await screen.state(VisitsState)).chosen_time
    other = make_holder(moment)
    theirs = make_received(other, moment, clinic_id=clinic_id).number.slug
    booking.book(other, theirs, datetime.fromisoformat(wanted), key="k", now=moment)
    state = await screen.until(VisitsState, lambda state: not state.chosen_time)
    assert next(each for each in state.times if each.value == wanted).is_full
    # The press of a button that was faster than the news of the time being gone.
    state.chosen_time = wanted
    await screen.send(VisitsState.book, PAGE)
    state = await screen.state(VisitsState)
    assert "Ближайшее свободное" in state.problem
    assert len(booked()) == 1


async def test_nothing_is_booked_without_a_time(screens: Screens, holder: Actor, number: str):
    screen = await begun(screens, holder, number)
    await screen.send(VisitsState.book, PAGE)
    assert (await screen.state(VisitsState)).problem
    assert booked() == []


async def test_foreign_number_shows_nothing(screens: Screens, number: str, moment: datetime):
    screen = await begun(screens, make_holder(moment), number)
    state = await screen.state(VisitsState)
    assert state.is_missing and not state.visit.number and not state.days
    await screen.send(VisitsState.book, PAGE)
    await screen.send(VisitsState.cancel, PAGE)
    assert booked() == []


async def test_strip_turns_and_ends_at_both_ends(screens: Screens, holder: Actor, number: str):
    screen = await begun(screens, holder, number)
    first = (await screen.state(VisitsState)).days
    await screen.send(VisitsState.later, PAGE)
    state = await screen.state(VisitsState)
    assert state.days and state.days != first and state.has_earlier and not state.has_later
    await screen.send(VisitsState.earlier, PAGE)
    state = await screen.state(VisitsState)
    assert state.days == first and not state.has_earlier


@pytest.mark.parametrize("sent", NONSENSE, ids=lambda sent: type(sent).__name__)
async def test_nonsense_changes_nothing(
    screens: Screens, holder: Actor, registrar: Actor, number: str, sent: Any
):
    holders = await begun(screens, holder, number)
    for name in ("choose_day", "choose_time"):
        await holders.forge(f"{VISITS}.{name}", PAGE, value=sent)
    desk = await opened(screens, registrar, ReceptionState.follow, ReceptionState, "/clinic")
    for name, argument in {
        "turn": "days",
        "show_day": "form",
        "arrive": "uid",
        "miss": "uid",
        "walk_in": "form",
        "choose": "slug",
    }.items():
        await desk.forge(f"{DESK}.{name}", "/clinic", **{argument: sent})
    await desk.forge(f"{DESK}.open_case", "/clinic")
    await desk.follow(ScheduleState.follow, "/clinic/schedule")
    await desk.until(ScheduleState, lambda state: state.is_loaded)
    for name, argument in {
        "edit": "room_id",
        "save": "form",
        "begin_day": "room_id",
        "save_day": "form",
        "ask_close": "room_id",
        "decide": "fate",
    }.items():
        await desk.forge(f"{PLAN}.{name}", "/clinic/schedule", **{argument: sent})
    await desk.forge(f"{PLAN}.usual_day", "/clinic/schedule", room_id=sent, day=sent)
    with reading() as db:
        assert db.exec(select(Visit)).all() == [] and db.exec(select(Seat)).all() == []
        (room,) = db.exec(select(Room)).all()
    assert room.closed_at is None
    assert [repr(each) for each in (*holders.errors, *desk.errors)] == []


async def test_desk_marks_who_comes_and_receives_who_has_not_booked(
    screens: Screens, holder: Actor, registrar: Actor, number: str
):
    screen = await opened(screens, registrar, ReceptionState.follow, ReceptionState, "/clinic")
    state = await screen.state(ReceptionState)
    assert state.rows == [] and state.title.startswith("Сегодня") and state.may_receive
    await screen.send(ReceptionState.walk_in({"walk_in": "нет"}), "/clinic")
    assert (await screen.state(ReceptionState)).number_problem
    await screen.send(ReceptionState.walk_in({"walk_in": number}), "/clinic")
    state = await screen.state(ReceptionState)
    (row,) = state.rows
    assert row.slug == number and row.may_open and not state.number_problem
    await screen.send(ReceptionState.choose(row.slug), "/clinic")
    await screen.send(ReceptionState.open_case, "/clinic")
    assert screen.gone_to is not None and screen.gone_to.startswith("/clinic/exams/")


async def test_desk_asks_for_the_birth_date_of_another_clinics_application(
    screens: Screens, number: str, moment: datetime
):
    here = make_physician(make_clinic(), moment, Position.REGISTRAR)
    screen = await opened(screens, here, ReceptionState.follow, ReceptionState, "/clinic")
    await screen.send(ReceptionState.walk_in({"walk_in": number}), "/clinic")
    state = await screen.state(ReceptionState)
    assert state.needs_birth and state.birth_problem and state.rows == []
    await screen.send(
        ReceptionState.walk_in({"walk_in": number, "born_on": "28.03.1990"}), "/clinic"
    )
    assert (await screen.state(ReceptionState)).number_problem
    await screen.send(
        ReceptionState.walk_in({"walk_in": number, "born_on": "27.03.1990"}), "/clinic"
    )
    state = await screen.state(ReceptionState)
    assert len(state.rows) == 1 and not state.needs_birth


async def test_desk_turns_the_days(
    screens: Screens, holder: Actor, registrar: Actor, number: str, moment: datetime
):
    slot = booking.booking(holder, number, now=moment).slots[-1]
    booking.book(holder, number, slot.starts_at, key="k", now=moment)
    screen = await opened(screens, registrar, ReceptionState.follow, ReceptionState, "/clinic")
    form = {"day": day(slot.starts_at.date())}
    await screen.send(ReceptionState.show_day(form), "/clinic")
    state = await screen.state(ReceptionState)
    assert len(state.rows) == 1 and not state.rows[0].may_arrive and not state.is_today
    await screen.send(ReceptionState.turn(1), "/clinic")
    assert (await screen.state(ReceptionState)).rows == []
    await screen.send(ReceptionState.show_today, "/clinic")
    assert (await screen.state(ReceptionState)).is_today
    await screen.send(ReceptionState.show_day({"day": "вчера"}), "/clinic")
    assert (await screen.state(ReceptionState)).day_problem


async def test_schedule_asks_what_becomes_of_booked_visits(
    screens: Screens, holder: Actor, registrar: Actor, number: str, moment: datetime
):
    slot = booking.booking(holder, number, now=moment).slots[-1]
    made = booking.book(holder, number, slot.starts_at, key="k", now=moment)
    path = "/clinic/schedule"
    screen = await opened(screens, registrar, ScheduleState.follow, ScheduleState, path)
    (room,) = (await screen.state(ScheduleState)).rooms
    await screen.send(ScheduleState.begin_day(room.id), path)
    await screen.send(ScheduleState.save_day({"day": "x", "hours": "9-8"}), path)
    state = await screen.state(ScheduleState)
    assert state.day_errors["day"] and state.day_errors["hours"] and state.day_room == room.id
    off = {"day": day(slot.starts_at.date()), "hours": ""}
    await screen.send(ScheduleState.save_day(off), path)
    state = await screen.state(ScheduleState)
    assert state.question and [each.number for each in state.affected] == [made.number.shown]
    await screen.send(ScheduleState.change_mind, path)
    assert booked()[0].sequence == 0
    await screen.send(ScheduleState.begin_day(room.id), path)
    await screen.send(ScheduleState.save_day(off), path)
    await screen.send(ScheduleState.decide("move"), path)
    state = await screen.state(ScheduleState)
    assert not state.question and state.rooms[0].exceptions
    assert booked()[0].sequence == 1
    await screen.send(ScheduleState.usual_day(room.id, state.rooms[0].exceptions[0][0]), path)
    assert not (await screen.state(ScheduleState)).rooms[0].exceptions


async def test_schedule_keeps_what_was_typed_wrong_and_says_where(
    screens: Screens, registrar: Actor
):
    path = "/clinic/schedule"
    screen = await opened(screens, registrar, ScheduleState.follow, ScheduleState, path)
    await screen.send(ScheduleState.begin, path)
    await screen.send(ScheduleState.save(HOURS | {"day_0": "утром", "capacity": "0"}), path)
    state = await screen.state(ScheduleState)
    assert state.editing == 0 and state.fields["day_0"] == "утром"
    assert {name for name, said in state.errors.items() if said} == {"day_0", "capacity"}
    assert [name for name, _ in state.summary] == ["day_0", "capacity"]
    await screen.send(ScheduleState.save(HOURS | {"name": "Кабинет 2"}), path)
    state = await screen.state(ScheduleState)
    assert [each.name for each in state.rooms] == ["Кабинет 12", "Кабинет 2"]
    await screen.send(ScheduleState.edit(state.rooms[1].id), path)
    await screen.send(ScheduleState.save(HOURS | {"name": "Кабинет 3"}), path)
    assert (await screen.state(ScheduleState)).rooms[1].name == "Кабинет 3"
    await screen.send(ScheduleState.ask_close(state.rooms[1].id), path)
    await screen.send(ScheduleState.close_room, path)
    assert len((await screen.state(ScheduleState)).rooms) == 1


async def test_physician_is_told_who_makes_the_schedule(
    screens: Screens, clinic_id: int, registrar: Actor, moment: datetime
):
    physician = make_physician(clinic_id, moment)
    screen = await opened(
        screens, physician, ScheduleState.follow, ScheduleState, "/clinic/schedule"
    )
    state = await screen.state(ScheduleState)
    assert state.is_closed_to and state.rooms == []
    await screen.send(ScheduleState.begin, "/clinic/schedule")
    await screen.send(ScheduleState.save(HOURS), "/clinic/schedule")
    with reading() as db:
        assert len(db.exec(select(Room)).all()) == 1


async def test_new_time_appears_on_an_open_screen(
    screens: Screens, holder: Actor, registrar: Actor, number: str, moment: datetime
):
    screen = await begun(screens, holder, number)
    before = len((await screen.state(VisitsState)).days)
    (room,) = scheduling.rooms(registrar, now=moment)
    today = clock.today() + timedelta(days=3)
    scheduling.except_day(registrar, room.id, day(today), "", seen=room.version, now=moment)
    state = await screen.until(
        VisitsState, lambda state: today.isoformat() not in [each.value for each in state.days]
    )
    assert len(state.days) in (before, before - 1)
