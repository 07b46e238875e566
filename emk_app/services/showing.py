"""«Показать врачу»: a holder lets a physician of any clinic read the record for a while.

The holder gets a code to be said aloud; the physician enters it, sees whose record it is, confirms
that this is the person, and reads part by part until the time is over or the holder ends it. That
nobody reads longer is asked of the database at each reading, whatever a screen still shows.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from emk_app.crypto import tokens
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import attachments, books, consents, desks, disclosures
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.disclosures import RecordGrant, RecordReading
from emk_app.db.tables.examinations import Attachment
from emk_app.db.tables.people import User
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit, permit_fresh, permit_position
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.books import BookNotShareable, Verdict
from emk_app.domain.clinics import LicenceStatus
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.disclosures import (
    CODE_DIGITS,
    CODE_LIFE,
    GRANTS_AT_ONCE,
    LIVE,
    AccessOver,
    ClinicNotServing,
    CodeRefused,
    Grant,
    GrantState,
    RecordPart,
    RecordScope,
    TooManyGrants,
    grant_state,
    minutes_of,
    read_code,
)
from emk_app.domain.errors import NotFound, TooManyAttempts
from emk_app.domain.notices import News, Notice
from emk_app.keys import keystore
from emk_app.services import attaching, auditing, issuing, notifying, scans, throttling
from emk_app.services.attaching import AttachmentView
from emk_app.services.examining import ENTER
from emk_app.services.issuing import BookCard
from emk_app.storage import inspection

SHOWN: Final = 30
"""Grants in the holder's list."""
MAKINGS: Final = Rule(tries=30, window=timedelta(days=1), longest_block=timedelta(hours=1))
PHYSICIAN_TRIES: Final = Rule(tries=5, window=timedelta(minutes=15))
CLINIC_TRIES: Final = Rule(tries=20, window=timedelta(hours=1), longest_block=timedelta(hours=1))
ALL_TRIES: Final = Rule(tries=200, window=timedelta(hours=1), longest_block=timedelta(hours=1))
"""Of the clinic's and of all tries only those that fail count. With ten codes waiting at any time,
guessing at this rate around the clock finds one in six years, and each try is audited."""
ONE_READING: Final = timedelta(minutes=15)
"""Pages of a paper that are turned in so long are one reading of it."""
PARTS: Final = (
    RecordPart.CONCLUSION,
    RecordPart.STUDIES,
    RecordPart.VACCINATIONS,
    RecordPart.PAPERS,
)
"""What a physician reads as a whole; a paper is opened by its name."""


@dataclass(frozen=True, slots=True)
class FreshCode:
    """A code that has just been made; it is told this once and kept nowhere."""

    grant_id: int
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One part that was read; ``paper`` for one paper."""

    part: RecordPart
    paper: AttachmentKind | None
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantView:
    """One grant as its holder sees it."""

    id: int
    state: GrantState
    scope: RecordScope
    minutes: int
    created_at: datetime
    code_expires_at: datetime
    physician: str
    """Empty until somebody has entered the code."""
    clinic: str
    claimed_at: datetime | None
    opened_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None
    ended_by: Role | None
    readings: tuple[ReadingView, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record that a physician has been let into, before anything medical of it."""

    grant_id: int
    state: GrantState
    scope: RecordScope
    minutes: int
    name: str = field(repr=False)
    birth_year: int = field(repr=False)
    until: datetime
    """Of a claimed one: until when it may be opened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One part of a record, for this once."""

    part: RecordPart
    card: BookCard = field(repr=False)
    papers: tuple[AttachmentView, ...] = field(repr=False)


def make(actor: Actor, scope: RecordScope, minutes: int, *, now: datetime) -> FreshCode:
    """Make a code by which a physician is let in; an earlier one not yet opened is void.

    Raises ``NotAChoice``, ``FreshFactorNeeded``, ``ConsentNeeded``, ``NotFound`` without a book,
    ``BookNotShareable``, ``TooManyGrants`` and ``TooManyAttempts``.
    """
    permit(actor, Role.HOLDER)
    minutes_of(minutes)
    permit_fresh(actor, now)
    throttling.spend((throttling.key_of("record-makings", str(actor.user_id)), MAKINGS), now=now)
    with unit_of_work() as db:
        consents.hold(db, actor.user_id)
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        book = books.newest_of(db, actor.user_id)
        if book is None:
            raise NotFound
        if issuing.card_of(db, book, now=now).content is None:
            raise BookNotShareable(Verdict.NOT_GENUINE)
        disclosures.forget_old_codes(db, now)
        opened = 0
        for earlier in disclosures.unended_of(db, actor.user_id):
            match _state(earlier, now):
                case GrantState.OPEN:
                    opened += 1
                case GrantState.WAITING | GrantState.CLAIMED:
                    disclosures.end(db, earlier, Role.SYSTEM, now)
                case _:
                    pass
        if opened >= GRANTS_AT_ONCE:
            raise TooManyGrants(GRANTS_AT_ONCE)
        db.flush()
        code, digest = _free_code(db)
        grant = RecordGrant(
            book_id=book.id,
            holder_id=actor.user_id,
            scope=scope,
            minutes=minutes,
            created_at=now,
            code_digest=digest,
            code_expires_at=now + CODE_LIFE,
        )
        db.add(grant)
        db.flush()
        disclosures.tell(db, grant)
        _audit(db, actor, grant, "offer_record", now, fields=scope.value)
        return FreshCode(grant.id, code, grant.code_expires_at)


def shown(actor: Actor, *, now: datetime) -> tuple[GrantView, ...]:
    """Return the holder's last grants with what was read by them, newest first."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        rows = disclosures.grants_of(db, actor.user_id, SHOWN)
        people = desks.names_of(db, [row.physician_id for row in rows])
        clinics = _clinic_names(db, {row.clinic_id for row in rows if row.clinic_id})
        read: defaultdict[int, list[RecordReading]] = defaultdict(list)
        for each in disclosures.readings_of(db, [row.id for row in rows]):
            read[each.grant_id].append(each)
        kinds = _kinds(db, [each for those in read.values() for each in those])
        return tuple(
            GrantView(
                id=row.id,
                state=_state(row, now),
                scope=row.scope,
                minutes=row.minutes,
                created_at=row.created_at,
                code_expires_at=row.code_expires_at,
                physician=people.get(row.physician_id or 0, ""),
                clinic=clinics.get(row.clinic_id or 0, ""),
                claimed_at=row.claimed_at,
                opened_at=row.opened_at,
                expires_at=row.expires_at,
                ended_at=row.ended_at,
                ended_by=row.ended_by,
                readings=tuple(
                    ReadingView(each.part, kinds.get(each.attachment_id or 0), each.at)
                    for each in read[row.id]
                ),
            )
            for row in rows
        )


def end(actor: Actor, grant_id: int, *, now: datetime) -> None:
    """End what the holder has let somebody read, at once. Ending twice is once."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        grant = disclosures.own_grant(db, actor, grant_id)
        if _state(grant, now) in LIVE:
            disclosures.end(db, grant, Role.HOLDER, now)
            _audit(db, actor, grant, "end_record", now)


def end_all(db: Session, holder_id: int, *, now: datetime) -> None:
    """End every grant of a holder whose consent ends; part of the caller's transaction."""
    for grant in disclosures.unended_of(db, holder_id):
        if _state(grant, now) in LIVE:
            disclosures.end(db, grant, Role.SYSTEM, now)


def count_live(db: Session, holder_id: int, now: datetime) -> int:
    """Return how many grants of the holder are not over."""
    rows = disclosures.grants_of(db, holder_id, SHOWN)
    return sum(_state(row, now) in LIVE for row in rows)


def claim(actor: Actor, text: str, *, now: datetime) -> RecordView:
    """Enter a code and learn whose record it opens; the code is spent with that.

    Raises ``CodeUnreadable``, ``CodeRefused``, ``ClinicNotServing``, ``FreshFactorNeeded`` and
    ``TooManyAttempts``; each failure counts for the physician, for the clinic and for all.
    """
    clinic_id = permit_position(actor, *ENTER)
    permit_fresh(actor, now)
    code = read_code(text)
    own_tries = throttling.key_of("record-code", str(actor.user_id))
    clinics_tries = throttling.key_of("record-code-clinic", str(clinic_id))
    all_tries = throttling.key_of("record-code-all", "")
    throttling.check((clinics_tries, CLINIC_TRIES), (all_tries, ALL_TRIES), now=now)
    throttling.spend((own_tries, PHYSICIAN_TRIES), now=now)
    with unit_of_work() as db:
        _check_clinic(db, clinic_id)
        grant = disclosures.claim(db, _digest(code), actor, now)
        if grant is None:
            auditing.record(db, actor, "refuse_record_code", f"clinic:{clinic_id}", now=now)
            view = None
        else:
            disclosures.tell(db, grant)
            _audit(db, actor, grant, "claim_record", now, fields="name,birth_year")
            view = _record_view(db, grant, now)
    if view is None:
        with contextlib.suppress(TooManyAttempts):
            throttling.spend((clinics_tries, CLINIC_TRIES), (all_tries, ALL_TRIES), now=now)
        raise CodeRefused
    throttling.forgive(own_tries)
    return view


def open_record(actor: Actor, grant_id: int, *, now: datetime) -> RecordView:
    """Confirm that the person is the one named, and begin to read; the time runs from now.

    Opening twice is once. Raises ``AccessOver`` and ``ClinicNotServing``.
    """
    with unit_of_work() as db:
        grant = _physicians(db, actor, grant_id, now, GrantState.CLAIMED, GrantState.OPEN)
        if grant.opened_at is None:
            grant.opened_at = now
            grant.expires_at = now + minutes_of(grant.minutes)
            db.add(grant)
            disclosures.tell(db, grant)
            holder = db.get_one(User, grant.holder_id)
            notifying.tell(
                db, holder, Notice(News.RECORD_OPENED, at=now), dedupe=f"record:{grant.id}", now=now
            )
            _audit(db, actor, grant, "open_record", now)
        return _record_view(db, grant, now)


def put_away(actor: Actor, grant_id: int, *, now: datetime) -> None:
    """End the reading on the physician's side: done, or not the person named."""
    permit_position(actor, *ENTER)
    with unit_of_work() as db:
        grant = disclosures.physicians_grant(db, actor, grant_id)
        if _state(grant, now) in LIVE:
            disclosures.end(db, grant, Role.CLINIC, now)
            _audit(db, actor, grant, "end_record", now)


def records(actor: Actor, *, now: datetime) -> tuple[RecordView, ...]:
    """Return the records that stand open, or claimed, to the physician at this clinic."""
    permit_position(actor, *ENTER)
    with reading() as db:
        rows = [row for row in disclosures.unended_for(db, actor) if _state(row, now) in LIVE]
        return tuple(_record_view(db, row, now) for row in rows)


def read(actor: Actor, grant_id: int, part: RecordPart, *, now: datetime) -> Reading:
    """Return one part of an open record, once the reading is written down.

    Raises ``AccessOver``, ``ClinicNotServing``, and ``NotFound`` for another's grant and for a part
    outside its scope.
    """
    with unit_of_work() as db:
        grant = _physicians(db, actor, grant_id, now, GrantState.OPEN)
        if part not in PARTS or (
            part is RecordPart.PAPERS and grant.scope is RecordScope.WITHOUT_PAPERS
        ):
            raise NotFound
        card = issuing.card_of(db, books.get(db, grant.book_id), now=now)
        if card.content is None:
            raise BookNotShareable(Verdict.NOT_GENUINE)
        papers: tuple[AttachmentView, ...] = ()
        if part is RecordPart.PAPERS:
            own = vault.vault_for(db, grant.holder_id)
            rows = disclosures.papers_of(db, grant.holder_id)
            papers = attaching.views_of(rows, own)
        _note(db, actor, grant, part, None, now)
        return Reading(part, card, papers)


def paper(actor: Actor, grant_id: int, ref: str, *, page: int, now: datetime) -> bytes:
    """Return one page of a paper of an open record as a JPEG; raises as ``read``."""
    with unit_of_work() as db:
        grant = _physicians(db, actor, grant_id, now, GrantState.OPEN)
        found = attachments.by_ref(db, ref)
        if grant.scope is RecordScope.WITHOUT_PAPERS or found.id not in {
            each.id for each in disclosures.papers_of(db, grant.holder_id)
        }:
            raise NotFound
        if not 1 <= page <= found.pages:
            raise NotFound
        own = vault.vault_for(db, grant.holder_id)
        if not disclosures.was_read(db, grant.id, RecordPart.PAPER, found.id, now - ONE_READING):
            _note(db, actor, grant, RecordPart.PAPER, found, now)
    if page == 1:
        return scans.blobs().open(found.preview_blob, own.key)
    return inspection.render(scans.blobs().open(found.blob, own.key), page)


def _physicians(
    db: Session, actor: Actor, grant_id: int, now: datetime, *states: GrantState
) -> RecordGrant:
    """Return the physician's grant, held, so that an end acknowledged earlier is seen."""
    clinic_id = permit_position(actor, *ENTER)
    grant = disclosures.physicians_grant(db, actor, grant_id)
    state = _state(grant, now)
    if state not in states:
        raise AccessOver(state)
    _check_clinic(db, clinic_id)
    return grant


def _check_clinic(db: Session, clinic_id: int) -> None:
    clinic = db.get(Clinic, clinic_id)
    if (
        clinic is None
        or clinic.deleted_on is not None
        or clinic.licence_status is not LicenceStatus.ACTIVE
    ):
        raise ClinicNotServing


def _note(
    db: Session,
    actor: Actor,
    grant: RecordGrant,
    part: RecordPart,
    attachment: Attachment | None,
    now: datetime,
) -> None:
    """Write a reading down, for the holder and for the audit."""
    db.add(
        RecordReading(
            grant_id=grant.id,
            part=part,
            attachment_id=attachment.id if attachment else None,
            at=now,
        )
    )
    disclosures.tell(db, grant)
    fields = f"{part.value}:{attachment.id}" if attachment else part.value
    _audit(db, actor, grant, "read_record", now, fields=fields)


def _record_view(db: Session, grant: RecordGrant, now: datetime) -> RecordView:
    content = issuing.card_of(db, books.get(db, grant.book_id), now=now).content
    if content is None:
        raise BookNotShareable(Verdict.NOT_GENUINE)
    return RecordView(
        grant_id=grant.id,
        state=_state(grant, now),
        scope=grant.scope,
        minutes=grant.minutes,
        name=str(content.holder),
        birth_year=content.born_on.year,
        until=grant.expires_at or grant.code_expires_at,
    )


def _free_code(db: Session) -> tuple[str, str]:
    while True:
        code = tokens.numeric_code(CODE_DIGITS)
        digest = _digest(code)
        if disclosures.is_code_free(db, digest):
            return code, digest


def _digest(code: str) -> str:
    return tokens.keyed_digest(keystore().session_key, code, "record-code")


def _state(row: RecordGrant, now: datetime) -> GrantState:
    return grant_state(
        Grant(row.code_expires_at, row.claimed_at, row.opened_at, row.expires_at, row.ended_at), now
    )


def _clinic_names(db: Session, ids: Collection[int]) -> dict[int, str]:
    rows = db.exec(select(Clinic.id, Clinic.short_name).where(col(Clinic.id).in_(ids))).all()
    return dict(rows)


def _kinds(db: Session, readings: Collection[RecordReading]) -> dict[int, AttachmentKind]:
    ids = {each.attachment_id for each in readings if each.attachment_id}
    rows = db.exec(select(Attachment.id, Attachment.kind).where(col(Attachment.id).in_(ids))).all()
    return {attachment_id: AttachmentKind(kind) for attachment_id, kind in rows}


def _audit(
    db: Session, actor: Actor, grant: RecordGrant, action: str, now: datetime, *, fields: str = ""
) -> None:
    auditing.record(
        db,
        actor,
        action,
        f"record:{grant.id}",
        subject_id=grant.holder_id,
        fields=fields,
        now=now,
    )
