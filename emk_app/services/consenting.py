"""The holder's consent: what was agreed to and when, giving it again, taking it back (D52)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, books, consents
from emk_app.db.tables.applications import Application
from emk_app.db.tables.consents import Consent
from emk_app.domain import consent
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import (
    FINAL,
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    TrackingNumber,
    end_without_consent,
)
from emk_app.domain.books import BookStatus
from emk_app.domain.consent import ConsentChannel
from emk_app.domain.notices import News, Notice
from emk_app.services import (
    admitting,
    auditing,
    esigning,
    handing_over,
    notifying,
    scans,
    showing,
)


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One consent as its holder sees it."""

    version: str
    channel: ConsentChannel
    given_at: datetime
    withdrawn_at: datetime | None
    number: TrackingNumber | None
    """Of the application it was given with."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What taking the consent back would do now."""

    has_draft: bool
    closed: tuple[TrackingNumber, ...]
    """Applications that would be closed, newest first."""
    begun: tuple[TrackingNumber, ...]
    """Those of them that the clinic has begun to examine: its records stay."""
    links: int
    """Links to the book that would stop opening."""
    records: int
    """Physicians who would stop reading, codes for them, and links for other systems."""
    has_book: bool


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The page of the consent."""

    records: tuple[ConsentRecord, ...]
    """Newest first."""
    is_given: bool
    is_outdated: bool
    """Given, but to none of the present text."""
    consequences: Consequences


def view(actor: Actor, *, now: datetime) -> ConsentView:
    """Return what the holder has agreed to, and what taking it back would do."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        every = consents.of_holder(db, actor.user_id)
        numbers = {
            row.id: TrackingNumber.parse(row.tracking_number)
            for row in applications.of_holder(db, actor.user_id)
        }
        standing = [row for row in every if row.withdrawn_at is None]
        return ConsentView(
            records=tuple(_record(row, numbers) for row in every),
            is_given=bool(standing),
            is_outdated=bool(standing)
            and all(row.version != consent.CURRENT.version for row in standing),
            consequences=_consequences(db, actor.user_id, now),
        )


def give(actor: Actor, version: str, *, now: datetime) -> None:
    """Agree to the present text outside an application; what stands already is not given twice.

    Raises ``ConsentOutdated`` for any other text.
    """
    permit(actor, Role.HOLDER)
    agreed = consent.check_version(version)
    with unit_of_work() as db:
        consents.hold(db, actor.user_id)
        if any(row.version == agreed for row in consents.standing(db, actor.user_id)):
            return
        consents.add(db, actor.user_id, agreed, ConsentChannel.SCREEN, given_at=now)
        changes.announce(db, f"holder:{actor.user_id}")
        _audit(db, actor, f"user:{actor.user_id}", "consent", now)


def withdraw(actor: Actor, *, now: datetime) -> None:
    """Take every consent back, with all that follows, at once. A second time changes nothing.

    Whatever is not decided ends, also what a clinic has begun; links to the book close; scans go,
    and so do the forms of applications without an examination. Records of examinations and the
    book stay: the law wants them kept (docs/decisions/0013).
    """
    permit(actor, Role.HOLDER)
    gone: list[str] = []
    with unit_of_work() as db:
        # Whoever hands in holds the application first and then adds a consent: the same order.
        every = consents.applications_of(db, actor.user_id)
        holder = consents.hold(db, actor.user_id)
        given = consents.standing(db, actor.user_id)
        if not given:
            return
        for application in every:
            gone += _end(db, actor, application, now)
        for link in books.links_of(db, actor.user_id):
            if link.revoked_at is None and link.expires_at > now:
                link.revoked_at = now
                db.add(link)
                books.tell(db, books.get(db, link.book_id))
        showing.end_all(db, actor.user_id, now=now)
        handing_over.revoke_all(db, actor.user_id, now=now)
        admitting.end_all(db, actor.user_id, now=now)
        for row in given:
            row.withdrawn_at = now
            db.add(row)
        changes.announce(db, f"holder:{actor.user_id}")
        # The chain of the audit grows under a lock, so every other row is locked before.
        for application in every:
            if application.decided_at == now:
                _audit(db, actor, f"application:{application.id}", "withdraw", now)
        _audit(db, actor, f"user:{actor.user_id}", "withdraw_consent", now)
        notifying.tell(
            db,
            holder,
            Notice(News.CONSENT_WITHDRAWN),
            dedupe=f"consent-withdrawn:{given[-1].id}",
            now=now,
        )
    scans.forget(gone)


def form_data(actor: Actor, *, now: datetime) -> Mapping[str, str]:
    """Return the fields of the holder's newest form, as typed, for the consent on paper.

    Empty where there is none; the giving away is noted.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        rows = applications.of_holder(db, actor.user_id)
        forms = (applications.form_of(db, row) for row in rows)
        form = next((found for found in forms if found), dict[str, str]())
        _audit(db, actor, f"user:{actor.user_id}", "export_consent", now)
        return form


def _end(db: Session, actor: Actor, application: Application, now: datetime) -> tuple[str, ...]:
    """End the application if it is open, and take away what need not be kept of it.

    Returns the files to forget after the commit.
    """
    gone = scans.remove_all(db, application, now)
    values: dict[str, object] = {}
    is_open = application.status not in FINAL
    if is_open:
        values |= {
            "status": end_without_consent(application.status, actor.role),
            "decided_at": now,
        }
    if application.examination is ExaminationTrack.WAITING:
        values |= {"form_sealed": None, "note_sealed": None, "clarify_fields": None}
        consents.erase_words(db, application.id)
        esigning.forget(db, application)
    if application.status is ApplicationStatus.DRAFT:
        values |= {"clinic_id": None, "consent_version": None, "consented_at": None}
    if values:
        applications.move(db, application, now=now, **values)
    if is_open:
        for event in (Milestone.CONSENT_WITHDRAWN.value, ApplicationStatus.WITHDRAWN.value):
            applications.write_history(
                db, application, event, by=actor.role, user_id=actor.user_id, now=now
            )
    return gone


def _consequences(db: Session, holder_id: int, now: datetime) -> Consequences:
    open_rows = [row for row in applications.of_holder(db, holder_id) if row.status not in FINAL]
    handed_in = [row for row in open_rows if row.submitted_at is not None]
    return Consequences(
        has_draft=len(handed_in) < len(open_rows),
        closed=tuple(TrackingNumber.parse(row.tracking_number) for row in handed_in),
        begun=tuple(
            TrackingNumber.parse(row.tracking_number)
            for row in handed_in
            if row.examination is not ExaminationTrack.WAITING
        ),
        links=sum(
            link.revoked_at is None and link.expires_at > now
            for link in books.links_of(db, holder_id)
        ),
        records=showing.count_live(db, holder_id, now)
        + handing_over.count_waiting(db, holder_id, now),
        has_book=any(
            book.status is not BookStatus.REVOKED for book in books.of_holder(db, holder_id)
        ),
    )


def _record(row: Consent, numbers: Mapping[int, TrackingNumber]) -> ConsentRecord:
    return ConsentRecord(
        version=row.version,
        channel=row.channel,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
        number=numbers.get(row.application_id) if row.application_id else None,
    )


def _audit(db: Session, actor: Actor, target: str, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, target, subject_id=actor.user_id, now=now)
