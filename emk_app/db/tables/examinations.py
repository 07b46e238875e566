"""Examinations and what was entered in them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.clearance import Fitness


class ExaminationStatus(StrEnum):
    """Open for entries, or signed for good."""

    OPEN = "open"
    SIGNED = "signed"


class Examination(SQLModel, table=True):
    """One examination of one application at one clinic."""

    __tablename__ = "examinations"
    __table_args__ = (UniqueConstraint("application_id"),)

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False, index=False)
    clinic_id: int = reference("clinics.id", nullable=False)
    status: ExaminationStatus = choice(ExaminationStatus, nullable=False)
    version: int = 1
    identity_checked_at: datetime | None = None
    identity_checked_by: int | None = reference(
        "users.id", default=None, nullable=True, index=False
    )
    fitness: Fitness | None = choice(Fitness, default=None, nullable=True)
    conclusion_sealed: bytes | None = None
    """Restrictions, date of a temporary unfitness, note; JSON."""
    opened_at: datetime
    opened_by: int = reference("users.id", nullable=False, index=False)
    signed_at: datetime | None = None
    signed_by: int | None = reference("users.id", default=None, nullable=True, index=False)


class SignedConclusion(SQLModel, table=True):
    """A conclusion as the chair signed it; append-only, also when the case goes on after it."""

    __tablename__ = "signed_conclusions"

    id: int = identity()
    examination_id: int = reference("examinations.id", nullable=False)
    fitness: Fitness = choice(Fitness, nullable=False)
    conclusion_sealed: bytes
    signed_at: datetime
    signed_by: int = reference("users.id", nullable=False, index=False)


class ExaminationEntry(SQLModel, table=True):
    """One result; a correction is a new entry that names the old one."""

    __tablename__ = "examination_entries"
    __table_args__ = (
        # One standing entry an item: two people at one case can't both enter it.
        Index(
            "uq_examination_entries_standing",
            "examination_id",
            "code",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: int = identity()
    examination_id: int = reference("examinations.id", nullable=False)
    code: str = Field(max_length=40)
    value_sealed: bytes
    is_deviation: bool
    performed_on: date
    entered_by: int = reference("users.id", nullable=False, index=False)
    entered_at: datetime
    supersedes_id: int | None = reference(
        "examination_entries.id", default=None, nullable=True, index=False
    )
    superseded_at: datetime | None = None
