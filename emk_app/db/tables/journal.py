"""What was done, what must leave, what must be done later."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from emk_app.db.columns import BIG, choice, identity, reference
from emk_app.domain.notices import Channel

FIELDS_LENGTH = 400


class AuditEntry(SQLModel, table=True):
    """One act on somebody's records: who, on whom, what, when; never values (D50)."""

    __tablename__ = "audit_entries"

    id: int = identity()
    at: datetime = Field(index=True)
    actor_id: int | None = Field(default=None, index=True, sa_type=BIG)
    role: str = Field(max_length=16)
    session_id: int | None = Field(default=None, sa_type=BIG)
    subject_id: int | None = Field(default=None, index=True, sa_type=BIG)
    """The person whose records were touched."""
    action: str = Field(max_length=40)
    target: str = Field(max_length=60)
    """Kind and identity of the thing, like "application:5"."""
    fields: str = Field(default="", max_length=FIELDS_LENGTH)
    previous: str = Field(max_length=64)
    digest: str = Field(max_length=64, unique=True)
    """HMAC over this entry and ``previous``: a chain."""


class OutboxMessage(SQLModel, table=True):
    """A message that leaves after its transaction has committed, at least once."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe"),
        Index("ix_outbox_waiting", "sent_at", "due_at"),
        Index("ix_outbox_lane", "lane", "sent_at"),
    )

    id: int = identity()
    channel: Channel = choice(Channel, nullable=False)
    user_id: int | None = reference("users.id", default=None, nullable=True)
    recipient_sealed: bytes
    notice_sealed: bytes
    lane: str = Field(max_length=80)
    """Blind name of the recipient and the urgency: what stands in one lane leaves in its order."""
    is_urgent: bool
    dedupe: str = Field(max_length=120)
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None = None
    """From when it says nothing true any more, and does not leave."""
    leased_until: datetime | None = None
    attempts: int = 0
    failure: str = Field(default="", max_length=40)
    """Why it has not left so far, in a word of ours; never what the other side said."""
    sent_at: datetime | None = None
    dead_at: datetime | None = None
    dropped_at: datetime | None = None
    """When it was laid aside, for being stale or by an administrator."""


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
    failure: str = Field(default="", max_length=40)
    """The kind of the last error, in the program's word; never what it said."""
    incident: str = Field(default="", max_length=16)
    """Under which number the log tells of it."""
    done_at: datetime | None = None
    failed_at: datetime | None = None
    dropped_at: datetime | None = None
    """When an administrator laid it aside."""
    dropped_why: str = Field(default="", max_length=200)
