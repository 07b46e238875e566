"""What was done, what must leave, what must be done later."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from emk_app.db.columns import BIG, choice, identity, reference


class AuditEntry(SQLModel, table=True):
    """One act on somebody's records: who, on whom, what, when; never values (D50)."""

    __tablename__ = "audit_entries"

    id: int = identity()
    at: datetime
    actor_id: int | None = Field(default=None, sa_type=BIG)
    role: str = Field(max_length=16)
    session_id: int | None = Field(default=None, sa_type=BIG)
    subject_id: int | None = Field(default=None, index=True, sa_type=BIG)
    """The person whose records were touched."""
    action: str = Field(max_length=40)
    target: str = Field(max_length=60)
    """Kind and identity of the thing, like "application:5"."""
    fields: str = Field(default="", max_length=400)
    previous: str = Field(max_length=64)
    digest: str = Field(max_length=64, unique=True)
    """HMAC over this entry and ``previous``: a chain."""


class Channel(StrEnum):
    """How a message leaves."""

    SMS = "sms"
    EMAIL = "email"


class OutboxMessage(SQLModel, table=True):
    """A message that leaves after its transaction has committed, at least once."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe"),
        Index("ix_outbox_waiting", "sent_at", "due_at"),
    )

    id: int = identity()
    channel: Channel = choice(Channel, nullable=False)
    user_id: int | None = reference("users.id", default=None, nullable=True)
    recipient_sealed: bytes
    text_sealed: bytes
    dedupe: str = Field(max_length=120)
    created_at: datetime
    due_at: datetime
    leased_until: datetime | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    dead_at: datetime | None = None


class Job(SQLModel, table=True):
    """Work to be done after a commit, under a lease that expires with a dead worker (D36)."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("key"), Index("ix_jobs_waiting", "done_at", "due_at"))

    id: int = identity()
    kind: str = Field(max_length=40)
    key: str = Field(max_length=120)
    """What is to be done, once: a second job of the same key is refused."""
    target_id: int = Field(sa_type=BIG)
    created_at: datetime
    due_at: datetime
    leased_until: datetime | None = None
    attempts: int = 0
    done_at: datetime | None = None
    failed_at: datetime | None = None
