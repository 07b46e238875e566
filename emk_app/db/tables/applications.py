"""Applications with their scans, checks and history."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Role
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, PapersTrack
from emk_app.domain.checks import CheckOutcome
from emk_app.domain.documents import MediaType, ScanKind
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.reversals import Answer


class Application(SQLModel, table=True):
    """A holder's application for a book, from the first draft on."""

    __tablename__ = "applications"
    __table_args__ = (
        Index("ix_applications_queue", "status", "submitted_at"),
        # Counts and orders the operators' queue without reading the rows.
        Index(
            "ix_applications_papers", "papers", "status", "submitted_at", "due_on", "reviewer_id"
        ),
        # One draft a holder: two tabs, or a double click, find the same one.
        Index(
            "uq_applications_draft",
            "holder_id",
            unique=True,
            sqlite_where=text("status = 'draft'"),
            postgresql_where=text("status = 'draft'"),
        ),
    )

    id: int = identity()
    holder_id: int = reference("users.id", nullable=False)
    tracking_number: str = Field(max_length=20, unique=True)
    status: ApplicationStatus = choice(ApplicationStatus, nullable=False)
    version: int = 1
    """Counts changes of status or track; every change is compare-and-set on it (D34)."""
    papers: PapersTrack = choice(PapersTrack, nullable=False)
    examination: ExaminationTrack = choice(ExaminationTrack, nullable=False)
    form_sealed: bytes | None = None
    """The fields as typed, JSON; personal."""
    step: str | None = Field(default=None, max_length=20)
    """Where in the draft's form the holder was last, to go on from there (D38)."""
    occupation: str | None = Field(default=None, max_length=40)
    kind: ExaminationKind | None = choice(ExaminationKind, default=None, nullable=True)
    clinic_id: int | None = reference("clinics.id", default=None, nullable=True)
    reviewer_id: int | None = reference("users.id", default=None, nullable=True)
    consent_version: str | None = Field(default=None, max_length=20)
    consented_at: datetime | None = None
    note_sealed: bytes | None = None
    """Why it was rejected, or what is to be clarified; for the holder's eyes."""
    clarify_fields: str | None = Field(default=None, max_length=2000)
    """Names of the fields the holder is asked to correct, separated by commas."""
    created_at: datetime
    changed_at: datetime
    submitted_at: datetime | None = None
    due_on: date | None = None
    """The last day for the papers, a working day; inclusive. Stands while the holder is asked."""
    decided_at: datetime | None = None
    snils_blind: str | None = Field(default=None, max_length=64, index=True)
    """Blind index of the СНИЛС that was handed in: the same person, under whatever account."""
    reminded_on: date | None = None
    """The day in Moscow of the last reminder that the application waits for its holder."""


class StatusChange(SQLModel, table=True):
    """One line of an application's history."""

    __tablename__ = "status_changes"

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False)
    event: str = Field(max_length=40)
    """The new status, or what happened on a track; a key of the catalogue."""
    by: Role = choice(Role, nullable=False)
    user_id: int | None = reference("users.id", default=None, nullable=True, index=False)
    at: datetime
    note_sealed: bytes | None = None


class Reversal(SQLModel, table=True):
    """An operator's wish to undo a decision, and what another one answered."""

    __tablename__ = "reversals"
    __table_args__ = (
        # One open wish an application: the second who asks is told of the first.
        Index(
            "uq_reversals_open",
            "application_id",
            unique=True,
            sqlite_where=text("answer IS NULL"),
            postgresql_where=text("answer IS NULL"),
        ),
    )

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False)
    decision: PapersTrack = choice(PapersTrack, nullable=False)
    """What is to be undone: approved or rejected."""
    reason_sealed: bytes
    asked_by: int = reference("users.id", nullable=False, index=False)
    asked_at: datetime
    answer: Answer | None = choice(Answer, default=None, nullable=True)
    answered_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    answered_at: datetime | None = None


class Scan(SQLModel, table=True):
    """A scan that belongs to an application; the picture is an encrypted file."""

    __tablename__ = "scans"

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random public name, used in addresses."""
    application_id: int = reference("applications.id", nullable=False)
    kind: ScanKind = choice(ScanKind, nullable=False)
    media_type: MediaType = choice(MediaType, nullable=False)
    size: int
    """Bytes as stored, before encryption."""
    pages: int
    is_colour: bool
    is_legible: bool
    blob: str = Field(max_length=80)
    preview_blob: str = Field(max_length=80)
    name_sealed: bytes
    """The file's own name, cleaned."""
    uploaded_at: datetime
    removed_at: datetime | None = None


class ESignature(SQLModel, table=True):
    """The holder's own electronic signature under the form; at most one an application."""

    __tablename__ = "esignatures"

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False, index=False, unique=True)
    content_sealed: bytes
    """JSON of the signed text and, in base64, certificate (DER) and signature (as it was sent)."""
    found_sealed: bytes
    """JSON of what the last check found, and of the text's digest."""
    given_at: datetime
    """By our clock; the certificate's dates are judged by it ever after."""
    checked_at: datetime


class CheckResult(SQLModel, table=True):
    """What one automatic check found, with its evidence for the operator."""

    __tablename__ = "check_results"
    __table_args__ = (
        UniqueConstraint("application_id", "code"),
        Index(
            "ix_check_results_pending",
            "checked_at",
            sqlite_where=text("outcome = 'pending'"),
            postgresql_where=text("outcome = 'pending'"),
        ),
    )

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False)
    code: str = Field(max_length=40)
    outcome: CheckOutcome = choice(CheckOutcome, nullable=False)
    evidence_sealed: bytes | None = None
    checked_at: datetime


class TrackingSequence(SQLModel, table=True):
    """The last serial given to an application in a year."""

    __tablename__ = "tracking_sequences"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    last: int
