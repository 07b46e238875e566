"""Booking a visit: by the holder, around the clinic's schedule, at the clinic's door."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from emk_app.clock import MOSCOW
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.visits import Seat, Visit
from emk_app.db.vault import vault_for
from emk_app.domain.actors import Actor, Position
from emk_app.domain.applications import Milestone, TrackingNumber
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    Invalid,
    NotFound,
    NotPermitted,
    Required,
    TooManyAttempts,
)
from emk_app.domain.notices import News, Notice
from emk_app.domain.schedules import ROOMS_AT_MOST, DayIsPast, TooManyRooms
from emk_app.domain.visits import (
    AlreadyBooked,
    ClinicNotChosen,
    Fate,
    NotBooked,
    NotYetMissed,
    NoVisitNeeded,
    SlotTaken,
    TooLateToChange,
    VisitsAffected,
    VisitStatus,
)
from emk_app.services import applying, booking, examining, scheduling, welcoming
from emk_app.services.scheduling import Decision
from tests.factories import (
    make_clinic,
    make_green,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    put,
)
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

HOURS = {
    "name": "Кабинет 12",
    **{f"day_{n}": "09:00–17:00" for n in range(5)},
    "breaks": "13:00–14:00",
    "slot_minutes": "30",
    "capacity": "1",
    "horizon_days": "14",
}
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=MOSCOW)
HALF = timedelta(minutes=30)
DAY = timedelta(days=1)


@pytest.fixture
@kept
def clinic_id() -> int:
    return make_clinic()


@pytest.fixture
@kept
def registrar(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now, Position.REGISTRAR, "Регистратова Инна Юрьевна")


@pytest.fixture
@kept
def room(registrar: Actor, now: datetime) -> int:
    return scheduling.add(registrar, HOURS, now=now)


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, now: datetime, room: int) -> str:
    return make_received(holder, now, clinic_id=clinic_id).number.slug


def another(clinic_id: int, now: datetime) -> tuple[Actor, str]:
    who = make_holder(now)
    return who, make_received(who, now, clinic_id=clinic_id).number.slug


def book(holder: Actor, number: str, now: datetime, at: datetime = TUESDAY, key: str = "k"):
    return booking.book(holder, number, at, key=key, now=now)


def seats() -> list[tuple[int, datetime, int]]:
    with reading() as db:
        return [(each.room_id, each.starts_at, each.number) for each in db.exec(select(Seat))]


def statuses() -> Counter[VisitStatus]:
    with reading() as db:
        return Counter(VisitStatus(each) for each in db.exec(select(Visit.status)))


def events(number: str) -> list[str]:
    with reading() as db:
        application = applications.by_number(db, number)
        return [each.event for each in applications.changes_of(db, application.id)]


def told(holder: Actor) -> list[Notice]:
    with reading() as db:
        own = vault_for(db, holder.user_id)
        rows = db.exec(
            select(StoredNotice)
            .where(StoredNotice.user_id == holder.user_id)
            .order_by(col(StoredNotice.id))
        ).all()
        return [
            Notice.read(own.open(each.notice_sealed, "notices", "notice", each.dedupe))
            for each in rows
        ]


def news_of(holder: Actor) -> list[News]:
    return [each.news for each in told(holder)]


def free(holder: Actor, number: str, now: datetime) -> dict[datetime, int]:
    return {slot.starts_at: slot.free for slot in booking.booking(holder, number, now=now).slots}


def id_of(number: str) -> int:
    with reading() as db:
        return applications.by_number(db, number).id


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at once; return what each returned or raised."""
    results: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(position: int) -> None:
        gate.wait()
        try:
            results[position] = acts[position]()
        except DomainError as error:
            results[position] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def test_holder_books_a_free_time_and_is_told(holder: Actor, number: str, now: datetime):
    assert free(holder, number, now)[TUESDAY] == 1
    made = book(holder, number, now)
    assert (made.status, made.starts_at, made.minutes) == (VisitStatus.BOOKED, TUESDAY, 30)
    assert made.room == "Кабинет 12" and made.may_change
    assert made.change_until == TUESDAY - timedelta(hours=2)
    assert free(holder, number, now)[TUESDAY] == 0
    assert len(seats()) == 1
    assert Milestone.VISIT_BOOKED in events(number)
    assert told(holder)[-1].news is News.VISIT_BOOKED and told(holder)[-1].at == TUESDAY
    assert booking.visit(holder, made.uid, now=now) == made


def test_times_begin_two_hours_ahead_and_end_with_the_horizon(
    holder: Actor, number: str, now: datetime
):
    times = list(free(holder, number, now))
    local = now.astimezone(MOSCOW)
    assert times[0] == local + timedelta(hours=2)
    assert times[-1].date() == local.date() + timedelta(days=14)
    assert times == sorted(times)


def test_same_wish_twice_books_once_even_after_it_was_cancelled(
    holder: Actor, number: str, now: datetime
):
    first = book(holder, number, now)
    assert book(holder, number, now).uid == first.uid
    assert book(holder, number, now, key="other").uid == first.uid
    booking.cancel(holder, number, seen=0, now=now)
    late = book(holder, number, now)
    assert (late.uid, late.status) == (first.uid, VisitStatus.CANCELLED)
    assert seats() == []


def test_application_has_one_visit_ahead(holder: Actor, number: str, now: datetime):
    book(holder, number, now)
    with pytest.raises(AlreadyBooked):
        book(holder, number, now, TUESDAY + HALF, "second")
    assert len(seats()) == 1


def test_taken_time_is_refused_with_the_next_free_ones(
    holder: Actor, number: str, clinic_id: int, now: datetime
):
    book(holder, number, now)
    other, theirs = another(clinic_id, now)
    with pytest.raises(SlotTaken) as caught:
        book(other, theirs, now)
    assert caught.value.nearest[:2] == (TUESDAY + HALF, TUESDAY + 2 * HALF)
    assert statuses() == {VisitStatus.BOOKED: 1}


@pytest.mark.parametrize(
    "wanted",
    [
        TUESDAY + timedelta(minutes=10),
        TUESDAY.replace(hour=13),
        TUESDAY.replace(hour=17),
        TUESDAY + 4 * DAY,
        TUESDAY + 21 * DAY,
        TUESDAY - DAY,
        TUESDAY - 5 * DAY,
    ],
    ids=["between", "break", "closing", "saturday", "beyond horizon", "too near", "past"],
)
def test_time_that_is_not_offered_is_refused(
    holder: Actor, number: str, now: datetime, wanted: datetime
):
    with pytest.raises(SlotTaken):
        book(holder, number, now, wanted)
    book(holder, number, now)
    with pytest.raises(SlotTaken):
        booking.move(holder, number, wanted, seen=0, now=now)
    assert booking.booking(holder, number, now=now).visit.starts_at == TUESDAY  # type: ignore[union-attr]
    assert len(seats()) == 1


def test_visit_comes_before_the_application_would_lapse(
    holder: Actor, registrar: Actor, clinic_id: int, now: datetime
):
    scheduling.add(registrar, HOURS | {"horizon_days": "90"}, now=now)
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    act_by = booking.booking(holder, number, now=now).act_by
    assert act_by is not None
    assert max(free(holder, number, now)).date() <= act_by


def test_clinic_elsewhere_receives_by_its_own_clock(holder: Actor, now: datetime):
    clinic_id = make_clinic()
    with unit_of_work() as db:
        clinic = db.get(Clinic, clinic_id)
        assert clinic is not None
        clinic.region_code = "41"
        db.add(clinic)
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    scheduling.add(registrar, HOURS, now=now)
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    first = min(free(holder, number, now))
    assert (first.hour, first.utcoffset()) == (9, timedelta(hours=12))
    made = book(holder, number, now, first)
    assert made.starts_at.hour == 9 and made.starts_at == first


def test_moving_gives_the_old_time_back(holder: Actor, number: str, clinic_id: int, now: datetime):
    made = book(holder, number, now)
    moved = booking.move(holder, number, TUESDAY + HALF, seen=0, now=now)
    assert (moved.uid, moved.sequence, moved.starts_at) == (made.uid, 1, TUESDAY + HALF)
    assert [at for _, at, _ in seats()] == [TUESDAY + HALF]
    assert news_of(holder)[-1] is News.VISIT_MOVED
    other, theirs = another(clinic_id, now)
    book(other, theirs, now)
    with pytest.raises(SlotTaken):
        booking.move(holder, number, TUESDAY, seen=1, now=now)
    assert booking.move(holder, number, TUESDAY + HALF, seen=1, now=now).sequence == 1


def test_screen_that_is_behind_moves_and_cancels_nothing(holder: Actor, number: str, now: datetime):
    book(holder, number, now)
    booking.move(holder, number, TUESDAY + HALF, seen=0, now=now)
    with pytest.raises(ChangedMeanwhile):
        booking.move(holder, number, TUESDAY + DAY, seen=0, now=now)
    with pytest.raises(ChangedMeanwhile):
        booking.cancel(holder, number, seen=0, now=now)
    assert statuses() == {VisitStatus.BOOKED: 1}


def test_cancelling_frees_the_time_and_twice_changes_nothing(
    holder: Actor, number: str, now: datetime
):
    book(holder, number, now)
    booking.cancel(holder, number, seen=0, now=now)
    booking.cancel(holder, number, seen=0, now=now)
    assert seats() == []
    assert news_of(holder).count(News.VISIT_CANCELLED) == 1
    assert book(holder, number, now, key="again").status is VisitStatus.BOOKED


def test_nothing_is_changed_by_the_holder_in_the_last_two_hours(
    holder: Actor, number: str, now: datetime
):
    book(holder, number, now)
    late = TUESDAY - timedelta(hours=2) + timedelta(seconds=1)
    with pytest.raises(TooLateToChange):
        booking.cancel(holder, number, seen=0, now=late)
    with pytest.raises(TooLateToChange):
        booking.move(holder, number, TUESDAY + DAY, seen=0, now=late)
    booking.cancel(holder, number, seen=0, now=TUESDAY - timedelta(hours=2))


def test_who_missed_a_visit_may_book_another_at_once(holder: Actor, number: str, now: datetime):
    book(holder, number, now)
    later = TUESDAY + timedelta(hours=1)
    again = book(holder, number, later, TUESDAY + DAY, "again")
    assert again.status is VisitStatus.BOOKED
    assert statuses() == {VisitStatus.BOOKED: 1, VisitStatus.MISSED: 1}


def test_another_clinic_gives_the_visit_back_in_the_same_step(
    holder: Actor, number: str, now: datetime
):
    book(holder, number, now)
    applying.choose_clinic(holder, id_of(number), make_clinic(), now=now)
    assert seats() == [] and statuses() == {VisitStatus.CANCELLED: 1}
    with pytest.raises(SlotTaken) as caught:
        book(holder, number, now, key="there")
    assert caught.value.nearest == ()


def test_withdrawal_gives_the_visit_back(holder: Actor, number: str, now: datetime):
    book(holder, number, now)
    applying.withdraw(holder, id_of(number), now=now)
    assert seats() == [] and statuses() == {VisitStatus.CANCELLED: 1}
    with pytest.raises(NoVisitNeeded):
        book(holder, number, now, key="more")
    assert booking.bookable(holder, now=now) == ()


def test_who_has_no_clinic_is_sent_to_choose_one(holder: Actor, number: str, now: datetime):
    put(id_of(number), clinic_id=None)
    with pytest.raises(ClinicNotChosen):
        book(holder, number, now)


@pytest.mark.parametrize(
    ("fitness", "may"), [(Fitness.FIT, False), (Fitness.TEMPORARILY_UNFIT, True)]
)
def test_after_the_conclusion_only_the_temporarily_unfit_come_again(
    holder: Actor, clinic_id: int, room: int, now: datetime, fitness: Fitness, may: bool
):
    make_green(holder, now, clinic_id=clinic_id, fitness=fitness)
    assert bool(booking.bookable(holder, now=now)) is may


def test_foreign_application_and_visit_do_not_exist(holder: Actor, number: str, now: datetime):
    made = book(holder, number, now)
    stranger = make_holder(now)
    for act in (
        lambda: booking.booking(stranger, number, now=now),
        lambda: book(stranger, number, now),
        lambda: booking.move(stranger, number, TUESDAY + HALF, seen=0, now=now),
        lambda: booking.cancel(stranger, number, seen=0, now=now),
        lambda: booking.visit(stranger, made.uid, now=now),
        lambda: booking.booking(holder, "нет", now=now),
        lambda: booking.visit(holder, "нет", now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_others_than_holders_book_nothing(number: str, registrar: Actor, now: datetime):
    for actor in (registrar, make_operator(now)):
        for act in (
            lambda who: booking.booking(who, number, now=now),
            lambda who: booking.bookable(who, now=now),
            lambda who: book(who, number, now),
            lambda who: booking.move(who, number, TUESDAY, seen=0, now=now),
            lambda who: booking.cancel(who, number, seen=0, now=now),
            lambda who: booking.visit(who, "x", now=now),
        ):
            with pytest.raises(NotPermitted):
                act(actor)


def test_two_tabs_of_one_holder_book_one_visit(holder: Actor, number: str, now: datetime):
    results = at_once(
        lambda: book(holder, number, now, key="one"),
        lambda: book(holder, number, now, TUESDAY + HALF, "two"),
    )
    assert sum(isinstance(each, AlreadyBooked) for each in results) == 1
    assert len(seats()) == 1


def test_crowd_at_the_last_seats_gets_each_seat_once(
    registrar: Actor, clinic_id: int, room: int, now: datetime
):
    scheduling.change(registrar, room, HOURS | {"capacity": "4"}, seen=1, now=now)
    people = [another(clinic_id, now) for _ in range(12)]
    results = at_once(*(lambda who=who, no=no: book(who, no, now) for who, no in people))
    refused = [each for each in results if isinstance(each, SlotTaken)]
    assert len(refused) == 8 and all(each.nearest[0] == TUESDAY + HALF for each in refused)
    assert sorted(each[2] for each in seats()) == [1, 2, 3, 4]
    assert statuses() == {VisitStatus.BOOKED: 4}


def test_schedule_and_booking_at_once_leave_no_visit_outside(
    holder: Actor, number: str, registrar: Actor, room: int, now: datetime
):
    results = at_once(
        lambda: book(holder, number, now),
        lambda: scheduling.except_day(registrar, room, "24.11.2026", "", seen=1, now=now),
    )
    is_closed = results[1] is None
    assert isinstance(results[0], SlotTaken) is is_closed
    assert isinstance(results[1], VisitsAffected) is not is_closed
    assert len(seats()) == (0 if is_closed else 1)


def test_reminder_comes_a_day_before_and_once(holder: Actor, number: str, now: datetime):
    book(holder, number, now, TUESDAY + DAY)
    booking.run(0, now)
    assert News.VISIT_SOON not in news_of(holder)
    for _ in range(2):
        booking.run(0, TUESDAY + timedelta(minutes=1))
    assert [each.at for each in told(holder) if each.news is News.VISIT_SOON] == [TUESDAY + DAY]


def test_reminder_follows_the_visit_that_was_moved_and_leaves_with_one_cancelled(
    holder: Actor, number: str, now: datetime
):
    book(holder, number, now, TUESDAY + DAY)
    booking.move(holder, number, TUESDAY + 3 * DAY, seen=0, now=now)
    booking.run(0, TUESDAY + timedelta(minutes=1))
    assert News.VISIT_SOON not in news_of(holder)
    booking.cancel(holder, number, seen=1, now=now)
    booking.run(0, TUESDAY + 2 * DAY + timedelta(minutes=1))
    assert News.VISIT_SOON not in news_of(holder)


def test_visit_nobody_marked_ends_as_missed(holder: Actor, number: str, now: datetime):
    book(holder, number, now)
    booking.run(0, TUESDAY + timedelta(hours=11))
    assert statuses() == {VisitStatus.BOOKED: 1}
    booking.run(0, TUESDAY + timedelta(hours=13))
    assert statuses() == {VisitStatus.MISSED: 1}
    assert events(number)[-1] == Milestone.VISIT_MISSED


def test_what_to_bring_follows_the_programme(holder: Actor, number: str, now: datetime):
    shown = booking.booking(holder, number, now=now)
    things = [each.what for each in shown.bring]
    assert things[:3] == [
        "Паспорт или другой документ, указанный в заявке",
        "СНИЛС",
        "Полис ОМС",
    ]
    assert "Приходите натощак" in things and "Направление от работодателя" in things
    assert "Законный представитель с паспортом" not in things
    assert {"bp", "glucose"} <= {each.code for each in shown.studies}


def test_schedule_belongs_to_the_registrar_and_the_chair(
    clinic_id: int, room: int, holder: Actor, now: datetime
):
    chair = make_physician(clinic_id, now, Position.CHAIR)
    assert [each.id for each in scheduling.rooms(chair, now=now)] == [room]
    for actor in (make_physician(clinic_id, now), holder, make_operator(now)):
        for act in (
            lambda who: scheduling.rooms(who, now=now),
            lambda who: scheduling.add(who, HOURS, now=now),
            lambda who: scheduling.change(who, room, HOURS, seen=1, now=now),
            lambda who: scheduling.except_day(who, room, "25.11.2026", "", seen=1, now=now),
            lambda who: scheduling.usual_day(who, room, TUESDAY.date(), seen=1, now=now),
            lambda who: scheduling.close(who, room, seen=1, now=now),
            lambda who: scheduling.affected(who, [1], now=now),
        ):
            with pytest.raises(NotPermitted):
                act(actor)


def test_another_clinics_room_does_not_exist(room: int, now: datetime):
    stranger = make_physician(make_clinic(), now, Position.REGISTRAR)
    with pytest.raises(NotFound):
        scheduling.change(stranger, room, HOURS, seen=1, now=now)
    with pytest.raises(NotFound):
        scheduling.close(stranger, room, seen=1, now=now)
    assert scheduling.rooms(stranger, now=now) == ()


def test_second_registrar_sees_that_the_first_was_faster(
    registrar: Actor, room: int, now: datetime
):
    scheduling.change(registrar, room, HOURS | {"name": "Кабинет 13"}, seen=1, now=now)
    with pytest.raises(ChangedMeanwhile):
        scheduling.change(registrar, room, HOURS, seen=1, now=now)
    (shown,) = scheduling.rooms(registrar, now=now)
    assert (shown.schedule.name, shown.version) == ("Кабинет 13", 2)


def test_rooms_are_not_without_end(registrar: Actor, room: int, now: datetime):
    for _ in range(ROOMS_AT_MOST - 1):
        scheduling.add(registrar, HOURS, now=now)
    with pytest.raises(TooManyRooms):
        scheduling.add(registrar, HOURS, now=now)


def test_exception_of_the_past_is_refused(registrar: Actor, room: int, now: datetime):
    with pytest.raises(Invalid) as caught:
        scheduling.except_day(registrar, room, "22.11.2026", "x", seen=1, now=now)
    assert isinstance(caught.value.fields["day"], DayIsPast)
    assert set(caught.value.fields) == {"day", "hours"}


def refused_change(registrar: Actor, room: int, now: datetime) -> frozenset[int]:
    with pytest.raises(VisitsAffected) as caught:
        scheduling.except_day(registrar, room, "24.11.2026", "", seen=1, now=now)
    return caught.value.visits


def test_change_that_meets_a_visit_waits_for_a_decision(
    holder: Actor, number: str, registrar: Actor, room: int, now: datetime
):
    book(holder, number, now)
    met = refused_change(registrar, room, now)
    (shown,) = scheduling.affected(registrar, met, now=now)
    assert shown.starts_at == TUESDAY and shown.name is not None
    assert shown.number.slug == number
    assert scheduling.rooms(registrar, now=now)[0].version == 1
    stranger = make_physician(make_clinic(), now, Position.REGISTRAR)
    assert scheduling.affected(stranger, met, now=now) == ()


def test_day_off_moves_its_visits_to_the_nearest_time_and_tells_them(
    holder: Actor, number: str, registrar: Actor, room: int, now: datetime
):
    made = book(holder, number, now)
    met = refused_change(registrar, room, now)
    scheduling.except_day(
        registrar, room, "24.11.2026", "", seen=1, decision=Decision(Fate.MOVE, met), now=now
    )
    moved = booking.visit(holder, made.uid, now=now)
    assert moved.starts_at == (TUESDAY + DAY).replace(hour=9)
    assert moved.sequence == 1 and news_of(holder)[-1] is News.VISIT_MOVED
    assert len(seats()) == 1
    scheduling.usual_day(registrar, room, TUESDAY.date(), seen=2, now=now)
    assert TUESDAY in free(holder, number, now)


def test_closing_a_room_cancels_its_visits_and_tells_them(
    holder: Actor, number: str, registrar: Actor, room: int, now: datetime
):
    book(holder, number, now)
    with pytest.raises(VisitsAffected) as caught:
        scheduling.close(registrar, room, seen=1, now=now)
    decision = Decision(Fate.CANCEL, caught.value.visits)
    scheduling.close(registrar, room, seen=1, decision=decision, now=now)
    assert seats() == [] and news_of(holder)[-1] is News.VISIT_CANCELLED
    assert free(holder, number, now) == {} and scheduling.rooms(registrar, now=now) == ()


def test_visits_for_whom_no_time_is_left_are_cancelled_rather_than_lost(
    holder: Actor, number: str, registrar: Actor, room: int, now: datetime
):
    book(holder, number, now)
    with pytest.raises(VisitsAffected) as caught:
        scheduling.close(registrar, room, seen=1, now=now)
    decision = Decision(Fate.MOVE, caught.value.visits)
    scheduling.close(registrar, room, seen=1, decision=decision, now=now)
    assert seats() == [] and statuses() == {VisitStatus.CANCELLED: 1}


def test_fewer_seats_keep_those_who_booked_first(
    holder: Actor, number: str, registrar: Actor, room: int, clinic_id: int, now: datetime
):
    scheduling.change(registrar, room, HOURS | {"capacity": "3"}, seen=1, now=now)
    others = [another(clinic_id, now) for _ in range(2)]
    book(holder, number, now)
    for who, theirs in others:
        book(who, theirs, now)
    booking.cancel(holder, number, seen=0, now=now)  # seats 2 and 3 stay taken
    scheduling.change(registrar, room, HOURS | {"capacity": "2"}, seen=2, now=now)
    assert sorted(each[2] for each in seats()) == [1, 2]
    with pytest.raises(VisitsAffected) as caught:
        scheduling.change(registrar, room, HOURS, seen=3, now=now)
    assert len(caught.value.visits) == 1
    decision = Decision(Fate.MOVE, caught.value.visits)
    scheduling.change(registrar, room, HOURS, seen=3, decision=decision, now=now)
    assert sorted(each[1:] for each in seats()) == [(TUESDAY, 1), (TUESDAY + HALF, 1)]
    assert News.VISIT_MOVED not in news_of(others[0][0])
    assert news_of(others[1][0])[-1] is News.VISIT_MOVED


def test_decision_covers_only_the_visits_that_were_shown(
    holder: Actor, number: str, registrar: Actor, room: int, clinic_id: int, now: datetime
):
    book(holder, number, now)
    met = refused_change(registrar, room, now)
    other, theirs = another(clinic_id, now)
    book(other, theirs, now, TUESDAY + HALF)
    with pytest.raises(VisitsAffected) as caught:
        scheduling.except_day(
            registrar, room, "24.11.2026", "", seen=1, decision=Decision(Fate.MOVE, met), now=now
        )
    assert len(caught.value.visits) == 2
    assert statuses() == {VisitStatus.BOOKED: 2}


def test_desk_sees_the_visits_of_a_day_by_time(
    holder: Actor, number: str, registrar: Actor, clinic_id: int, now: datetime
):
    other, theirs = another(clinic_id, now)
    book(holder, number, now, TUESDAY + HALF)
    book(other, theirs, now)
    shown = welcoming.day(registrar, TUESDAY.date(), now=now)
    assert [each.number.slug for each in shown.lines] == [theirs, number]
    assert not shown.lines[0].may_arrive and shown.lines[0].room == "Кабинет 12"
    assert welcoming.day(registrar, None, now=now).lines == ()
    assert welcoming.day(registrar, None, now=TUESDAY).lines[0].may_arrive
    physician = make_physician(clinic_id, now)
    seen = welcoming.day(physician, TUESDAY.date(), now=TUESDAY)
    assert len(seen.lines) == 2 and not seen.may_receive and not seen.lines[0].may_arrive
    stranger = make_physician(make_clinic(), now, Position.REGISTRAR)
    assert welcoming.day(stranger, TUESDAY.date(), now=now).lines == ()


def test_who_comes_is_marked_and_their_case_opened(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    made = book(holder, number, now)
    for _ in range(2):
        welcoming.arrive(registrar, made.uid, now=TUESDAY)
    assert events(number).count(Milestone.VISIT_BEGUN) == 1
    with pytest.raises(NotBooked):
        welcoming.miss(registrar, made.uid, now=TUESDAY)
    (line,) = welcoming.day(registrar, None, now=TUESDAY).lines
    assert line.status is VisitStatus.ARRIVED and line.may_open
    opened = examining.open_case(registrar, number, now=TUESDAY)
    (line,) = welcoming.day(registrar, None, now=TUESDAY).lines
    assert (line.examination_id, line.may_open) == (opened, False)


def test_no_show_is_marked_after_its_time_and_taken_back_by_coming_late(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    made = book(holder, number, now)
    with pytest.raises(NotYetMissed):
        welcoming.miss(registrar, made.uid, now=TUESDAY - HALF)
    for _ in range(2):
        welcoming.miss(registrar, made.uid, now=TUESDAY + HALF)
    assert statuses() == {VisitStatus.MISSED: 1}
    welcoming.arrive(registrar, made.uid, now=TUESDAY + 2 * HALF)
    assert statuses() == {VisitStatus.ARRIVED: 1}


def test_opening_the_case_marks_the_visit_as_begun(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    book(holder, number, now)
    examining.open_case(registrar, number, now=now)
    assert statuses() == {VisitStatus.ARRIVED: 1}
    assert seats() == []  # came before their time: it is free for others


def test_desk_marks_nothing_of_another_clinic(
    holder: Actor, number: str, clinic_id: int, now: datetime
):
    made = book(holder, number, now)
    stranger = make_physician(make_clinic(), now, Position.REGISTRAR)
    physician = make_physician(clinic_id, now)
    for act in (welcoming.arrive, welcoming.miss):
        with pytest.raises(NotFound):
            act(stranger, made.uid, now=TUESDAY)
        with pytest.raises(NotPermitted):
            act(physician, made.uid, now=TUESDAY)
        with pytest.raises(NotPermitted):
            act(holder, made.uid, now=TUESDAY)
    for actor in (physician, holder):
        with pytest.raises(NotPermitted):
            welcoming.walk_in(actor, number, now=now)
    with pytest.raises(NotPermitted):
        welcoming.day(holder, None, now=now)


def test_walk_in_needs_no_seat_and_is_noted_once(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    for _ in range(2):
        welcoming.walk_in(registrar, number, now=now)
    assert statuses() == {VisitStatus.ARRIVED: 1} and seats() == []
    (line,) = welcoming.day(registrar, None, now=now).lines
    assert line.number.slug == number and line.room == ""


def test_who_comes_on_another_day_than_booked_gives_that_day_back(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    made = book(holder, number, now)
    welcoming.walk_in(registrar, number, now=now)
    assert seats() == []
    assert booking.visit(holder, made.uid, now=now).sequence == 1
    assert len(welcoming.day(registrar, None, now=now).lines) == 1


def test_walk_in_of_another_clinics_application_needs_the_birth_date(
    holder: Actor, number: str, now: datetime
):
    book(holder, number, now)
    here = make_clinic()
    registrar = make_physician(here, now, Position.REGISTRAR)
    with pytest.raises(Required):
        welcoming.walk_in(registrar, number, now=now)
    with pytest.raises(NotFound):
        welcoming.walk_in(registrar, number, "28.03.1990", now=now)
    with pytest.raises(NotFound):
        welcoming.walk_in(registrar, TrackingNumber(2026, 999).slug, "27.03.1990", now=now)
    welcoming.walk_in(registrar, number, "27.03.1990", now=now)
    assert seats() == [] and statuses() == {VisitStatus.ARRIVED: 1, VisitStatus.CANCELLED: 1}
    assert Milestone.CLINIC_CHANGED in events(number)
    assert examining.find(registrar, number).number.slug == number


def test_desk_can_not_try_out_numbers(holder: Actor, number: str, now: datetime):
    registrar = make_physician(make_clinic(), now, Position.REGISTRAR)
    with pytest.raises(TooManyAttempts):
        for day in range(1, 29):
            with pytest.raises(NotFound):
                welcoming.walk_in(registrar, number, f"{day:02}.04.1990", now=now)


def test_case_begun_elsewhere_is_not_taken_over(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    examining.open_case(registrar, number, now=now)
    other = make_physician(make_clinic(), now, Position.REGISTRAR)
    with pytest.raises(DomainError):
        welcoming.walk_in(other, number, "27.03.1990", now=now)
    with reading() as db:
        assert db.exec(select(Application.clinic_id)).one() == registrar.clinic_id


def test_application_that_is_over_is_not_received(
    holder: Actor, number: str, registrar: Actor, now: datetime
):
    applying.withdraw(holder, id_of(number), now=now)
    with pytest.raises((NotFound, Required)):
        welcoming.walk_in(registrar, number, now=now)
