"""What holders have asked for by their rights: to have everything destroyed, to have a copy."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.erasure import ErasureState, Ground


class Erasure(SQLModel, table=True):
    """A wish that the service forget its person, and what became of it; holds only pseudonyms."""

    __tablename__ = "erasures"
    __table_args__ = (
        # One wish that waits a person: the second press finds the first.
        Index(
            "uq_erasures_asked",
            "user_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    state: ErasureState = choice(ErasureState, nullable=False)
    ground: Ground = choice(Ground, nullable=False)
    asked_at: datetime
    due_at: datetime
    cancelled_at: datetime | None = None
    done_at: datetime | None = None
    act: str | None = None
    """The act and the extract of the log (Приказ РКН № 179), JSON."""
    kept_until: date | None = None
    """The last day of the medical records that the law wants kept; None where there are none."""
    key_destroyed_at: datetime | None = None


class DataExport(SQLModel, table=True):
    """A copy of everything the service knows of a person, made by a job, for a day."""

    __tablename__ = "data_exports"
    __table_args__ = (
        # One at a time: the second press finds the first.
        Index(
            "uq_data_exports_standing",
            "user_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random name of the file, used in addresses."""
    user_id: int = reference("users.id", nullable=False)
    asked_at: datetime
    made_at: datetime | None = None
    size: int = 0
    expires_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was destroyed: run out, given up, or with its person."""
