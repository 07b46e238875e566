"""The clinic's own schedule: rooms, their hours, and the visits that a change leaves outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, clinics, visits
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.visits import Room, Visit
from emk_app.domain.actors import Actor, Position, permit_position
from emk_app.domain.applications import Milestone, TrackingNumber
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.notices import News
from emk_app.domain.people import FullName
from emk_app.domain.regions import zone_of
from emk_app.domain.schedules import (
    ROOMS_AT_MOST,
    Schedule,
    TooManyRooms,
    parse_exception_day,
    parse_hours,
    parse_schedule,
)
from emk_app.domain.values import Problems
from emk_app.domain.visits import Fate, VisitsAffected, reminder_at
from emk_app.services import auditing, booking, cases

PLAN: Final = (Position.REGISTRAR, Position.CHAIR)
"""Who makes the schedule."""


@dataclass(frozen=True, slots=True)
class RoomView:
    """One room or commission."""

    id: int
    version: int
    schedule: Schedule
    ahead: int
    """Visits booked ahead."""


@dataclass(frozen=True, slots=True)
class AffectedVisit:
    """A visit that a change of the schedule would leave outside."""

    id: int
    number: TrackingNumber
    name: FullName | None
    starts_at: datetime
    """By the clock of the clinic."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the visits that a change meets, and which of them were shown."""

    fate: Fate
    visits: frozenset[int]


def rooms(actor: Actor, *, now: datetime) -> tuple[RoomView, ...]:
    """Return the rooms of the actor's clinic."""
    clinic_id = permit_position(actor, *PLAN)
    with reading() as db:
        return tuple(
            RoomView(
                room.id,
                room.version,
                Schedule.read(room.schedule),
                len(visits.booked_in(db, room.id, now)),
            )
            for room in visits.rooms(db, clinic_id)
        )


def add(actor: Actor, fields: Mapping[str, str], *, now: datetime) -> int:
    """Open a room; return its identity. Raises ``Invalid`` and ``TooManyRooms``."""
    clinic_id = permit_position(actor, *PLAN)
    schedule = parse_schedule(fields, {})
    with unit_of_work() as db:
        if len(visits.rooms_held(db, clinic_id, to_change=True)) >= ROOMS_AT_MOST:
            raise TooManyRooms(ROOMS_AT_MOST)
        room = Room(clinic_id=clinic_id, schedule=schedule.pack(), changed_at=now)
        db.add(room)
        db.flush()
        _note(db, actor, room, "open_room", now)
        return room.id


def change(
    actor: Actor,
    room_id: int,
    fields: Mapping[str, str],
    *,
    seen: int,
    decision: Decision | None = None,
    now: datetime,
) -> None:
    """Change the hours of a room that was seen in version ``seen``.

    Raises ``Invalid``, ``ChangedMeanwhile``, and ``VisitsAffected`` until it is decided what
    becomes of every visit that the change leaves outside.
    """
    permit_position(actor, *PLAN)

    def changed(schedule: Schedule) -> Schedule:
        return parse_schedule(fields, schedule.exceptions)

    _apply(actor, room_id, changed, "change_room", seen=seen, decision=decision, now=now)


def except_day(
    actor: Actor,
    room_id: int,
    day_text: str,
    hours_text: str,
    *,
    seen: int,
    decision: Decision | None = None,
    now: datetime,
) -> None:
    """Set other hours, or none, for one day; raises like ``change``, with ``day`` and ``hours``."""
    clinic_id = permit_position(actor, *PLAN)
    with reading() as db:
        zone = zone_of(clinics.get(db, clinic_id).region_code)
    problems = Problems()
    day = problems.take("day", parse_exception_day, day_text, now.astimezone(zone).date())
    hours = problems.take("hours", parse_hours, hours_text)
    problems.raise_any()
    _apply(
        actor,
        room_id,
        lambda schedule: schedule.except_on(day, hours),
        "change_day",
        seen=seen,
        decision=decision,
        now=now,
    )


def usual_day(
    actor: Actor,
    room_id: int,
    day: date,
    *,
    seen: int,
    decision: Decision | None = None,
    now: datetime,
) -> None:
    """Let a day go as usual again; raises like ``change``."""
    permit_position(actor, *PLAN)
    _apply(
        actor,
        room_id,
        lambda schedule: schedule.as_usual_on(day),
        "change_day",
        seen=seen,
        decision=decision,
        now=now,
    )


def close(
    actor: Actor, room_id: int, *, seen: int, decision: Decision | None = None, now: datetime
) -> None:
    """Close a room for good; raises like ``change``."""
    permit_position(actor, *PLAN)
    _apply(actor, room_id, lambda _: None, "close_room", seen=seen, decision=decision, now=now)


def affected(
    actor: Actor, visit_ids: Collection[int], *, now: datetime
) -> tuple[AffectedVisit, ...]:
    """Return the visits of the actor's clinic that a refused change named; the look is noted."""
    clinic_id = permit_position(actor, *PLAN)
    auditing.look(actor, f"clinic:{clinic_id}", fields="visits", now=now)
    with reading() as db:
        zone = zone_of(clinics.get(db, clinic_id).region_code)
        found = [db.get(Visit, visit_id) for visit_id in visit_ids]
        shown: list[AffectedVisit] = []
        for visit in found:
            if visit is None or visit.clinic_id != clinic_id:
                continue
            application = applications.get(db, visit.application_id)
            shown.append(
                AffectedVisit(
                    visit.id,
                    TrackingNumber.parse(application.tracking_number),
                    cases.seen_by(cases.patient_of(db, application, now=now), actor).name,
                    visit.starts_at.astimezone(zone),
                )
            )
    return tuple(sorted(shown, key=lambda each: (each.starts_at, each.id)))


def _apply(
    actor: Actor,
    room_id: int,
    changed: Callable[[Schedule], Schedule | None],
    action: str,
    *,
    seen: int,
    decision: Decision | None,
    now: datetime,
) -> None:
    """Put another schedule in the place of a room's, or none, and decide the visits it meets."""
    clinic_id = permit_position(actor, *PLAN)
    agreed = decision.visits if decision else frozenset[int]()
    with unit_of_work() as db:
        # Applications before rooms, as whoever books does: nobody waits for each other in a ring.
        for application_id in sorted(_applications_of(db, clinic_id, agreed)):
            applications.locked(db, application_id)
        held = visits.rooms_held(db, clinic_id, to_change=True)
        room = next((each for each in held if each.id == room_id), None)
        if room is None:
            raise NotFound
        if room.version != seen:
            raise ChangedMeanwhile
        clinic = clinics.get(db, clinic_id)
        zone = zone_of(clinic.region_code)
        schedule = changed(Schedule.read(room.schedule))
        outside, inside = _sorted_out(db, room, schedule, zone, now)
        if outside and (decision is None or not {each.id for each in outside} <= agreed):
            raise VisitsAffected([each.id for each in outside])
        room.version += 1
        room.changed_at = now
        if schedule is None:
            room.closed_at = now
        else:
            room.schedule = schedule.pack()
        db.add(room)
        for visit in outside:
            visits.leave_seat(db, visit.id)
        for visit in inside:
            visits.leave_seat(db, visit.id)
            assert schedule is not None
            is_seated = visits.take_seat(db, visit, room.id, visit.starts_at, schedule.capacity)
            assert is_seated
        receiving = [each for each in held if each.closed_at is None]
        for visit in outside:
            assert decision is not None
            _settle(db, actor, clinic, receiving, visit, decision.fate, now)
        _note(db, actor, room, action, now)


def _sorted_out(
    db: Session, room: Room, schedule: Schedule | None, zone: ZoneInfo, now: datetime
) -> tuple[list[Visit], list[Visit]]:
    """Return the visits ahead that don't fit ``schedule``, and those that need another seat."""
    by_start: defaultdict[datetime, list[Visit]] = defaultdict(list)
    for visit in visits.booked_in(db, room.id, now, hold=True):
        by_start[visit.starts_at].append(visit)
    outside: list[Visit] = []
    inside: list[Visit] = []
    for starts_at, booked in by_start.items():
        fits = schedule is not None and schedule.offers(starts_at, zone)
        room_for = schedule.capacity if schedule is not None and fits else 0
        outside += booked[room_for:]
        seats = visits.seats_of(db, [each.id for each in booked[:room_for]])
        inside += [each for each in booked[:room_for] if seats.get(each.id, 0) > room_for]
    return outside, inside


def _settle(
    db: Session,
    actor: Actor,
    clinic: Clinic,
    receiving: Sequence[Room],
    visit: Visit,
    fate: Fate,
    now: datetime,
) -> None:
    """Move a visit to the nearest free time of the clinic, or cancel it; its holder is told."""
    application = applications.get(db, visit.application_id)
    if fate is Fate.MOVE:
        zone = zone_of(clinic.region_code)
        free = [
            slot.starts_at
            for slot in booking.slots_of(db, clinic, receiving, None, now)
            if slot.free > 0
        ]
        for starts_at in sorted(free, key=lambda each: (each < visit.starts_at, each)):
            room = booking.take_first(db, visit, receiving, starts_at, zone)
            if room is None:
                continue
            was = visit.starts_at
            visits.change(
                db,
                application,
                visit,
                now=now,
                room_id=room.id,
                starts_at=starts_at.astimezone(UTC),
                minutes=Schedule.read(room.schedule).slot_minutes,
                sequence=visit.sequence + 1,
                remind_at=reminder_at(starts_at, now),
            )
            if was != starts_at:
                event, news = Milestone.VISIT_MOVED, News.VISIT_MOVED
                booking.tell(db, actor, application, visit, event, news, now)
            return
    visits.release(db, application, now=now)
    event, news = Milestone.VISIT_CANCELLED, News.VISIT_CANCELLED
    booking.tell(db, actor, application, visit, event, news, now)


def _applications_of(db: Session, clinic_id: int, visit_ids: Collection[int]) -> set[int]:
    found = (db.get(Visit, visit_id) for visit_id in visit_ids)
    return {each.application_id for each in found if each and each.clinic_id == clinic_id}


def _note(db: Session, actor: Actor, room: Room, action: str, now: datetime) -> None:
    changes.announce(db, f"slots:{room.clinic_id}", f"rooms:{room.clinic_id}")
    auditing.record(db, actor, action, f"room:{room.id}", now=now)
