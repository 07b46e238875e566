"""Tickets of support: what people ask, what they are answered, and who saw more of them and why."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Role
from emk_app.domain.documents import MediaType
from emk_app.domain.support import Answer, Desk, Said, Subject, TicketStatus


class Ticket(SQLModel, table=True):
    """One question of a person; all that is sealed of it is sealed under that person's key."""

    __tablename__ = "support_tickets"
    __table_args__ = (Index("ix_support_tickets_queue", "desk", "status", "due_on"),)

    id: int = identity()
    number: str = Field(max_length=12, unique=True)
    """Random, so that it tells nothing; names the ticket in addresses and by telephone."""
    user_id: int = reference("users.id", nullable=False)
    role: Role = choice(Role, nullable=False)
    """In which the person asks."""
    subject: Subject = choice(Subject, nullable=False)
    status: TicketStatus = choice(TicketStatus, nullable=False)
    desk: Desk = choice(Desk, nullable=False)
    version: int = 1
    """Counts changes; each is compare-and-set on it (D34)."""
    application_id: int | None = reference("applications.id", default=None, nullable=True)
    incident: str = Field(max_length=16, default="")
    taken_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    taken_at: datetime | None = None
    created_at: datetime
    changed_at: datetime
    due_on: date | None = None
    """The last day for an answer; None while none is awaited."""
    closed_at: datetime | None = None
    rating: int | None = None
    comment_sealed: bytes | None = None
    rated_at: datetime | None = None
    person_seen: int = 0
    """The last message that the person has had on the screen."""


class Message(SQLModel, table=True):
    """One line of a ticket: words, or what was done with it."""

    __tablename__ = "support_messages"

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    ticket_id: int = reference("support_tickets.id", nullable=False)
    said: Said = choice(Said, nullable=False)
    by: Role = choice(Role, nullable=False)
    written_by: int = reference("users.id", nullable=False, index=False)
    at: datetime
    text_sealed: bytes | None = None
    form_key: str | None = Field(default=None, max_length=64, unique=True)
    """Of the form it was sent with: what is sent twice is kept once (D33)."""


class SupportFile(SQLModel, table=True):
    """A screenshot in a ticket; the picture is an encrypted file."""

    __tablename__ = "support_files"

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    message_id: int = reference("support_messages.id", nullable=False)
    media_type: MediaType = choice(MediaType, nullable=False)
    size: int
    pages: int
    blob: str = Field(max_length=80)
    preview_blob: str = Field(max_length=80)
    name_sealed: bytes
    added_at: datetime


class SupportCode(SQLModel, table=True):
    """The code by which somebody on the telephone is found; another each time."""

    __tablename__ = "support_codes"

    id: int = identity()
    user_id: int = reference("users.id", nullable=False, index=False, unique=True)
    code_blind: str = Field(max_length=64, unique=True)
    code_sealed: bytes
    expires_at: datetime


class SupportGlass(SQLModel, table=True):
    """A wish of support to see more of a person, and what came of it (D25)."""

    __tablename__ = "support_glasses"

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    ticket_id: int = reference("support_tickets.id", nullable=False)
    reason_sealed: bytes
    asked_by: int = reference("users.id", nullable=False, index=False)
    asked_at: datetime
    answer: Answer | None = choice(Answer, default=None, nullable=True)
    answered_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    """The holder, or a colleague."""
    answered_at: datetime | None = None
    expires_at: datetime
    """Until when it may be answered; once it is confirmed, until when more is seen."""
    looked_at: datetime | None = None


class SupportEscalation(SQLModel, table=True):
    """A late application that support has handed over to the operators."""

    __tablename__ = "support_escalations"

    id: int = identity()
    application_id: int = reference("applications.id", nullable=False, index=False, unique=True)
    handed_by: int = reference("users.id", nullable=False, index=False)
    handed_at: datetime


class PreparedAnswer(SQLModel, table=True):
    """An answer that support gives often; of nobody in particular."""

    __tablename__ = "prepared_answers"

    id: int = identity()
    title: str = Field(max_length=80)
    text: str
    """With places between braces, filled in for the ticket."""
    version: int = 1
    """Counts changes; a change is made to what was seen."""
    retired_at: datetime | None = None
    """Since when it is offered no more."""
    changed_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    """Nobody, for what came with the program."""
    changed_at: datetime
