"""The holder's visit to the clinic: free times, booking, moving, cancelling, reminders."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from emk_app import clock, incidents
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, clinics, examinations, visits
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.db.tables.visits import Room, Visit
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.applications import ExaminationTrack, Milestone, TrackingNumber
from emk_app.domain.errors import ChangedMeanwhile, InvalidValue, NotFound
from emk_app.domain.examinations import ProgrammeItem, programme
from emk_app.domain.notices import News, Notice
from emk_app.domain.occupations import Occupation
from emk_app.domain.people import FullName, age_on
from emk_app.domain.regions import zone_of
from emk_app.domain.schedules import Schedule
from emk_app.domain.visits import (
    CHANGE_NOTICE,
    GRACE,
    OFFERED,
    AlreadyBooked,
    Bring,
    ClinicNotChosen,
    NotBooked,
    NoVisitNeeded,
    SlotTaken,
    TooLateToChange,
    VisitStatus,
    is_bookable,
    may_book,
    reminder_at,
    to_bring,
)
from emk_app.services import auditing, cases, directory, lapsing, notifying
from emk_app.services.directory import ClinicView

log = logging.getLogger("emk.booking")

JOB: Final = "visits"
BATCH: Final = 200
KEY_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class Slot:
    """A time at which visits begin, by the clock of the clinic, and how many may still come."""

    starts_at: datetime
    free: int


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit as its holder sees it."""

    uid: str
    number: TrackingNumber
    clinic: ClinicView
    room: str
    """Empty where the visit has none."""
    status: VisitStatus
    starts_at: datetime
    """By the clock of the clinic."""
    minutes: int
    sequence: int
    is_ahead: bool
    may_change: bool
    change_until: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Booking:
    """All that the holder needs to come to the clinic with one application."""

    number: TrackingNumber
    application_id: int
    occupation: Occupation | None
    clinic: ClinicView | None
    visit: VisitView | None
    """The visit ahead or, where none is, the last one."""
    slots: tuple[Slot, ...]
    """Every time the clinic offers, free or full, as far as it may be booked."""
    may_book: bool
    act_by: date | None
    """The last day for the visit, where the application ends otherwise."""
    bring: tuple[Bring, ...]
    studies: tuple[ProgrammeItem, ...]
    """The programme, as far as the form tells it."""
    person: FullName | None
    born_on: date | None


def bookable(actor: Actor, *, now: datetime) -> tuple[TrackingNumber, ...]:
    """Return the holder's applications with which somebody still has to come, newest first."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        return tuple(
            TrackingNumber.parse(each.tracking_number)
            for each in applications.of_holder(db, actor.user_id)
            if _may_book(db, each)
        )


def booking(actor: Actor, number: str, *, now: datetime) -> Booking:
    """Return the page of one application's visit; raise ``NotFound`` for a foreign one."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = _own(db, actor, number)
        clinic = db.get(Clinic, application.clinic_id) if application.clinic_id else None
        wanted = _may_book(db, application)
        visit = visits.ahead(db, application.id) or visits.newest(db, application.id)
        act_by = lapsing.last_day(db, application)
        patient = cases.patient_of(db, application, now=now)
        studies: tuple[ProgrammeItem, ...] = ()
        bring: tuple[Bring, ...] = ()
        if patient.born_on and patient.sex and patient.occupation and patient.kind:
            on = visit.starts_at if visit and visit.status is VisitStatus.BOOKED else now
            day = clock.day_of(on)
            age = age_on(patient.born_on, day)
            studies = programme(patient.occupation.point, age, patient.sex, patient.kind, day)
            bring = to_bring([each.code for each in studies], patient.kind, age)
        return Booking(
            number=TrackingNumber.parse(application.tracking_number),
            application_id=application.id,
            occupation=patient.occupation,
            clinic=directory.view(clinic) if clinic else None,
            visit=_view(db, application, visit, now) if visit else None,
            slots=_slots(db, clinic, act_by, now) if clinic and wanted else (),
            may_book=wanted,
            act_by=act_by,
            bring=bring,
            studies=studies,
            person=patient.name,
            born_on=patient.born_on,
        )


def visit(actor: Actor, uid: str, *, now: datetime) -> VisitView:
    """Return one visit of the holder's own by its public name; raise ``NotFound``."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        found = visits.by_uid(db, uid)
        application = applications.own(db, actor, found.application_id)
        return _view(db, application, found, now)


def book(actor: Actor, number: str, starts_at: datetime, *, key: str, now: datetime) -> VisitView:
    """Book the time at the clinic of the application.

    ``key`` names the wish: the same again returns what it has booked, even if that was cancelled
    since. Raises ``SlotTaken``, ``AlreadyBooked``, ``NoVisitNeeded``, ``ClinicNotChosen``.
    """
    permit(actor, Role.HOLDER)
    try:
        # Most of those who come too late need not wait for the others who write.
        with reading() as db:
            application = _own(db, actor, number)
            known = visits.by_key(db, application.id, key[:KEY_LIMIT])
            if known is None and visits.ahead(db, application.id) is None:
                _check_free(db, application, starts_at, now)
        with unit_of_work() as db:
            application = applications.locked(db, application.id)
            known = visits.by_key(db, application.id, key[:KEY_LIMIT])
            if known is not None:
                return _view(db, application, known, now)
            standing = visits.ahead(db, application.id)
            if standing is not None and standing.starts_at <= now:
                # Nobody has marked what became of it: the holder comes again.
                visits.change(db, application, standing, now=now, status=VisitStatus.MISSED)
                standing = None
            if standing is not None:
                if standing.starts_at == starts_at:
                    return _view(db, application, standing, now)
                raise AlreadyBooked
            clinic = _clinic_of(db, application)
            made = visits.add(
                db,
                application,
                now=now,
                clinic_id=clinic.id,
                status=VisitStatus.BOOKED,
                starts_at=starts_at.astimezone(UTC),
                minutes=0,
                key=key[:KEY_LIMIT],
                remind_at=reminder_at(starts_at, now),
            )
            _take(db, application, clinic, made, starts_at, now)
            tell(db, actor, application, made, Milestone.VISIT_BOOKED, News.VISIT_BOOKED, now)
            return _view(db, application, made, now)
    except SlotTaken:
        raise SlotTaken(_nearest(actor, number, starts_at, now)) from None


def move(actor: Actor, number: str, starts_at: datetime, *, seen: int, now: datetime) -> VisitView:
    """Move the visit to another time of the same clinic; to its own time changes nothing.

    ``seen`` is the ``sequence`` on the screen. Raises ``SlotTaken``, ``NotBooked``,
    ``TooLateToChange``, ``ChangedMeanwhile``.
    """
    permit(actor, Role.HOLDER)
    try:
        with unit_of_work() as db:
            application = applications.locked(db, _own(db, actor, number).id)
            standing = _changeable(db, application, None, now)
            if standing.starts_at == starts_at:
                return _view(db, application, standing, now)
            if standing.sequence != seen:
                raise ChangedMeanwhile
            clinic = _clinic_of(db, application)
            visits.change(
                db,
                application,
                standing,
                now=now,
                starts_at=starts_at.astimezone(UTC),
                sequence=standing.sequence + 1,
                remind_at=reminder_at(starts_at, now),
            )
            visits.leave_seat(db, standing.id)
            _take(db, application, clinic, standing, starts_at, now)
            tell(db, actor, application, standing, Milestone.VISIT_MOVED, News.VISIT_MOVED, now)
            return _view(db, application, standing, now)
    except SlotTaken:
        raise SlotTaken(_nearest(actor, number, starts_at, now)) from None


def cancel(actor: Actor, number: str, *, seen: int, now: datetime) -> None:
    """Cancel the visit; a second time changes nothing.

    Raises ``NotBooked`` where none was ever ahead, ``TooLateToChange``, ``ChangedMeanwhile``.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = applications.locked(db, _own(db, actor, number).id)
        last = visits.newest(db, application.id)
        if last is not None and last.status is VisitStatus.CANCELLED:
            return
        _changeable(db, application, seen, now)
        gone = visits.release(db, application, now=now)
        assert gone is not None
        tell(db, actor, application, gone, Milestone.VISIT_CANCELLED, News.VISIT_CANCELLED, now)


def run(_target_id: int, now: datetime) -> None:
    """Remind of the visits of the next day, and close those to which nobody came."""
    with reading() as db:
        soon = visits.to_remind(db, now, BATCH)
        over = visits.left_over(db, now - GRACE, BATCH)
    for visit_id in soon:
        _attempt(_remind, "reminder of", visit_id, now)
    for visit_id in over:
        _attempt(_close, "end of", visit_id, now)


def slots_of(
    db: Session, clinic: Clinic, rooms: Sequence[Room], last: date | None, now: datetime
) -> tuple[Slot, ...]:
    """Return every time that may still be booked in ``rooms``, up to and with ``last``."""
    zone = zone_of(clinic.region_code)
    today = now.astimezone(zone).date()
    schedules = {room.id: Schedule.read(room.schedule) for room in rooms}
    if not schedules:
        return ()
    furthest = max(each.last_day(today) for each in schedules.values())
    end = datetime.combine(furthest + timedelta(days=1), time.min, zone)
    taken = visits.taken(db, schedules.keys(), now.astimezone(UTC), end.astimezone(UTC))
    free: Counter[datetime] = Counter()
    for room_id, schedule in schedules.items():
        day = today
        until = min(schedule.last_day(today), last or date.max)
        while day <= until:
            for starts_at in schedule.slots_on(day, zone):
                if is_bookable(starts_at, now):
                    known = taken.get((room_id, starts_at), ())
                    free[starts_at] += schedule.capacity - sum(
                        number <= schedule.capacity for number in known
                    )
            day += timedelta(days=1)
    return tuple(Slot(starts_at, free[starts_at]) for starts_at in sorted(free))


def take_first(
    db: Session, visit: Visit, rooms: Iterable[Room], starts_at: datetime, zone: ZoneInfo
) -> Room | None:
    """Take a seat at this time in the first of ``rooms`` that has one; return the room."""
    for room in rooms:
        schedule = Schedule.read(room.schedule)
        if schedule.offers(starts_at, zone) and visits.take_seat(
            db, visit, room.id, starts_at.astimezone(UTC), schedule.capacity
        ):
            return room
    return None


def local_text(starts_at: datetime, clinic: Clinic) -> str:
    """Return the day and time of a visit for the history, by the clock of the clinic."""
    return f"{starts_at.astimezone(zone_of(clinic.region_code)):%d.%m.%Y %H:%M}"


def _take(
    db: Session,
    application: Application,
    clinic: Clinic,
    visit: Visit,
    starts_at: datetime,
    now: datetime,
) -> None:
    """Give the visit a seat at its time, or raise ``SlotTaken``."""
    zone = zone_of(clinic.region_code)
    day = starts_at.astimezone(zone).date()
    today = now.astimezone(zone).date()
    last = lapsing.last_day(db, application) or date.max
    if not is_bookable(starts_at, now) or day > last:
        raise SlotTaken
    open_rooms = [
        room
        for room in visits.rooms_held(db, clinic.id, to_change=False)
        if day <= Schedule.read(room.schedule).last_day(today)
    ]
    room = take_first(db, visit, open_rooms, starts_at, zone)
    if room is None:
        raise SlotTaken
    visit.room_id, visit.minutes = room.id, Schedule.read(room.schedule).slot_minutes
    db.add(visit)


def _check_free(db: Session, application: Application, starts_at: datetime, now: datetime) -> None:
    clinic = _clinic_of(db, application)
    rooms = visits.rooms(db, clinic.id)
    zone = zone_of(clinic.region_code)
    moment = starts_at.astimezone(UTC)
    taken = visits.taken(
        db, [room.id for room in rooms], moment, moment + timedelta(microseconds=1)
    )
    for room in rooms:
        schedule = Schedule.read(room.schedule)
        known = taken.get((room.id, moment), ())
        if len(known) < schedule.capacity and schedule.offers(starts_at, zone):
            return
    raise SlotTaken


def _nearest(actor: Actor, number: str, starts_at: datetime, now: datetime) -> tuple[datetime, ...]:
    """Return the next free times, those after the wanted one first."""
    with reading() as db:
        application = _own(db, actor, number)
        clinic = db.get(Clinic, application.clinic_id) if application.clinic_id else None
        if clinic is None:
            return ()
        last = lapsing.last_day(db, application)
        free = [slot.starts_at for slot in _slots(db, clinic, last, now) if slot.free > 0]
    later = [each for each in free if each > starts_at]
    return tuple((later or free)[:OFFERED])


def _slots(db: Session, clinic: Clinic, last: date | None, now: datetime) -> tuple[Slot, ...]:
    return slots_of(db, clinic, visits.rooms(db, clinic.id), last, now)


def _own(db: Session, actor: Actor, number: str) -> Application:
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    found = applications.by_number(db, slug)
    if found.holder_id != actor.user_id or found.submitted_at is None:
        raise NotFound
    return found


def _may_book(db: Session, application: Application) -> bool:
    if application.submitted_at is None:
        return False
    fitness = None
    if application.examination is ExaminationTrack.CONCLUDED:
        examination = examinations.of_application(db, application.id)
        fitness = examination.fitness if examination else None
    return may_book(application.status, application.examination, fitness)


def _clinic_of(db: Session, application: Application) -> Clinic:
    if not _may_book(db, application):
        raise NoVisitNeeded
    if application.clinic_id is None:
        raise ClinicNotChosen
    return clinics.get(db, application.clinic_id)


def _changeable(db: Session, application: Application, seen: int | None, now: datetime) -> Visit:
    standing = visits.ahead(db, application.id)
    if standing is None:
        raise NotBooked
    if not is_bookable(standing.starts_at, now):
        raise TooLateToChange
    if seen is not None and standing.sequence != seen:
        raise ChangedMeanwhile
    return standing


def _view(db: Session, application: Application, visit: Visit, now: datetime) -> VisitView:
    clinic = db.get(Clinic, visit.clinic_id)
    assert clinic is not None
    room = db.get(Room, visit.room_id) if visit.room_id else None
    return VisitView(
        uid=visit.uid,
        number=TrackingNumber.parse(application.tracking_number),
        clinic=directory.view(clinic),
        room=Schedule.read(room.schedule).name if room else "",
        status=visit.status,
        starts_at=visit.starts_at.astimezone(zone_of(clinic.region_code)),
        minutes=visit.minutes,
        sequence=visit.sequence,
        is_ahead=visit.status is VisitStatus.BOOKED and visit.starts_at > now,
        may_change=visit.status is VisitStatus.BOOKED and is_bookable(visit.starts_at, now),
        change_until=(visit.starts_at - CHANGE_NOTICE).astimezone(zone_of(clinic.region_code)),
        changed_at=visit.changed_at,
    )


def tell(
    db: Session,
    actor: Actor,
    application: Application,
    visit: Visit,
    event: Milestone,
    news: News,
    now: datetime,
) -> None:
    """Write history and audit of what happened to a visit, and tell its holder."""
    clinic = db.get(Clinic, visit.clinic_id)
    assert clinic is not None
    db.flush()
    applications.write_history(
        db,
        application,
        event.value,
        by=actor.role,
        user_id=actor.user_id if actor.role is not Role.SYSTEM else None,
        now=now,
        note=local_text(visit.starts_at, clinic),
    )
    # The chain of the audit grows under a lock, so every other row is locked before.
    auditing.record(
        db, actor, event.value, f"visit:{visit.id}", subject_id=application.holder_id, now=now
    )
    holder = db.get(User, application.holder_id)
    assert holder is not None
    notifying.tell(
        db,
        holder,
        Notice(news, number=application.tracking_number, at=visit.starts_at),
        dedupe=f"{event}:{visit.id}:{visit.sequence}",
        now=now,
    )


def _attempt(act: Callable[[int, datetime], None], what: str, visit_id: int, now: datetime) -> None:
    """Do it to one visit; what fails is noted and does not keep the others waiting."""
    try:
        act(visit_id, now)
    except Exception as error:
        incidents.note(log, f"{what} visit {visit_id}", error)


def _remind(visit_id: int, now: datetime) -> None:
    with unit_of_work() as db:
        application, standing = _locked(db, visit_id)
        if standing.status is not VisitStatus.BOOKED or standing.remind_at is None:
            return
        visits.change(db, application, standing, now=now, remind_at=None)
        if standing.starts_at <= now:
            return
        holder = db.get(User, application.holder_id)
        assert holder is not None
        notifying.tell(
            db,
            holder,
            Notice(News.VISIT_SOON, number=application.tracking_number, at=standing.starts_at),
            dedupe=f"visit_soon:{standing.id}:{standing.sequence}",
            now=now,
        )


def _close(visit_id: int, now: datetime) -> None:
    with unit_of_work() as db:
        application, standing = _locked(db, visit_id)
        if standing.status is not VisitStatus.BOOKED or standing.starts_at > now - GRACE:
            return
        visits.change(db, application, standing, now=now, status=VisitStatus.MISSED, remind_at=None)
        clinic = clinics.get(db, standing.clinic_id)
        applications.write_history(
            db,
            application,
            Milestone.VISIT_MISSED.value,
            by=SYSTEM.role,
            user_id=None,
            now=now,
            note=local_text(standing.starts_at, clinic),
        )
        auditing.record(
            db,
            SYSTEM,
            Milestone.VISIT_MISSED.value,
            f"visit:{standing.id}",
            subject_id=application.holder_id,
            now=now,
        )


def _locked(db: Session, visit_id: int) -> tuple[Application, Visit]:
    """Return a visit and its application, both held until the commit."""
    known = db.get(Visit, visit_id)
    if known is None:
        raise NotFound
    application = applications.locked(db, known.application_id)
    db.refresh(known)
    return application, known
