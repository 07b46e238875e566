"""The desk at the clinic's door: who comes today, who is there, who did not come."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, clinics, desks, visits
from emk_app.db.repositories.desks import VISITED
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.visits import Room, Visit
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, permit_position
from emk_app.domain.applications import (
    CaseAlreadyOpen,
    ExaminationTrack,
    Milestone,
    TrackingNumber,
    clinic_may_change,
)
from emk_app.domain.clinics import check_available
from emk_app.domain.errors import ChangedMeanwhile, NotFound, Required
from emk_app.domain.examinations import CaseClosed
from emk_app.domain.people import parse_birth_date
from emk_app.domain.regions import zone_of
from emk_app.domain.schedules import Schedule
from emk_app.domain.visits import NotBooked, NotYetMissed, VisitStatus
from emk_app.services import auditing, booking, cases, examining, throttling
from emk_app.services.cases import Patient

FOREIGN_NUMBERS: Final = Rule(tries=10, window=timedelta(hours=1))
"""How often somebody at the desk may name a number that is not their clinic's."""


@dataclass(frozen=True, slots=True)
class Line:
    """One visit of the day."""

    uid: str
    starts_at: datetime
    """By the clock of the clinic."""
    room: str
    """Empty for who came without booking."""
    status: VisitStatus
    number: TrackingNumber
    patient: Patient
    examination: ExaminationTrack
    examination_id: int | None
    may_arrive: bool
    may_miss: bool
    may_open: bool


@dataclass(frozen=True, slots=True)
class Reception:
    """The visits of one day."""

    day: date
    today: date
    lines: tuple[Line, ...]
    may_receive: bool


def day(actor: Actor, on: date | None, *, now: datetime) -> Reception:
    """Return the visits of a day, today's unless said otherwise; the look is noted."""
    clinic_id = permit_position(actor, *examining.STAFF)
    auditing.look(actor, f"clinic:{clinic_id}", fields="visits", now=now)
    may_receive = actor.position in examining.RECEIVE
    with reading() as db:
        clinic = clinics.get(db, clinic_id)
        zone = zone_of(clinic.region_code)
        today = now.astimezone(zone).date()
        shown = on or today
        begins = datetime.combine(shown, time.min, zone)
        ends = begins + timedelta(days=1)
        found = visits.of_day(db, clinic_id, begins.astimezone(UTC), ends.astimezone(UTC))
        opened = desks.examinations_of(db, [each.application_id for each in found])
        rooms = {room.id: Schedule.read(room.schedule).name for room in _rooms_of(db, found)}
        lines: list[Line] = []
        for visit in found:
            application = applications.get(db, visit.application_id)
            if application.clinic_id != clinic_id:
                continue
            examination = opened.get(application.id)
            is_awaited = may_receive and visit.status in (VisitStatus.BOOKED, VisitStatus.MISSED)
            lines.append(
                Line(
                    uid=visit.uid,
                    starts_at=visit.starts_at.astimezone(zone),
                    room=rooms.get(visit.room_id or 0, ""),
                    status=visit.status,
                    number=TrackingNumber.parse(application.tracking_number),
                    patient=cases.seen_by(cases.patient_of(db, application, now=now), actor),
                    examination=application.examination,
                    examination_id=examination.id if examination else None,
                    may_arrive=is_awaited and shown == today,
                    may_miss=(
                        may_receive
                        and visit.status is VisitStatus.BOOKED
                        and visit.starts_at <= now
                    ),
                    may_open=(
                        may_receive
                        and examination is None
                        and application.status in VISITED
                        and shown == today
                    ),
                )
            )
    return Reception(shown, today, tuple(lines), may_receive)


def arrive(actor: Actor, uid: str, *, now: datetime) -> None:
    """Note that somebody is there, also one who was thought not to come; twice changes nothing."""
    clinic_id = permit_position(actor, *examining.RECEIVE)
    with unit_of_work() as db:
        application, visit = _held(db, clinic_id, uid)
        if visit.status is VisitStatus.ARRIVED:
            return
        if visit.status not in (VisitStatus.BOOKED, VisitStatus.MISSED):
            raise NotBooked
        visits.change(db, application, visit, now=now, status=VisitStatus.ARRIVED, remind_at=None)
        _write(db, actor, application, visit, Milestone.VISIT_BEGUN, now)


def miss(actor: Actor, uid: str, *, now: datetime) -> None:
    """Note that somebody has not come; twice changes nothing.

    Raises ``NotYetMissed`` before the visit begins, ``NotBooked`` where they have come after all.
    """
    clinic_id = permit_position(actor, *examining.RECEIVE)
    with unit_of_work() as db:
        application, visit = _held(db, clinic_id, uid)
        if visit.status is VisitStatus.MISSED:
            return
        if visit.status is not VisitStatus.BOOKED:
            raise NotBooked
        if visit.starts_at > now:
            raise NotYetMissed
        visits.change(db, application, visit, now=now, status=VisitStatus.MISSED, remind_at=None)
        _write(db, actor, application, visit, Milestone.VISIT_MISSED, now)


def walk_in(actor: Actor, number: str, born_on: str = "", *, now: datetime) -> None:
    """Receive somebody who came without booking, or at another time than booked.

    They say the number of their application; where it names another clinic, or none, the birth date
    of the passport they show has to be the application's, and the application comes over to this
    clinic. Twice changes nothing. Raises ``Required`` where the birth date is needed, ``NotFound``
    for a number and date that don't fit, ``CaseAlreadyOpen`` where another clinic has begun,
    ``ClinicNotAvailable``, ``CaseClosed``.
    """
    clinic_id = permit_position(actor, *examining.RECEIVE)
    slug = TrackingNumber.parse(number).slug
    with reading() as db:
        is_own = _is_own(db, clinic_id, slug)
    said: date | None = None
    if not is_own:
        if not born_on.strip():
            raise Required
        said = parse_birth_date(born_on, clock.day_of(now))
        key = throttling.key_of("walk_in", str(actor.user_id))
        throttling.spend((key, FOREIGN_NUMBERS), now=now)
    with unit_of_work() as db:
        application = applications.locked(db, applications.by_number(db, slug).id)
        if application.clinic_id != clinic_id:
            if is_own:
                raise ChangedMeanwhile
            patient = cases.patient_of(db, application, now=now)
            if application.status not in VISITED or patient.born_on != said:
                raise NotFound
            if not clinic_may_change(application.status, application.examination):
                raise CaseAlreadyOpen
            _take_over(db, actor, application, clinics.get(db, clinic_id), now)
        if application.status not in VISITED:
            raise CaseClosed
        standing = visits.ahead(db, application.id)
        if standing is None:
            last = visits.newest(db, application.id)
            if (
                last is not None
                and last.clinic_id == clinic_id
                and last.status is VisitStatus.ARRIVED
                and now - last.changed_at < timedelta(hours=12)
            ):
                return
            standing = visits.add(
                db,
                application,
                now=now,
                clinic_id=clinic_id,
                status=VisitStatus.ARRIVED,
                starts_at=now,
                minutes=0,
                key=secrets.token_hex(16),
            )
        elif _day_of(db, clinic_id, standing.starts_at) == _day_of(db, clinic_id, now):
            visits.change(
                db, application, standing, now=now, status=VisitStatus.ARRIVED, remind_at=None
            )
        else:
            # Who was booked for another day comes now: that day is free for others.
            visits.change(
                db,
                application,
                standing,
                now=now,
                status=VisitStatus.ARRIVED,
                starts_at=now,
                room_id=None,
                sequence=standing.sequence + 1,
                remind_at=None,
            )
            visits.leave_seat(db, standing.id)
        _write(db, actor, application, standing, Milestone.VISIT_BEGUN, now)


def _take_over(
    db: Session, actor: Actor, application: Application, clinic: Clinic, now: datetime
) -> None:
    occupation = cases.patient_of(db, application, now=now).occupation
    check_available(
        clinic.licence_status,
        frozenset(clinic.points.split(",")),
        occupation.point if occupation else None,
    )
    applications.move(db, application, now=now, clinic_id=clinic.id)
    applications.write_history(
        db,
        application,
        Milestone.CLINIC_CHANGED.value,
        by=actor.role,
        user_id=actor.user_id,
        now=now,
        note=clinic.short_name,
    )


def _is_own(db: Session, clinic_id: int, slug: str) -> bool:
    try:
        return desks.at_clinic(db, clinic_id, slug).clinic_id == clinic_id
    except NotFound:
        return False


def _day_of(db: Session, clinic_id: int, moment: datetime) -> date:
    return moment.astimezone(zone_of(clinics.get(db, clinic_id).region_code)).date()


def _rooms_of(db: Session, found: Iterable[Visit]) -> list[Room]:
    ids = {each.room_id for each in found if each.room_id}
    return [room for room_id in ids if (room := db.get(Room, room_id)) is not None]


def _held(db: Session, clinic_id: int, uid: str) -> tuple[Application, Visit]:
    """Return a visit of the clinic and its application, held until the commit."""
    visit = visits.by_uid(db, uid)
    application = applications.locked(db, visit.application_id)
    db.refresh(visit)
    if visit.clinic_id != clinic_id or application.clinic_id != clinic_id:
        raise NotFound
    return application, visit


def _write(
    db: Session,
    actor: Actor,
    application: Application,
    visit: Visit,
    event: Milestone,
    now: datetime,
) -> None:
    clinic = clinics.get(db, visit.clinic_id)
    applications.write_history(
        db,
        application,
        event.value,
        by=actor.role,
        user_id=actor.user_id,
        now=now,
        note=booking.local_text(visit.starts_at, clinic),
    )
    auditing.record(
        db, actor, event.value, f"visit:{visit.id}", subject_id=application.holder_id, now=now
    )
