"""«Продлить»: a new term on green studies, and otherwise what has to be done first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

from emk_app import clock
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, books, consents
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import FINAL, ApplicationStatus, ExaminationTrack, TrackingNumber
from emk_app.domain.books import BookContent, Cause, renewed_term
from emk_app.domain.errors import ChangedMeanwhile
from emk_app.domain.notices import News, Notice
from emk_app.domain.renewals import Hindrance, NotRenewable, Prospect, prospect
from emk_app.services import auditing, issuing
from emk_app.services.verifying import witness_of


class NextStep(StrEnum):
    """Where the holder goes on with what is missing."""

    DRAFT = "draft"
    VISIT = "visit"
    APPLICATION = "application"
    REAPPLY = "reapply"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Way:
    """The next step; ``number`` of the application under way, ``ground`` that of the old one."""

    step: NextStep
    number: TrackingNumber | None = None
    ground: int | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The term of the holder's book, and the way to the next one."""

    prospect: Prospect
    way: Way


def outlook(actor: Actor, *, now: datetime) -> Outlook | None:
    """Return whether the holder's newest book can be renewed; None without a book."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        book = books.newest_of(db, actor.user_id)
        if book is None:
            return None
        version, content = _current(db, book)
        return outlook_with(db, book, version, content, now=now)


def outlook_with(
    db: Session,
    book: MedicalBook,
    version: BookVersion,
    content: BookContent | None,
    *,
    now: datetime,
) -> Outlook:
    """Return the same of a current version that has been checked; without ``content`` if it is not
    genuine.
    """
    return Outlook(_prospect(db, book, version, content, now), _way(db, book))


def renew(actor: Actor, book_id: int, *, now: datetime) -> date:
    """Give the book its next term and sign the version that says so; return the new last day.

    Raises ``NotFound`` and ``NotRenewable``. Of two presses at once one renews.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        books.own(db, actor, book_id)
        book = books.locked(db, book_id)
        # Held, so that a consent that is being taken back is not overtaken.
        consents.hold(db, actor.user_id)
        version, content = _current(db, book)
        found = _prospect(db, book, version, content, now)
        if found.hindrance is not None:
            raise NotRenewable(found.hindrance)
        if content is None:
            raise NotRenewable(Hindrance.NOT_GENUINE)
        issued_on, until = renewed_term(
            (content.issued_on, content.valid_until), content.born_on, clock.day_of(now)
        )
        term = {"issued_on": issued_on, "valid_until": until}
        own = vault.vault_for(db, book.holder_id)
        if issuing.remake(db, book, own, Cause.RENEWAL, now=now, values=term, **term) is None:
            raise ChangedMeanwhile
        auditing.record(
            db,
            actor,
            "renew_book",
            f"book:{book.id}:{book.current_version}",
            subject_id=book.holder_id,
            fields=Cause.RENEWAL.value,
            now=now,
        )
        issuing.tell(
            db,
            book,
            Notice(News.TERM_RENEWED, on=until),
            occasion=f"v{book.current_version}",
            now=now,
        )
    return until


def _current(db: Session, book: MedicalBook) -> tuple[BookVersion, BookContent | None]:
    version = books.version(db, book.id, book.current_version)
    own = vault.vault_for(db, book.holder_id)
    return version, issuing.content_of(witness_of(book, version, own))


def _prospect(
    db: Session, book: MedicalBook, version: BookVersion, content: BookContent | None, now: datetime
) -> Prospect:
    return prospect(
        issuing.judgement_of(book, version, content, now=now),
        (content.issued_on, content.valid_until) if content else (book.issued_on, book.valid_until),
        content.born_on if content else None,
        clock.day_of(now),
        consents=not consents.is_withdrawn(db, book.holder_id),
    )


def _way(db: Session, book: MedicalBook) -> Way:
    """Return where to go on: what is under way comes before anything new."""
    rows = applications.of_holder(db, book.holder_id)
    under_way = [row for row in rows if row.status not in FINAL]
    for row in under_way:
        if row.status is ApplicationStatus.DRAFT:
            continue
        waits = row.examination is ExaminationTrack.WAITING
        step = NextStep.VISIT if waits else NextStep.APPLICATION
        return Way(step, number=TrackingNumber.parse(row.tracking_number))
    if under_way:
        return Way(NextStep.DRAFT)
    ground = books.newest_application_of(db, book.id)
    if ground is not None and applications.get(db, ground).form_sealed is not None:
        return Way(NextStep.REAPPLY, ground=ground)
    return Way(NextStep.APPLY)
