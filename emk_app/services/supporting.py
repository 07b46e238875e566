"""Support from the person's side: tickets, their words and screenshots, the code for the telephone.

All that is sealed of a ticket stands under the key of the person who asks, so that it goes with
them (D53) and is in the copy of their data (D54).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.repositories import support as tickets
from emk_app.db.repositories.support import NAME, topic_of
from emk_app.db.tables.applications import Application
from emk_app.db.tables.people import User
from emk_app.db.tables.support import SupportCode, SupportFile, SupportGlass, Ticket
from emk_app.db.vault import Vault
from emk_app.domain import support as rules
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import ApplicationStatus, TrackingNumber
from emk_app.domain.documents import MediaType
from emk_app.domain.errors import Conflict, NotFound
from emk_app.domain.support import (
    FILES_LIMIT,
    PEOPLE,
    STAFF,
    Act,
    Answer,
    Desk,
    NotYourApplication,
    RatedAlready,
    Said,
    Subject,
    TicketStatus,
    TooManyFiles,
)
from emk_app.domain.values import Problems
from emk_app.services import auditing, scans, throttling
from emk_app.services.scans import ScanFile
from emk_app.storage import inspection

MESSAGES: Final = Rule(tries=60, window=timedelta(days=1), longest_block=timedelta(hours=1))
"""Messages one person may send in a day."""
LISTED: Final = 50
KEY_LENGTH: Final = 64
CODES_TRIED: Final = 5


@dataclass(frozen=True, slots=True)
class Typed:
    """A new question as typed; ``form_key`` names the form it was sent with."""

    subject: str = ""
    text: str = field(default="", repr=False)
    number: str = ""
    incident: str = ""
    form_key: str = ""


@dataclass(frozen=True, slots=True)
class FileView:
    """A screenshot in a ticket."""

    ref: str
    name: str = field(repr=False)
    pages: int
    size: int


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a ticket."""

    id: int
    said: Said
    by: Role
    is_persons: bool
    at: datetime
    text: str = field(repr=False)
    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket in a list; of the person no more than «Иванова М.» (D22)."""

    number: str
    subject: Subject
    status: TicketStatus
    desk: Desk
    version: int
    role: Role
    person: str = field(repr=False)
    application: TrackingNumber | None
    application_status: ApplicationStatus | None
    incident: str
    created_at: datetime
    changed_at: datetime
    due_on: date | None
    closed_at: datetime | None
    rating: int | None
    unread: int
    """Answers that the person has not had on the screen."""
    taken_by: int | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class GlassView:
    """A wish of support to see more of the person, or that more is seen."""

    ref: str
    reason: str = field(repr=False)
    asked_at: datetime
    asked_by: int
    answer: Answer | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket with its lines, oldest first."""

    ticket: TicketView
    lines: tuple[LineView, ...]
    comment: str = field(repr=False)
    glass: GlassView | None
    """A wish that waits, or is in force."""
    may_reopen: bool
    taken_by: str
    """The colleague's name; empty on the person's own screen."""


@dataclass(frozen=True, slots=True)
class Code:
    """By which support finds somebody on the telephone."""

    digits: str = field(repr=False)
    expires_at: datetime


def mine(actor: Actor) -> list[TicketView]:
    """Return the actor's own tickets, last changed first."""
    permit(actor, *PEOPLE)
    with reading() as db:
        return views(db, tickets.of_person(db, actor.user_id, LISTED))


def unread(actor: Actor) -> int:
    """Return how many answers the actor has not seen."""
    return sum(each.unread for each in mine(actor))


def applications_of(actor: Actor) -> list[TrackingNumber]:
    """Return the numbers a holder can ask about, newest first."""
    permit(actor, *PEOPLE)
    if actor.role is not Role.HOLDER:
        return []
    with reading() as db:
        return [
            TrackingNumber.parse(row.tracking_number)
            for row in applications.of_holder(db, actor.user_id)
        ]


def thread(actor: Actor, number: str, *, now: datetime) -> Thread:
    """Return the actor's own ticket; raise ``NotFound``."""
    permit(actor, *PEOPLE)
    with reading() as db:
        ticket = tickets.own(db, actor.user_id, number)
        return thread_of(db, ticket, now=now, with_notes=False)


def note_seen(actor: Actor, number: str) -> None:
    """Note that the actor has had every answer so far on the screen."""
    permit(actor, *PEOPLE)
    with unit_of_work() as db:
        ticket = tickets.own(db, actor.user_id, number)
        last = max((row.id for row in tickets.messages_of(db, ticket.id)), default=0)
        if last > ticket.person_seen:
            ticket.person_seen = last
            db.add(ticket)
            changes.announce(db, topic_of(actor.user_id))


def permit_sending(actor: Actor, number: str = "", *, now: datetime) -> None:
    """Raise why nothing would be taken, before a byte of it is read.

    Raises ``NotFound`` for another's ticket, ``TicketOver`` and ``TooManyAttempts``.
    """
    permit(actor, *PEOPLE)
    if number:
        with reading() as db:
            _writable(db, actor, number, now)
    throttling.spend((throttling.key_of("support", str(actor.user_id)), MESSAGES), now=now)


def begin(actor: Actor, typed: Typed, content: bytes, name: str, *, now: datetime) -> str:
    """Ask something, with a screenshot or none (no bytes); return the ticket's number.

    Sent twice, it is one ticket. Raises ``Invalid`` with ``subject``, ``text``, ``number`` and
    ``incident``, and the refusals of ``domain.documents``.
    """
    permit(actor, *PEOPLE)
    problems = Problems()
    subject = problems.take("subject", rules.subject_of, typed.subject)
    text = problems.take("text", rules.message_of, typed.text)
    incident = problems.take("incident", rules.incident_of, typed.incident)
    application_id = problems.take("number", _application, actor, typed.number)
    problems.raise_any()
    key = _key(actor, typed.form_key)
    if (known := _sent_with(key)) is not None:
        return known
    kept = _take_in(actor, content)
    try:
        with unit_of_work() as db:
            own = vault.vault_for(db, actor.user_id)
            ticket = Ticket(
                number=tickets.new_number(db),
                user_id=actor.user_id,
                role=actor.role,
                subject=subject,
                status=TicketStatus.NEW,
                desk=Desk.SUPPORT,
                application_id=application_id,
                incident=incident,
                created_at=now,
                changed_at=now,
                due_on=rules.due_on(clock.day_of(now)),
            )
            db.add(ticket)
            db.flush()
            _put(db, actor, ticket, own, text, key, kept, name, now)
            tickets.announce(db, ticket)
            _audit(db, actor, ticket, "begin_ticket", now)
            return ticket.number
    except IntegrityError:
        _forget(kept)
        if (known := _sent_with(key)) is not None:
            return known
        raise
    except BaseException:
        _forget(kept)
        raise


def write(
    actor: Actor, number: str, text: str, form_key: str, content: bytes, name: str, *, now: datetime
) -> None:
    """Go on with a ticket; a closed one is opened again.

    Raises ``Invalid`` with ``text``, ``NotFound``, ``TicketOver``, ``TooManyFiles`` and the
    refusals of ``domain.documents``.
    """
    permit(actor, *PEOPLE)
    problems = Problems()
    words = problems.take("text", rules.message_of, text)
    problems.raise_any()
    key = _key(actor, form_key)
    if _sent_with(key) is not None:
        return
    with reading() as db:
        ticket = _writable(db, actor, number, now)
        if content and len(tickets.files_of(db, ticket.id)) >= FILES_LIMIT:
            raise TooManyFiles(FILES_LIMIT)
    kept = _take_in(actor, content)
    try:
        with unit_of_work() as db:
            ticket = _writable(db, actor, number, now)
            own = vault.vault_for(db, actor.user_id)
            if ticket.status is TicketStatus.CLOSED:
                tickets.say(
                    db, ticket, own, said=Said.REOPENED, by=actor.role, user_id=actor.user_id,
                    now=now,
                )  # fmt: skip
            tickets.move(
                db,
                ticket,
                now=now,
                status=rules.step(ticket.status, Act.WRITE),
                # Who writes twice before the answer does not wait longer for it.
                due_on=ticket.due_on or rules.due_on(clock.day_of(now)),
                closed_at=None,
            )
            _put(db, actor, ticket, own, words, key, kept, name, now)
            _audit(db, actor, ticket, "write_ticket", now)
    except IntegrityError:
        _forget(kept)
        if _sent_with(key) is None:
            raise
    except BaseException:
        _forget(kept)
        raise


def close(actor: Actor, number: str, rating: str, comment: str, *, now: datetime) -> None:
    """Close one's own ticket, and say how good the help was if one likes.

    Raises ``Invalid`` with ``rating`` and ``comment``, ``NotFound``, ``TransitionNotAllowed``.
    """
    permit(actor, *PEOPLE)
    stars, said = _rated(rating, comment, needed=False)
    with unit_of_work() as db:
        ticket = tickets.own(db, actor.user_id, number)
        own = vault.vault_for(db, actor.user_id)
        status = rules.step(ticket.status, Act.CLOSE)
        values = _rating_values(ticket, own, stars, said, now) if stars else {}
        tickets.move(db, ticket, now=now, status=status, due_on=None, closed_at=now, **values)
        tickets.say(
            db, ticket, own, said=Said.CLOSED, by=actor.role, user_id=actor.user_id, now=now
        )
        _audit(db, actor, ticket, "close_ticket", now)


def rate(actor: Actor, number: str, rating: str, comment: str, *, now: datetime) -> None:
    """Say how good the help was, once, when a ticket is closed.

    Raises ``Invalid`` with ``rating`` and ``comment``, ``NotFound``, ``RatedAlready`` and
    ``Conflict`` for an open one.
    """
    permit(actor, *PEOPLE)
    stars, said = _rated(rating, comment, needed=True)
    with unit_of_work() as db:
        ticket = tickets.own(db, actor.user_id, number)
        if ticket.status is not TicketStatus.CLOSED:
            raise Conflict("not closed")
        if ticket.rating is not None:
            raise RatedAlready
        own = vault.vault_for(db, actor.user_id)
        tickets.move(db, ticket, now=now, **_rating_values(ticket, own, stars, said, now))
        _audit(db, actor, ticket, "rate_ticket", now)


def code(actor: Actor, *, now: datetime) -> Code:
    """Return the code that the actor may read out, a new one where the last has run out."""
    permit(actor, *PEOPLE)
    with reading() as db:
        row = db.exec(select(SupportCode).where(SupportCode.user_id == actor.user_id)).first()
        if row is not None and row.expires_at > now:
            own = vault.vault_for(db, actor.user_id)
            return Code(own.open(row.code_sealed, *_CODE, actor.user_id), row.expires_at)
    for _ in range(CODES_TRIED):
        try:
            return _new_code(actor, now)
        except IntegrityError:
            # Somebody else has these very digits, or another tab of the same person was faster.
            continue
    raise RuntimeError("no free code")


def file(actor: Actor, ref: str, *, now: datetime) -> ScanFile:
    """Return a screenshot for somebody who may see the ticket; every look of staff is noted."""
    row, own = _seen(actor, ref, now)
    content = scans.blobs().open(row.blob, own.key)
    return ScanFile(content, row.media_type, own.open(row.name_sealed, *NAME, row.ref))


def preview(actor: Actor, ref: str, *, page: int = 1, now: datetime) -> bytes:
    """Return a page as a JPEG; raise ``NotFound`` also for a page that is not there."""
    row, own = _seen(actor, ref, now)
    if not 1 <= page <= row.pages:
        raise NotFound
    if page == 1:
        return scans.blobs().open(row.preview_blob, own.key)
    return inspection.render(scans.blobs().open(row.blob, own.key), page)


def permit_ticket(ticket: Ticket, actor: Actor) -> None:
    """Raise ``NotFound`` where the ticket does not exist for the actor (D21)."""
    match actor.role:
        case Role.SUPPORT:
            return
        case Role.OPERATOR if ticket.desk is Desk.OPERATOR:
            return
        case _ if actor.role in PEOPLE and ticket.user_id == actor.user_id:
            return
        case _:
            raise NotFound


def views(db: Session, rows: Sequence[Ticket]) -> list[TicketView]:
    """Return tickets as shown in a list."""
    waiting = tickets.unread(db, [row.id for row in rows])
    about = _applications(db, [row.application_id for row in rows if row.application_id])
    names = _people(db, {row.user_id for row in rows})
    return [_view(row, waiting.get(row.id, 0), about, names) for row in rows]


def thread_of(db: Session, ticket: Ticket, *, now: datetime, with_notes: bool) -> Thread:
    """Return a ticket with what was said in it; notes are for the staff."""
    own = vault.vault_for(db, ticket.user_id)
    files: dict[int, list[FileView]] = {}
    for row in tickets.files_of(db, ticket.id):
        shown = FileView(row.ref, own.open(row.name_sealed, *NAME, row.ref), row.pages, row.size)
        files.setdefault(row.message_id, []).append(shown)
    lines = tuple(
        LineView(
            id=row.id,
            said=row.said,
            by=row.by,
            is_persons=row.written_by == ticket.user_id,
            at=row.at,
            text=own.open(row.text_sealed, *tickets.TEXT, row.ref) if row.text_sealed else "",
            files=tuple(files.get(row.id, ())),
        )
        for row in tickets.messages_of(db, ticket.id)
        if with_notes or row.said is not Said.NOTE
    )
    is_recent = ticket.closed_at is None or now - ticket.closed_at <= timedelta(
        days=rules.REOPEN_DAYS
    )
    comment = ticket.comment_sealed
    taken_by = ""
    if with_notes and ticket.taken_by is not None:
        taken_by = person_name(db.get_one(User, ticket.taken_by))
    return Thread(
        ticket=views(db, [ticket])[0],
        lines=lines,
        comment=own.open(comment, *tickets.COMMENT, ticket.number) if comment else "",
        glass=glass_view(tickets.glass_of(db, ticket.id), own, now),
        may_reopen=is_recent,
        taken_by=taken_by,
    )


def glass_view(row: SupportGlass | None, own: Vault, now: datetime) -> GlassView | None:
    """Return a wish that waits or is in force; None for one that is over."""
    if row is None or row.answer is Answer.DECLINED or row.expires_at <= now:
        return None
    return GlassView(
        ref=row.ref,
        reason=own.open(row.reason_sealed, *tickets.REASON, row.ref),
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        answer=row.answer,
        expires_at=row.expires_at,
    )


def person_name(user: User) -> str:
    """Return the name of an account, or nothing where it has none."""
    if user.name_sealed is None:
        return ""
    return vault.vault_of(user).open(user.name_sealed, "users", "name", user.uid)


_CODE: Final = ("support_codes", "code")


def _new_code(actor: Actor, now: datetime) -> Code:
    digits = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}}"
    with unit_of_work() as db:
        own = vault.vault_for(db, actor.user_id)
        row = tickets.code_of(db, actor.user_id)
        if row is None:
            row = SupportCode(user_id=actor.user_id, code_blind="", code_sealed=b"", expires_at=now)
        row.code_blind = tickets.blind_of(digits)
        row.code_sealed = own.seal(digits, *_CODE, actor.user_id)
        row.expires_at = now + rules.CODE_LIFE
        db.add(row)
        db.flush()
        return Code(digits, row.expires_at)


def _application(actor: Actor, text: str) -> int | None:
    """Return the holder's application of this number; None where nothing was typed."""
    if not text.strip() or actor.role is not Role.HOLDER:
        return None
    number = TrackingNumber.parse(text)
    with reading() as db:
        try:
            found = applications.by_number(db, number.slug)
        except NotFound:
            raise NotYourApplication from None
        if found.holder_id != actor.user_id:
            raise NotYourApplication
        return found.id


def _writable(db: Session, actor: Actor, number: str, now: datetime) -> Ticket:
    ticket = tickets.own(db, actor.user_id, number)
    rules.permit_reopening(ticket.closed_at, now)
    return ticket


def _key(actor: Actor, form_key: str) -> str:
    """Return the form's key as it is kept: nobody can spend another's."""
    return f"{actor.user_id}:{form_key or secrets.token_hex(16)}"[:KEY_LENGTH]


def _sent_with(key: str) -> str | None:
    with reading() as db:
        known = tickets.with_key(db, key)
        return None if known is None else db.get_one(Ticket, known.ticket_id).number


@dataclass(frozen=True, slots=True)
class _Kept:
    media_type: MediaType
    size: int
    pages: int
    blob: str
    preview: str


def _take_in(actor: Actor, content: bytes) -> _Kept | None:
    if not content:
        return None
    with reading() as db:
        key = vault.vault_for(db, actor.user_id).key
    found, (blob, preview) = scans.take_in(rules.AS, content, key, png=True)
    return _Kept(found.media_type, len(found.content), found.pages, blob, preview)


def _forget(kept: _Kept | None) -> None:
    if kept is not None:
        scans.forget((kept.blob, kept.preview))


def _put(
    db: Session,
    actor: Actor,
    ticket: Ticket,
    own: Vault,
    text: str,
    key: str,
    kept: _Kept | None,
    name: str,
    now: datetime,
) -> None:
    row = tickets.say(
        db, ticket, own, said=Said.TEXT, by=actor.role, user_id=actor.user_id, now=now, text=text,
        form_key=key,
    )  # fmt: skip
    if kept is not None:
        ref = secrets.token_hex(16)
        db.add(
            SupportFile(
                ref=ref,
                message_id=row.id,
                media_type=kept.media_type,
                size=kept.size,
                pages=kept.pages,
                blob=kept.blob,
                preview_blob=kept.preview,
                name_sealed=own.seal(scans.cleaned(name, kept.media_type), *NAME, ref),
                added_at=now,
            )
        )
    ticket.person_seen = row.id
    db.add(ticket)


def _rated(rating: str, comment: str, *, needed: bool) -> tuple[int, str]:
    problems = Problems()
    stars = 0
    if rating or needed:
        stars = problems.take("rating", rules.rating_of, rating)
    said = problems.take("comment", rules.comment_of, comment)
    problems.raise_any()
    return stars, said


def _rating_values(
    ticket: Ticket, own: Vault, stars: int, comment: str, now: datetime
) -> dict[str, object]:
    sealed = own.seal(comment, *tickets.COMMENT, ticket.number) if comment else None
    return {"rating": stars, "comment_sealed": sealed, "rated_at": now}


def _seen(actor: Actor, ref: str, now: datetime) -> tuple[SupportFile, Vault]:
    permit(actor, *PEOPLE, *STAFF)
    with reading() as db:
        row, ticket = tickets.file_with_ticket(db, ref)
        permit_ticket(ticket, actor)
        own = vault.vault_for(db, ticket.user_id)
    if actor.role in STAFF:
        auditing.look(
            actor, f"ticket:{ticket.id}", subject_id=ticket.user_id, fields="screenshot", now=now
        )
    return row, own


def _applications(db: Session, ids: Collection[int]) -> dict[int, Application]:
    if not ids:
        return {}
    rows = db.exec(select(Application).where(col(Application.id).in_(ids))).all()
    return {row.id: row for row in rows}


def _people(db: Session, ids: Collection[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = db.exec(select(User).where(col(User.id).in_(ids))).all()
    return {row.id: rules.masked_name(person_name(row)) for row in rows}


def _view(
    row: Ticket, unread_: int, about: dict[int, Application], names: dict[int, str]
) -> TicketView:
    application = about.get(row.application_id or 0)
    return TicketView(
        number=row.number,
        subject=row.subject,
        status=row.status,
        desk=row.desk,
        version=row.version,
        role=row.role,
        person=names.get(row.user_id, ""),
        application=TrackingNumber.parse(application.tracking_number) if application else None,
        application_status=application.status if application else None,
        incident=row.incident,
        created_at=row.created_at,
        changed_at=row.changed_at,
        due_on=row.due_on,
        closed_at=row.closed_at,
        rating=row.rating,
        unread=unread_,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
    )


def _audit(db: Session, actor: Actor, ticket: Ticket, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, f"ticket:{ticket.id}", subject_id=ticket.user_id, now=now)
