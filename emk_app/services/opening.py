"""More than a ticket shows: for fifteen minutes, by two, with a reason, and told (D25)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from emk_app.db import vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import applications, books
from emk_app.db.repositories import support as tickets
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.db.tables.support import SupportGlass, Ticket
from emk_app.domain import corrections
from emk_app.domain import support as rules
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.applications import ApplicationStatus, TrackingNumber
from emk_app.domain.books import BookNumber, BookStatus
from emk_app.domain.corrections import Asked
from emk_app.domain.errors import Conflict
from emk_app.domain.fieldpolicy import HolderField, Viewer, birth_for, sees
from emk_app.domain.intake import Field
from emk_app.domain.notices import Channel, News, Notice
from emk_app.domain.people import parse_date
from emk_app.domain.support import (
    ASK_LIFE,
    GLASS_FIELDS,
    GLASS_LIFE,
    Answer,
    GlassPending,
    NoGlass,
    TicketStatus,
)
from emk_app.domain.values import Problems
from emk_app.services import auditing, notifying, supporting

FIELDS: Final = ",".join(GLASS_FIELDS)
_CONTACTS: Final = {Channel.EMAIL: HolderField.EMAIL, Channel.SMS: HolderField.PHONE}


@dataclass(frozen=True, slots=True)
class OpenedApplication:
    """An application as far as it is shown: no form, no papers, nothing found by physicians."""

    number: TrackingNumber
    status: ApplicationStatus
    submitted_at: datetime | None
    due_on: date | None
    clinic: str
    occupation: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class OpenedBook:
    """A book: its number, state and term."""

    number: BookNumber
    status: BookStatus
    valid_until: date


@dataclass(frozen=True, slots=True)
class Opened:
    """What is seen until ``until``."""

    name: str = field(repr=False)
    born: date | int | None = field(repr=False)
    """The birth date, or its year alone."""
    contacts: tuple[str, ...] = field(repr=False)
    applications: tuple[OpenedApplication, ...]
    books: tuple[OpenedBook, ...]
    until: datetime


def ask(actor: Actor, number: str, reason: str, *, now: datetime) -> None:
    """Ask a colleague or the holder for leave to see more; the holder is told at once.

    Raises ``FreshFactorNeeded``, ``Invalid`` with ``reason``, ``GlassPending``, and ``Conflict``
    for a ticket that is closed or not taken by the actor.
    """
    permit(actor, Role.SUPPORT)
    permit_fresh(actor, now)
    problems = Problems()
    said = problems.take("reason", rules.reason_of, reason)
    problems.raise_any()
    with unit_of_work() as db:
        ticket = tickets.by_number(db, number)
        holders = ticket.role is Role.HOLDER
        is_own = ticket.taken_by == actor.user_id and ticket.status is not TicketStatus.CLOSED
        if not (holders and is_own):
            raise Conflict("not a holder's ticket that the actor answers")
        own = vault.vault_for(db, ticket.user_id)
        if supporting.glass_view(tickets.glass_of(db, ticket.id), own, now) is not None:
            raise GlassPending
        # Of two who ask at once, the version lets one through.
        tickets.move(db, ticket, now=now)
        ref = secrets.token_hex(16)
        row = SupportGlass(
            ref=ref,
            ticket_id=ticket.id,
            reason_sealed=own.seal(said, *tickets.REASON, ref),
            asked_by=actor.user_id,
            asked_at=now,
            expires_at=now + ASK_LIFE,
        )
        db.add(row)
        db.flush()
        _tell(db, ticket, News.SUPPORT_ASKS, row, now)
        _audit(db, actor, ticket, "ask_glass", FIELDS, now)


def agree(actor: Actor, number: str, *, now: datetime) -> None:
    """Let a colleague who asked see more for fifteen minutes.

    Raises ``FreshFactorNeeded``, ``NotFound``, ``NoGlass`` and ``SameHands``.
    """
    permit(actor, Role.SUPPORT)
    permit_fresh(actor, now)
    _confirm(actor, number, now)


def consent(actor: Actor, number: str, *, now: datetime) -> None:
    """Let support see more of oneself for fifteen minutes; raise ``NotFound`` and ``NoGlass``."""
    permit(actor, Role.HOLDER)
    _confirm(actor, number, now)


def decline(actor: Actor, number: str, *, now: datetime) -> None:
    """Refuse, or take a leave back: the holder at any moment, support what it asked itself.

    Raises ``NotFound`` and ``NoGlass``.
    """
    permit(actor, Role.HOLDER, Role.SUPPORT)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        row = tickets.glass_of(db, ticket.id)
        if row is None or row.answer is Answer.DECLINED or row.expires_at <= now:
            raise NoGlass
        row.answer, row.answered_by, row.answered_at = Answer.DECLINED, actor.user_id, now
        row.expires_at = now
        db.add(row)
        tickets.move(db, ticket, now=now)
        _audit(db, actor, ticket, "decline_glass", "", now)


def see(actor: Actor, number: str, *, now: datetime) -> Opened:
    """Return what may be seen, to the one who asked, while the time lasts; each look is noted.

    Raises ``NoGlass``.
    """
    permit(actor, Role.SUPPORT)
    with unit_of_work() as db:
        ticket = tickets.by_number(db, number)
        row = tickets.glass_of(db, ticket.id)
        if (
            row is None
            or row.asked_by != actor.user_id
            or row.answer is not Answer.CONFIRMED
            or row.expires_at <= now
        ):
            raise NoGlass
        if row.looked_at is None:
            row.looked_at = now
            db.add(row)
        _audit(db, actor, ticket, "break_glass", FIELDS, now)
        return _opened(db, ticket, row.expires_at)


def _confirm(actor: Actor, number: str, now: datetime) -> None:
    with unit_of_work() as db:
        ticket, row = _waiting(db, actor, number, now)
        row.answer, row.answered_by, row.answered_at = Answer.CONFIRMED, actor.user_id, now
        row.expires_at = now + GLASS_LIFE
        db.add(row)
        tickets.move(db, ticket, now=now)
        _tell(db, ticket, News.SUPPORT_OPENED, row, now)
        _audit(db, actor, ticket, "agree_glass", FIELDS, now)


def _opened(db: Session, ticket: Ticket, until: datetime) -> Opened:
    user = db.get_one(User, ticket.user_id)
    own = applications.of_holder(db, user.id)
    born = next(
        (said for row in own if (said := applications.form_of(db, row).get(Field.BIRTH_DATE))), ""
    )
    clinics = {
        row.clinic_id: db.get_one(Clinic, row.clinic_id).short_name
        for row in own
        if row.clinic_id is not None
    }
    return Opened(
        name=supporting.person_name(user),
        born=birth_for(Viewer.BREAK_GLASS, parse_date(born)) if born else None,
        contacts=tuple(
            contact if sees(Viewer.BREAK_GLASS, _CONTACTS[channel]) else notifying.masked(contact)
            for channel, contact in notifying.contacts_of(user).items()
        ),
        applications=tuple(
            OpenedApplication(
                number=TrackingNumber.parse(row.tracking_number),
                status=row.status,
                submitted_at=row.submitted_at,
                due_on=row.due_on,
                clinic=clinics.get(row.clinic_id or 0, ""),
                occupation=row.occupation or "",
                asked=corrections.read(row.clarify_fields),
            )
            for row in own
            if row.status is not ApplicationStatus.DRAFT
        ),
        books=tuple(
            OpenedBook(BookNumber.parse(row.number), row.status, row.valid_until)
            for row in books.of_holder(db, user.id)
        ),
        until=until,
    )


def _ticket(db: Session, actor: Actor, number: str) -> Ticket:
    if actor.role is Role.HOLDER:
        return tickets.own(db, actor.user_id, number)
    return tickets.by_number(db, number)


def _waiting(db: Session, actor: Actor, number: str, now: datetime) -> tuple[Ticket, SupportGlass]:
    ticket = _ticket(db, actor, number)
    row = tickets.glass_of(db, ticket.id)
    if row is None or row.answer is not None or row.expires_at <= now:
        raise NoGlass
    rules.permit_second(row.asked_by, actor.user_id)
    return ticket, row


def _tell(db: Session, ticket: Ticket, news: News, row: SupportGlass, now: datetime) -> None:
    notifying.tell(
        db,
        db.get_one(User, ticket.user_id),
        Notice(news, number=ticket.number, at=now),
        dedupe=f"{news}:{row.id}",
        now=now,
    )


def _audit(
    db: Session, actor: Actor, ticket: Ticket, action: str, fields: str, now: datetime
) -> None:
    auditing.record(
        db,
        actor,
        action,
        f"ticket:{ticket.id}",
        subject_id=ticket.user_id,
        fields=fields,
        now=now,
    )
