"""Rooms, visits and seats: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from emk_app.db import changes
from emk_app.db.tables.applications import Application
from emk_app.db.tables.visits import Room, Seat, Visit
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.visits import VisitStatus

Taken = dict[tuple[int, datetime], set[int]]
"""Numbers of the seats that are taken, by room and time."""


def rooms(db: Session, clinic_id: int) -> Sequence[Room]:
    """Return the clinic's rooms that receive, the oldest first."""
    return db.exec(_rooms(clinic_id)).all()


def rooms_held(db: Session, clinic_id: int, *, to_change: bool) -> Sequence[Room]:
    """Return the same, held until the commit: to book by them, or to change them.

    Whoever books holds the application first; whoever changes the rooms holds the applications
    that it meets.
    """
    query = _rooms(clinic_id).with_for_update(read=not to_change)
    return db.exec(query.execution_options(populate_existing=True)).all()


def ahead(db: Session, application_id: int) -> Visit | None:
    """Return the booked visit of an application, if there is one."""
    return db.exec(
        select(Visit).where(
            Visit.application_id == application_id, Visit.status == VisitStatus.BOOKED
        )
    ).first()


def newest(db: Session, application_id: int) -> Visit | None:
    """Return the visit that was made last, whatever became of it."""
    return db.exec(
        select(Visit)
        .where(Visit.application_id == application_id)
        .order_by(col(Visit.id).desc())
        .limit(1)
    ).first()


def by_key(db: Session, application_id: int, key: str) -> Visit | None:
    """Return what an earlier wish of this name has booked."""
    return db.exec(
        select(Visit).where(Visit.application_id == application_id, Visit.key == key)
    ).first()


def by_uid(db: Session, uid: str) -> Visit:
    """Return the visit of this public name; raise ``NotFound``."""
    found = db.exec(select(Visit).where(Visit.uid == uid)).first()
    if found is None:
        raise NotFound
    return found


def taken(db: Session, room_ids: Collection[int], since: datetime, until: datetime) -> Taken:
    """Return the seats taken from ``since`` up to and without ``until``."""
    rows = db.exec(
        select(Seat.room_id, Seat.starts_at, Seat.number).where(
            col(Seat.room_id).in_(room_ids),
            col(Seat.starts_at) >= since,
            col(Seat.starts_at) < until,
        )
    ).all()
    found: Taken = defaultdict(set)
    for room_id, starts_at, number in rows:
        found[room_id, starts_at].add(number)
    return found


def take_seat(db: Session, visit: Visit, room_id: int, starts_at: datetime, capacity: int) -> bool:
    """Take the first free seat for a visit that has none; tell whether there was one.

    Two who want the same seat at once: the second waits for the first, then takes the next one.
    """
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    known = set(
        db.exec(
            select(Seat.number).where(Seat.room_id == room_id, Seat.starts_at == starts_at)
        ).all()
    )
    for number in range(1, capacity + 1):
        if number in known:
            continue
        made = db.exec(
            insert(Seat)
            .values(room_id=room_id, starts_at=starts_at, number=number, visit_id=visit.id)
            .on_conflict_do_nothing(index_elements=["room_id", "starts_at", "number"])
            .returning(col(Seat.number))
        )
        if made.first() is not None:
            return True
    return False


def leave_seat(db: Session, visit_id: int) -> None:
    """Give the seat of a visit back, if it has one."""
    db.exec(delete(Seat).where(col(Seat.visit_id) == visit_id))


def seats_of(db: Session, visit_ids: Collection[int]) -> dict[int, int]:
    """Return the numbers of the visits' seats."""
    rows = db.exec(
        select(Seat.visit_id, Seat.number).where(col(Seat.visit_id).in_(visit_ids))
    ).all()
    return dict(rows)


def add(db: Session, application: Application, *, now: datetime, **values: Any) -> Visit:
    """Add a visit of an application."""
    visit = Visit(
        uid=secrets.token_hex(16),
        application_id=application.id,
        created_at=now,
        changed_at=now,
        **values,
    )
    db.add(visit)
    db.flush()
    announce(db, application, visit.clinic_id)
    return visit


def change(
    db: Session, application: Application, visit: Visit, *, now: datetime, **values: Any
) -> None:
    """Write ``values`` if nobody has moved or cancelled the visit since it was read.

    Raises ``ChangedMeanwhile`` for the one who came second.
    """
    result = db.exec(
        sa.update(Visit)
        .where(
            col(Visit.id) == visit.id,
            col(Visit.sequence) == visit.sequence,
            col(Visit.status) == visit.status,
        )
        .values(changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        raise ChangedMeanwhile
    db.refresh(visit)
    announce(db, application, visit.clinic_id)


def release(db: Session, application: Application, *, now: datetime) -> Visit | None:
    """Cancel the visit ahead of an application that needs it no more; return it."""
    visit = ahead(db, application.id)
    if visit is not None:
        change(
            db,
            application,
            visit,
            now=now,
            status=VisitStatus.CANCELLED,
            sequence=visit.sequence + 1,
            remind_at=None,
        )
        leave_seat(db, visit.id)
    return visit


def arrive(db: Session, application: Application, *, now: datetime) -> None:
    """Note that who has a visit ahead is there; who came before their time leaves it to others."""
    visit = ahead(db, application.id)
    if visit is None:
        return
    change(db, application, visit, now=now, status=VisitStatus.ARRIVED, remind_at=None)
    if visit.starts_at > now:
        leave_seat(db, visit.id)


def of_day(db: Session, clinic_id: int, since: datetime, until: datetime) -> Sequence[Visit]:
    """Return the visits of a clinic that stand, by time."""
    return db.exec(
        select(Visit)
        .where(
            Visit.clinic_id == clinic_id,
            col(Visit.starts_at) >= since,
            col(Visit.starts_at) < until,
            Visit.status != VisitStatus.CANCELLED,
        )
        .order_by(col(Visit.starts_at), col(Visit.id))
    ).all()


def booked_in(db: Session, room_id: int, now: datetime, *, hold: bool = False) -> Sequence[Visit]:
    """Return the visits ahead in a room, by time and in the order of booking.

    ``hold`` keeps them as they are until the commit. A visit is always written before its seat.
    """
    query = (
        select(Visit)
        .where(
            Visit.room_id == room_id,
            Visit.status == VisitStatus.BOOKED,
            col(Visit.starts_at) > now,
        )
        .order_by(col(Visit.starts_at), col(Visit.id))
    )
    if hold:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.exec(query).all()


def to_remind(db: Session, now: datetime, limit: int) -> Sequence[int]:
    """Return visits whose reminder is due."""
    return db.exec(
        select(Visit.id)
        .where(Visit.status == VisitStatus.BOOKED, col(Visit.remind_at) <= now)
        .order_by(col(Visit.remind_at))
        .limit(limit)
    ).all()


def left_over(db: Session, before: datetime, limit: int) -> Sequence[int]:
    """Return visits ahead that began before a moment: nobody has said what became of them."""
    return db.exec(
        select(Visit.id)
        .where(Visit.status == VisitStatus.BOOKED, col(Visit.starts_at) <= before)
        .order_by(col(Visit.id))
        .limit(limit)
    ).all()


def announce(db: Session, application: Application, clinic_id: int) -> None:
    """Tell the screens that show the visit, or the times that are left."""
    changes.announce(
        db,
        f"application:{application.id}",
        f"holder:{application.holder_id}",
        f"clinic:{clinic_id}",
        f"slots:{clinic_id}",
    )


def _rooms(clinic_id: int) -> Any:
    return (
        select(Room)
        .where(Room.clinic_id == clinic_id, col(Room.closed_at).is_(None))
        .order_by(col(Room.id))
    )
