"""The desk of support: the queue of tickets, answers, late applications, handing over to operators.

What is seen of the person is masked (D22); more is seen by ``opening`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.repositories import support as tickets
from emk_app.db.repositories.support import TOPIC
from emk_app.db.tables.people import User
from emk_app.db.tables.support import SupportEscalation, Ticket
from emk_app.domain import support as rules
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import ApplicationStatus, TrackingNumber
from emk_app.domain.calendars import working_days_between
from emk_app.domain.deadlines import PAPERS_DAYS
from emk_app.domain.errors import Conflict, InvalidValue, NotFound
from emk_app.domain.notices import News, Notice
from emk_app.domain.support import (
    STAFF,
    Act,
    Desk,
    Part,
    Said,
    TicketStatus,
    TicketTaken,
)
from emk_app.domain.values import Problems
from emk_app.services import auditing, notifying, supporting, throttling
from emk_app.services.supporting import Thread, TicketView

PAGE: Final = 30
CODES: Final = Rule(tries=60, window=timedelta(hours=1), longest_block=timedelta(hours=1))
"""Codes that one of the staff may try in an hour: they can't be guessed."""


@dataclass(frozen=True, slots=True)
class LateView:
    """An application that has been in review for more than ten working days."""

    number: TrackingNumber
    status: ApplicationStatus
    submitted_at: datetime | None
    days: int
    """Working days that the service has had it."""
    is_taken: bool
    handed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    """One page of the queue, with the numbers of its parts."""

    counts: dict[Part, int]
    rows: tuple[TicketView, ...]
    page: int
    pages: int
    late: tuple[LateView, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """Who else answers."""

    id: int
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody on the telephone, found by the code on their screen."""

    person: str = field(repr=False)
    role: Role
    tickets: tuple[TicketView, ...]
    applications: tuple[tuple[TrackingNumber, ApplicationStatus, datetime | None], ...]
    """Number, status, when it was handed in."""


def desk_of(actor: Actor) -> Desk:
    """Return whose queue the actor answers; raise ``NotPermitted``."""
    permit(actor, *STAFF)
    return Desk.SUPPORT if actor.role is Role.SUPPORT else Desk.OPERATOR


def board(actor: Actor, part: Part, page: int, *, now: datetime) -> Board:
    """Return a page of the desk's queue, and the applications that are late."""
    desk = desk_of(actor)
    with reading() as db:
        counts = tickets.queue_counts(db, desk, actor.user_id)
        pages = max(1, -(-counts[part] // PAGE))
        page = min(max(1, page), pages)
        rows = tickets.queue(db, desk, part, actor.user_id, limit=PAGE, skip=(page - 1) * PAGE)
        shown = tuple(supporting.views(db, rows))
        late = _late(db, clock.day_of(now))
    if actor.role is Role.OPERATOR:
        late = tuple(each for each in late if each.handed_at is not None)
    return Board(counts, shown, page, pages, late)


def waiting(actor: Actor) -> int:
    """Return how many tickets wait for an answer of the actor's desk."""
    desk = desk_of(actor)
    with reading() as db:
        return tickets.queue_counts(db, desk, actor.user_id)[Part.DUE]


def colleagues(actor: Actor) -> list[Colleague]:
    """Return who a ticket can be given to: those of the same desk."""
    permit(actor, *STAFF)
    with reading() as db:
        return [
            Colleague(user.id, name)
            for user in tickets.staff(db, actor.role)
            if (name := supporting.person_name(user))
        ]


def thread(actor: Actor, number: str, *, now: datetime) -> Thread:
    """Return a ticket with its notes; the look is written down for the person (D51).

    Raises ``NotFound``, for an operator also for what was not handed over.
    """
    permit(actor, *STAFF)
    with reading() as db:
        ticket = _ticket(db, actor, number)
        found = supporting.thread_of(db, ticket, now=now, with_notes=True)
    auditing.look(
        actor, f"ticket:{ticket.id}", subject_id=ticket.user_id, fields="messages", now=now
    )
    return found


def take(actor: Actor, number: str, *, now: datetime) -> None:
    """Take a free ticket; raise ``TicketTaken`` where a colleague was faster."""
    permit(actor, *STAFF)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        if ticket.taken_by == actor.user_id:
            return
        _permit_free(db, ticket)
        tickets.move(db, ticket, now=now, taken_by=actor.user_id, taken_at=now)
        _audit(db, actor, ticket, "take_ticket", now)


def give(actor: Actor, number: str, colleague_id: int, *, now: datetime) -> None:
    """Give one's own ticket, or a free one, to a colleague; with 0, back to the queue.

    Raises ``TicketTaken`` for a colleague's, ``NotFound`` for who does not answer here.
    """
    permit(actor, *STAFF)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        _permit_own(db, actor, ticket)
        known = {user.id for user in tickets.staff(db, actor.role)}
        if colleague_id and colleague_id not in known:
            raise NotFound
        tickets.move(
            db,
            ticket,
            now=now,
            taken_by=colleague_id or None,
            taken_at=now if colleague_id else None,
        )
        _audit(db, actor, ticket, "give_ticket", now)


def answer(actor: Actor, number: str, text: str, form_key: str, *, now: datetime) -> None:
    """Answer a ticket, taking it if it is free; the person is told on the screen and by mail.

    Raises ``Invalid`` with ``text``, ``TicketTaken``, ``TransitionNotAllowed`` for a closed one.
    """
    permit(actor, *STAFF)
    said = _read("text", text)
    key = f"{actor.user_id}:{form_key}"[: supporting.KEY_LENGTH] if form_key else None
    try:
        with unit_of_work() as db:
            if key and tickets.with_key(db, key) is not None:
                return
            ticket = _ticket(db, actor, number)
            _permit_own(db, actor, ticket)
            status = rules.step(ticket.status, Act.ANSWER)
            tickets.move(
                db,
                ticket,
                now=now,
                status=status,
                due_on=None,
                taken_by=actor.user_id,
                taken_at=ticket.taken_at if ticket.taken_by else now,
            )
            own = vault.vault_for(db, ticket.user_id)
            row = tickets.say(
                db, ticket, own, said=Said.TEXT, by=actor.role, user_id=actor.user_id, now=now,
                text=said, form_key=key,
            )  # fmt: skip
            notifying.tell(
                db,
                db.get_one(User, ticket.user_id),
                Notice(News.SUPPORT_ANSWERED, number=ticket.number),
                dedupe=f"support-answered:{row.id}",
                now=now,
            )
            _audit(db, actor, ticket, "answer_ticket", now)
    except IntegrityError:
        # The other press of the same button was faster.
        return


def note(actor: Actor, number: str, text: str, *, now: datetime) -> None:
    """Leave a note for colleagues; the person does not see it, but has it in the copy of data."""
    permit(actor, *STAFF)
    said = _read("note", text)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        _say(db, actor, ticket, Said.NOTE, now, said)
        tickets.move(db, ticket, now=now)
        _audit(db, actor, ticket, "note_ticket", now)


def hand_over(actor: Actor, number: str, text: str, *, now: datetime) -> None:
    """Hand a ticket over to the operators, or back to support, with a note on why.

    Raises ``Invalid`` with ``handing``, ``TicketTaken``, ``Conflict`` for a closed one.
    """
    permit(actor, *STAFF)
    said = _read("handing", text)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        _permit_own(db, actor, ticket)
        if ticket.status is TicketStatus.CLOSED or ticket.desk is not desk_of(actor):
            raise Conflict("not at this desk")
        target = Desk.OPERATOR if ticket.desk is Desk.SUPPORT else Desk.SUPPORT
        event = Said.HANDED if target is Desk.OPERATOR else Said.RETURNED
        _say(db, actor, ticket, Said.NOTE, now, said)
        _say(db, actor, ticket, event, now)
        tickets.move(db, ticket, now=now, desk=target, taken_by=None, taken_at=None)
        _audit(db, actor, ticket, "hand_ticket", now)


def settle(actor: Actor, number: str, *, now: datetime) -> None:
    """Close a ticket that was answered; the person may open it again or rate the help.

    Raises ``TicketTaken``, ``TransitionNotAllowed`` for one that waits for an answer.
    """
    permit(actor, *STAFF)
    with unit_of_work() as db:
        ticket = _ticket(db, actor, number)
        _permit_own(db, actor, ticket)
        status = rules.step(ticket.status, Act.SETTLE)
        tickets.move(db, ticket, now=now, status=status, due_on=None, closed_at=now)
        _say(db, actor, ticket, Said.CLOSED, now)
        _audit(db, actor, ticket, "settle_ticket", now)


def hand_late(actor: Actor, number: str, *, now: datetime) -> None:
    """Hand a late application over to the operators; once is enough.

    Raises ``NotFound`` for one that is not late.
    """
    permit(actor, Role.SUPPORT)
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    try:
        with unit_of_work() as db:
            late = {row.tracking_number: row for row in tickets.late(db, clock.day_of(now))}
            if (row := late.get(slug)) is None:
                raise NotFound
            if tickets.escalations(db, [row.id]):
                return
            db.add(SupportEscalation(application_id=row.id, handed_by=actor.user_id, handed_at=now))
            changes.announce(db, TOPIC, "queue")
            auditing.record(
                db, actor, "hand_late", f"application:{row.id}", subject_id=row.holder_id, now=now
            )
    except IntegrityError:
        return


def find(actor: Actor, query: str) -> TicketView:
    """Return the ticket of this number; raise ``NotFound``."""
    permit(actor, *STAFF)
    digits = "".join(each for each in query if each.isdigit())
    with reading() as db:
        return supporting.views(db, [_ticket(db, actor, digits)])[0]


def caller(actor: Actor, code: str, *, now: datetime) -> Caller:
    """Return who reads this code from their screen; each try is counted, each look noted.

    Raises ``Invalid`` with ``code``, ``NotFound``, ``TooManyAttempts``.
    """
    permit(actor, Role.SUPPORT)
    problems = Problems()
    digits = problems.take("code", rules.code_of, code)
    problems.raise_any()
    throttling.spend((throttling.key_of("support-code", str(actor.user_id)), CODES), now=now)
    with unit_of_work() as db:
        user = tickets.by_code(db, digits, now)
        if user is None:
            raise NotFound
        auditing.record(db, actor, "find_by_code", f"user:{user.id}", subject_id=user.id, now=now)
        asked = applications.of_holder(db, user.id) if user.role is Role.HOLDER else ()
        return Caller(
            person=rules.masked_name(supporting.person_name(user)),
            role=user.role,
            tickets=tuple(supporting.views(db, tickets.of_person(db, user.id, supporting.LISTED))),
            applications=tuple(
                (TrackingNumber.parse(row.tracking_number), row.status, row.submitted_at)
                for row in asked
                if row.status is not ApplicationStatus.DRAFT
            ),
        )


def _late(db: Session, today: date) -> tuple[LateView, ...]:
    rows = tickets.late(db, today)
    handed = tickets.escalations(db, [row.id for row in rows])
    return tuple(
        LateView(
            number=TrackingNumber.parse(row.tracking_number),
            status=row.status,
            submitted_at=row.submitted_at,
            # The term of the papers moves with each wait for the holder, so the rest is ours.
            days=PAPERS_DAYS + working_days_between(row.due_on or today, today),
            is_taken=row.reviewer_id is not None,
            handed_at=handed[row.id].handed_at if row.id in handed else None,
        )
        for row in rows
    )


def _ticket(db: Session, actor: Actor, number: str) -> Ticket:
    ticket = tickets.by_number(db, number)
    supporting.permit_ticket(ticket, actor)
    return ticket


def _permit_free(db: Session, ticket: Ticket) -> None:
    if ticket.taken_by is not None:
        name = supporting.person_name(db.get_one(User, ticket.taken_by))
        raise TicketTaken(by=name or None, at=ticket.taken_at)


def _permit_own(db: Session, actor: Actor, ticket: Ticket) -> None:
    if ticket.taken_by != actor.user_id:
        _permit_free(db, ticket)


def _read(name: str, text: str) -> str:
    problems = Problems()
    said = problems.take(name, rules.message_of, text)
    problems.raise_any()
    return said


def _say(
    db: Session, actor: Actor, ticket: Ticket, said: Said, now: datetime, text: str = ""
) -> None:
    own = vault.vault_for(db, ticket.user_id)
    tickets.say(
        db, ticket, own, said=said, by=actor.role, user_id=actor.user_id, now=now, text=text
    )


def _audit(db: Session, actor: Actor, ticket: Ticket, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, f"ticket:{ticket.id}", subject_id=ticket.user_id, now=now)
