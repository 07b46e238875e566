"""Tickets of support: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import changes, vault
from emk_app.db.tables.applications import Application
from emk_app.db.tables.people import User
from emk_app.db.tables.support import (
    Message,
    SupportCode,
    SupportEscalation,
    SupportFile,
    SupportGlass,
    Ticket,
)
from emk_app.db.vault import Vault
from emk_app.domain.actors import Role
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, PapersTrack
from emk_app.domain.deadlines import is_late_by
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.support import UNANSWERED, Desk, Part, Said, TicketStatus

TOPIC: Final = "support"
TEXT: Final = ("support_messages", "text")
NAME: Final = ("support_files", "name")
COMMENT: Final = ("support_tickets", "comment")
REASON: Final = ("support_glasses", "reason")
_LATE_AFTER: Final = timedelta(days=8)
"""Calendar days that no eight working days are shorter than: a first sieve for the index."""
_LATEST: Final = 500
_IN_REVIEW: Final = (ApplicationStatus.RECEIVED, ApplicationStatus.UNDER_REVIEW)


def topic_of(user_id: int) -> str:
    """Return the topic of a person's tickets."""
    return f"support:{user_id}"


def announce(db: Session, ticket: Ticket) -> None:
    """Announce that a ticket has changed, to the person and to the desks."""
    changes.announce(db, topic_of(ticket.user_id), TOPIC)


def new_number(db: Session) -> str:
    """Return a number that no ticket has: eight digits that tell nothing."""
    while True:
        number = f"{secrets.randbelow(9 * 10**7) + 10**7}"
        if db.exec(select(Ticket.id).where(Ticket.number == number)).first() is None:
            return number


def by_number(db: Session, number: str) -> Ticket:
    """Return a ticket; raise ``NotFound``."""
    found = db.exec(select(Ticket).where(Ticket.number == number)).first()
    if found is None:
        raise NotFound
    return found


def own(db: Session, user_id: int, number: str) -> Ticket:
    """Return the person's own ticket; another's does not exist for them (D21)."""
    found = by_number(db, number)
    if found.user_id != user_id:
        raise NotFound
    return found


def of_person(db: Session, user_id: int, limit: int) -> Sequence[Ticket]:
    """Return a person's tickets, last changed first."""
    return db.exec(
        select(Ticket)
        .where(Ticket.user_id == user_id)
        .order_by(col(Ticket.changed_at).desc(), col(Ticket.id).desc())
        .limit(limit)
    ).all()


def move(db: Session, ticket: Ticket, *, now: datetime, **values: Any) -> None:
    """Write ``values`` if nobody has changed the ticket since it was read (D34).

    Raises ``ChangedMeanwhile`` for the one who came second.
    """
    result = db.exec(
        sa.update(Ticket)
        .where(col(Ticket.id) == ticket.id, col(Ticket.version) == ticket.version)
        .values(version=ticket.version + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        raise ChangedMeanwhile
    db.refresh(ticket)
    announce(db, ticket)


def say(
    db: Session,
    ticket: Ticket,
    own_vault: Vault,
    *,
    said: Said,
    by: Role,
    user_id: int,
    now: datetime,
    text: str = "",
    form_key: str | None = None,
) -> Message:
    """Add a line to a ticket."""
    ref = secrets.token_hex(16)
    row = Message(
        ref=ref,
        ticket_id=ticket.id,
        said=said,
        by=by,
        written_by=user_id,
        at=now,
        text_sealed=own_vault.seal(text, *TEXT, ref) if text else None,
        form_key=form_key,
    )
    db.add(row)
    db.flush()
    return row


def messages_of(db: Session, ticket_id: int) -> Sequence[Message]:
    """Return the lines of a ticket, oldest first."""
    return db.exec(
        select(Message).where(Message.ticket_id == ticket_id).order_by(col(Message.id))
    ).all()


def with_key(db: Session, form_key: str) -> Message | None:
    """Return what was sent with this form already."""
    return db.exec(select(Message).where(Message.form_key == form_key)).first()


def unread(db: Session, ticket_ids: Collection[int]) -> dict[int, int]:
    """Return how many answers of each ticket its person has not had on the screen."""
    rows = db.exec(
        select(Message.ticket_id, sa.func.count())
        .join(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(
            col(Message.ticket_id).in_(ticket_ids),
            Message.written_by != Ticket.user_id,
            Message.said == Said.TEXT,
            Message.id > Ticket.person_seen,
        )
        .group_by(col(Message.ticket_id))
    ).all()
    return dict(rows)


def files_of(db: Session, ticket_id: int) -> Sequence[SupportFile]:
    """Return the files of a ticket, oldest first."""
    return db.exec(
        select(SupportFile)
        .join(Message, col(Message.id) == SupportFile.message_id)
        .where(Message.ticket_id == ticket_id)
        .order_by(col(SupportFile.id))
    ).all()


def file_with_ticket(db: Session, ref: str) -> tuple[SupportFile, Ticket]:
    """Return a file and its ticket; raise ``NotFound``."""
    found = db.exec(
        select(SupportFile, Ticket)
        .join(Message, col(Message.id) == SupportFile.message_id)
        .join(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(SupportFile.ref == ref)
    ).first()
    if found is None:
        raise NotFound
    return found


def blobs_in_use(db: Session) -> frozenset[str]:
    """Return the names of all files that a ticket needs."""
    rows = db.exec(select(SupportFile.blob, SupportFile.preview_blob)).all()
    return frozenset(name for pair in rows for name in pair)


def queue(
    db: Session, desk: Desk, part: Part, user_id: int, *, limit: int, skip: int
) -> Sequence[Ticket]:
    """Return some tickets of a part of the desk's queue: the oldest due first."""
    order = (
        (col(Ticket.closed_at).desc(), col(Ticket.id).desc())
        if part is Part.CLOSED
        else (sa.func.coalesce(col(Ticket.due_on), date.max), col(Ticket.id))
    )
    return db.exec(
        select(Ticket)
        .where(*_in_part(desk, part, user_id))
        .order_by(*order)
        .limit(limit)
        .offset(skip)
    ).all()


def queue_counts(db: Session, desk: Desk, user_id: int) -> dict[Part, int]:
    """Count every part of the desk's queue."""
    counts = [
        sa.select(sa.func.count())
        .select_from(Ticket)
        .where(*_in_part(desk, part, user_id))
        .scalar_subquery()
        for part in Part
    ]
    return dict(zip(Part, db.execute(sa.select(*counts)).one(), strict=True))


def _in_part(desk: Desk, part: Part, user_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    status, there = col(Ticket.status), col(Ticket.desk) == desk
    match part:
        case Part.DUE:
            return there, status.in_(UNANSWERED)
        case Part.MINE:
            return there, status != TicketStatus.CLOSED, col(Ticket.taken_by) == user_id
        case Part.ANSWERED:
            return there, status == TicketStatus.ANSWERED
        case Part.CLOSED:
            return there, status == TicketStatus.CLOSED


def staff(db: Session, role: Role) -> Sequence[User]:
    """Return everybody of the role who may still come in."""
    return db.exec(
        select(User)
        .where(User.role == role, col(User.disabled_at).is_(None))
        .order_by(col(User.id))
    ).all()


def late(db: Session, today: date) -> list[Application]:
    """Return applications in review for more than ten working days, oldest first.

    Where the papers are decided and only the holder's visit is awaited, nobody else is late.
    """
    rows = db.exec(
        select(Application)
        .where(
            col(Application.status).in_(_IN_REVIEW),
            sa.or_(
                col(Application.papers).in_((PapersTrack.WAITING, PapersTrack.TAKEN)),
                col(Application.examination) != ExaminationTrack.WAITING,
            ),
            col(Application.due_on) < today - _LATE_AFTER,
        )
        .order_by(col(Application.due_on), col(Application.id))
        .limit(_LATEST)
    ).all()
    return [row for row in rows if row.due_on is not None and is_late_by(row.due_on, today)]


def escalations(db: Session, application_ids: Collection[int]) -> dict[int, SupportEscalation]:
    """Return which applications were handed over."""
    rows = db.exec(
        select(SupportEscalation).where(col(SupportEscalation.application_id).in_(application_ids))
    ).all()
    return {row.application_id: row for row in rows}


def code_of(db: Session, user_id: int) -> SupportCode | None:
    """Return the person's code, in force or not."""
    return db.exec(
        select(SupportCode).where(SupportCode.user_id == user_id).with_for_update()
    ).first()


def by_code(db: Session, code: str, now: datetime) -> User | None:
    """Return whose code this is, while it is in force."""
    return db.exec(
        select(User)
        .join(SupportCode, col(SupportCode.user_id) == User.id)
        .where(SupportCode.code_blind == blind_of(code), col(SupportCode.expires_at) > now)
    ).first()


def blind_of(code: str) -> str:
    """Return the blind index of a code."""
    return vault.blind("support-code", code)


def glass_of(db: Session, ticket_id: int) -> SupportGlass | None:
    """Return the last wish to see more, held until the commit."""
    return db.exec(
        select(SupportGlass)
        .where(SupportGlass.ticket_id == ticket_id)
        .order_by(col(SupportGlass.id).desc())
        .limit(1)
        .with_for_update()
    ).first()
