"""Wishes to change the name or the birth date in a book."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.documents import MediaType
from emk_app.domain.identities import Basis, ChangeStatus


class IdentityChange(SQLModel, table=True):
    """One wish with the paper that proves it; the picture is a file under the holder's key."""

    __tablename__ = "identity_changes"
    __table_args__ = (
        # One open wish a holder: two operators can't each approve another name.
        Index(
            "uq_identity_changes_open",
            "holder_id",
            unique=True,
            sqlite_where=text("status = 'asked'"),
            postgresql_where=text("status = 'asked'"),
        ),
    )

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random public name, used in addresses."""
    holder_id: int = reference("users.id", nullable=False)
    book_id: int = reference("books.id", nullable=False)
    status: ChangeStatus = choice(ChangeStatus, nullable=False)
    basis: Basis = choice(Basis, nullable=False)
    said_sealed: bytes
    """What the book said when it was asked, and what it is to say; JSON."""
    media_type: MediaType = choice(MediaType, nullable=False)
    size: int
    pages: int
    blob: str = Field(max_length=80)
    preview_blob: str = Field(max_length=80)
    file_sealed: bytes
    """The file's name."""
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    reason_sealed: bytes | None = None
    """Why it was refused; for the holder's eyes."""
    version: int | None = None
    """The version of the book it has led to."""
