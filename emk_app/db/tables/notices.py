"""What people are told on the screen, and what they choose to be told elsewhere."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.notices import Channel, NoticeKind


class StoredNotice(SQLModel, table=True):
    """One notice of one person, as the screen lists it; its words are made when it is shown."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe"),
        Index("ix_notices_unread", "user_id", "read_at"),
    )

    id: int = identity()
    user_id: int = reference("users.id", nullable=False, index=False)
    notice_sealed: bytes
    dedupe: str = Field(max_length=120)
    created_at: datetime
    read_at: datetime | None = None


class NoticeChoice(SQLModel, table=True):
    """Whether a person wants one kind of notices by one channel; without a row, the usual."""

    __tablename__ = "notice_choices"
    __table_args__ = (UniqueConstraint("user_id", "kind", "channel"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False, index=False)
    kind: NoticeKind = choice(NoticeKind, nullable=False)
    channel: Channel = choice(Channel, nullable=False)
    is_on: bool
    changed_at: datetime
