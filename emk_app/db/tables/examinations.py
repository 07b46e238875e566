"""Examinations and what was entered in them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.appeals import AppealStatus
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.clearance import Fitness
from emk_app.domain.documents import MediaType
from emk_app.domain.examinations import CorrectionReason, Source
from emk_app.domain.vaccinations import Dose, RecordKind


class ExaminationStatus(StrEnum):
    """Open for entries, or signed for good."""

    OPEN = "open"
    SIGNED = "signed"


class Reopening(StrEnum):
    """Why a signed examination is open again."""

    TEMPORARY = "temporary"
    CORRECTION = "correction"
    APPEAL = "appeal"


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
    reopened_for: Reopening | None = choice(Reopening, default=None, nullable=True)
    signed_at: datetime | None = None
    signed_by: int | None = reference("users.id", default=None, nullable=True, index=False)


class SignedConclusion(SQLModel, table=True):
    """A conclusion as the chair signed it; append-only, also when the case goes on after it."""

    __tablename__ = "signed_conclusions"

    id: int = identity()
    examination_id: int = reference("examinations.id", nullable=False)
    fitness: Fitness = choice(Fitness, nullable=False)
    conclusion_sealed: bytes
    report_sealed: bytes | None = None
    """Everything that was signed, canonical (RFC 8785); none before it was kept."""
    report_hash: str | None = Field(default=None, max_length=64)
    clinic_id: int | None = reference("clinics.id", default=None, nullable=True, index=False)
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
    source: Source | None = choice(Source, default=None, nullable=True)
    """None for what was made in the examination itself."""
    reason: CorrectionReason | None = choice(CorrectionReason, default=None, nullable=True)
    """Why it stands in the place of another."""
    details_sealed: bytes | None = None
    """Performer, device, number of an analysis; JSON."""
    entered_by: int = reference("users.id", nullable=False, index=False)
    entered_at: datetime
    supersedes_id: int | None = reference(
        "examination_entries.id", default=None, nullable=True, index=False
    )
    superseded_at: datetime | None = None


class FurtherStudy(SQLModel, table=True):
    """A study the commission has ordered beyond the programme."""

    __tablename__ = "further_studies"

    id: int = identity()
    examination_id: int = reference("examinations.id", nullable=False)
    name_sealed: bytes
    ordered_by: int = reference("users.id", nullable=False, index=False)
    ordered_at: datetime
    cancelled_at: datetime | None = None


class Attachment(SQLModel, table=True):
    """A paper the clinic has added; the picture is a file under the holder's key."""

    __tablename__ = "examination_attachments"

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random public name, used in addresses."""
    examination_id: int = reference("examinations.id", nullable=False)
    kind: AttachmentKind = choice(AttachmentKind, nullable=False)
    media_type: MediaType = choice(MediaType, nullable=False)
    size: int
    """Bytes as stored, before encryption."""
    pages: int
    sha256: str = Field(max_length=64)
    """Of the bytes as stored: what a conclusion was signed with."""
    blob: str = Field(max_length=80)
    preview_blob: str = Field(max_length=80)
    name_sealed: bytes
    """The file's own name, cleaned."""
    clinic_id: int = reference("clinics.id", nullable=False, index=False)
    added_by: int = reference("users.id", nullable=False, index=False)
    added_at: datetime
    removed_at: datetime | None = None
    removed_by: int | None = reference("users.id", default=None, nullable=True, index=False)


class VaccinationRecord(SQLModel, table=True):
    """What is known of one infection of one person; a correction takes the old record back."""

    __tablename__ = "vaccination_records"

    id: int = identity()
    holder_id: int = reference("users.id", nullable=False)
    code: str = Field(max_length=20)
    kind: RecordKind = choice(RecordKind, nullable=False)
    dose: Dose | None = choice(Dose, default=None, nullable=True)
    performed_on: date
    until: date | None = None
    details_sealed: bytes
    """Vaccine and series; JSON."""
    clinic_id: int = reference("clinics.id", nullable=False, index=False)
    entered_by: int = reference("users.id", nullable=False, index=False)
    entered_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = reference("users.id", default=None, nullable=True, index=False)


class Appeal(SQLModel, table=True):
    """A holder's wish for a second commission; once for an application."""

    __tablename__ = "appeals"
    __table_args__ = (UniqueConstraint("application_id"),)

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False, index=False)
    contested_id: int = reference("signed_conclusions.id", nullable=False, index=False)
    clinic_id: int = reference("clinics.id", nullable=False)
    """Whose commission is asked."""
    status: AppealStatus = choice(AppealStatus, nullable=False)
    reason_sealed: bytes
    filed_at: datetime
    taken_at: datetime | None = None
    taken_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    decided_at: datetime | None = None
    decided_id: int | None = reference(
        "signed_conclusions.id", default=None, nullable=True, index=False
    )
