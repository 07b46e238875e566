"""Schedules of the clinics, visits booked by them, and the seats that no two visits share."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import BIG, choice, identity, reference
from emk_app.domain.visits import VisitStatus


class Room(SQLModel, table=True):
    """A room or commission of a clinic, with its schedule."""

    __tablename__ = "rooms"

    id: int = identity()
    clinic_id: int = reference("clinics.id", nullable=False)
    schedule: str
    """What ``Schedule.pack`` wrote."""
    version: int = 1
    """Counts changes; a change is made to what was seen."""
    changed_at: datetime
    closed_at: datetime | None = None
    """Since when nobody is booked here any more."""


class Visit(SQLModel, table=True):
    """One visit of a holder, booked ahead or begun at the desk."""

    __tablename__ = "visits"
    __table_args__ = (
        UniqueConstraint("application_id", "key"),
        # One visit ahead an application, whoever books at the same moment.
        Index(
            "uq_visits_ahead",
            "application_id",
            unique=True,
            sqlite_where=text("status = 'booked'"),
            postgresql_where=text("status = 'booked'"),
        ),
        Index("ix_visits_day", "clinic_id", "starts_at"),
        Index(
            "ix_visits_remind",
            "remind_at",
            sqlite_where=text("status = 'booked'"),
            postgresql_where=text("status = 'booked'"),
        ),
    )

    id: int = identity()
    uid: str = Field(max_length=32, unique=True)
    """Random name, stable for calendars."""
    application_id: int = reference("applications.id", nullable=False)
    clinic_id: int = reference("clinics.id", nullable=False, index=False)
    room_id: int | None = reference("rooms.id", default=None, nullable=True)
    """None for those who came without booking."""
    status: VisitStatus = choice(VisitStatus, nullable=False)
    starts_at: datetime
    minutes: int
    sequence: int = 0
    """How often it was moved or cancelled (RFC 5545, SEQUENCE); changes are compare-and-set on it.
    """
    key: str = Field(max_length=64)
    """Names the wish to book: the same wish again, however late, finds this visit."""
    remind_at: datetime | None = None
    created_at: datetime
    changed_at: datetime


class Seat(SQLModel, table=True):
    """One place at one time in one room: its key is what keeps two people from having it."""

    __tablename__ = "seats"

    room_id: int = Field(
        foreign_key="rooms.id",
        primary_key=True,
        sa_type=BIG,  # pyright: ignore[reportArgumentType]
        sa_column_kwargs={"autoincrement": False},
    )
    starts_at: datetime = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """From 1 up to the room's capacity."""
    visit_id: int = reference("visits.id", nullable=False, index=False, unique=True)
