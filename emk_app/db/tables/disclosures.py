"""Who may read a record, who has read what of it, and what leaves for another system."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Role
from emk_app.domain.disclosures import (
    HandoverScope,
    Network,
    Purpose,
    RecordPart,
    RecordScope,
)


class RecordGrant(SQLModel, table=True):
    """A physician's leave to read a holder's record for a while."""

    __tablename__ = "record_grants"

    id: int = identity()
    book_id: int = reference("books.id", nullable=False, index=False)
    holder_id: int = reference("users.id", nullable=False)
    scope: RecordScope = choice(RecordScope, nullable=False)
    minutes: int
    created_at: datetime
    code_digest: str | None = Field(default=None, max_length=64, unique=True)
    """Keyed, since eight digits are soon tried; gone once the code can't be entered any more."""
    code_expires_at: datetime
    physician_id: int | None = reference("users.id", default=None, nullable=True)
    clinic_id: int | None = reference("clinics.id", default=None, nullable=True, index=False)
    claimed_at: datetime | None = None
    opened_at: datetime | None = None
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: Role | None = choice(Role, default=None, nullable=True)


class RecordReading(SQLModel, table=True):
    """One part of a record that was read; append-only."""

    __tablename__ = "record_readings"

    id: int = identity()
    grant_id: int = reference("record_grants.id", nullable=False)
    part: RecordPart = choice(RecordPart, nullable=False)
    attachment_id: int | None = reference(
        "examination_attachments.id", default=None, nullable=True, index=False
    )
    at: datetime


class Handover(SQLModel, table=True):
    """A link by which another system fetches a part of the book once."""

    __tablename__ = "handovers"

    id: int = identity()
    book_id: int = reference("books.id", nullable=False, index=False)
    holder_id: int = reference("users.id", nullable=False)
    digest: str = Field(max_length=64, unique=True)
    """Hash of the 128-bit code in the link."""
    code_sealed: bytes
    receiver_sealed: bytes
    purpose: Purpose = choice(Purpose, nullable=False)
    scope: HandoverScope = choice(HandoverScope, nullable=False)
    consent_version: str = Field(max_length=20)
    created_at: datetime
    """When the holder agreed."""
    expires_at: datetime
    revoked_at: datetime | None = None
    fetched_at: datetime | None = None
    version: int | None = None
    """Of the book, as it was fetched."""
    network: Network | None = choice(Network, default=None, nullable=True)
