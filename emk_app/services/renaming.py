"""Change of the name or the birth date in a book, on a paper that an operator checks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app import clock
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, consents, desks, identities
from emk_app.db.tables.books import MedicalBook
from emk_app.db.tables.identities import IdentityChange
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain import identities as rules
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.books import BookNumber, BookStatus, Cause
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.documents import MediaType
from emk_app.domain.errors import NotFound
from emk_app.domain.fieldpolicy import HolderField, permit_sight
from emk_app.domain.identities import (
    Basis,
    ChangeDecided,
    ChangePending,
    ChangeStatus,
    Identity,
    IdentityFixed,
    NothingChanges,
)
from emk_app.domain.notices import News, Notice
from emk_app.domain.values import Problems
from emk_app.services import auditing, issuing, scans, throttling
from emk_app.services.scans import ScanFile
from emk_app.services.verifying import witness_of
from emk_app.storage import inspection

TOPIC: Final = "identity_changes"
LISTED: Final = 100
UPLOADS: Final = Rule(tries=20, window=timedelta(days=1), longest_block=timedelta(hours=1))
"""Wishes a holder may send in a day."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A wish as typed."""

    last: str
    first: str
    patronymic: str
    born_on: str
    basis: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One wish; ``reason`` is why it was refused."""

    ref: str
    status: ChangeStatus
    basis: Basis
    was: Identity
    wanted: Identity
    asked_at: datetime
    decided_at: datetime | None
    reason: str
    version: int | None
    pages: int
    size: int
    media_type: MediaType
    file_name: str


@dataclass(frozen=True, slots=True)
class Own:
    """The holder's page: what the book says now, and all wishes, newest first."""

    current: Identity | None
    """None where there is nothing that could be changed."""
    changes: tuple[ChangeView, ...]
    may_ask: bool


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """A wish on an operator's screen; ``person`` has decided it."""

    number: BookNumber
    change: ChangeView
    current: Identity | None
    """What the book says now."""
    person: str


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One line of the operators' list."""

    ref: str
    number: BookNumber
    basis: Basis
    asked_at: datetime


def permit_asking(actor: Actor, *, now: datetime) -> None:
    """Raise why no wish would be taken, before a byte of its paper is read.

    Raises ``IdentityFixed``, ``ChangePending``, ``ConsentNeeded``, ``TooManyAttempts``.
    """
    permit(actor, Role.HOLDER)
    throttling.spend((throttling.key_of("identity", str(actor.user_id)), UPLOADS), now=now)
    with reading() as db:
        _changeable(db, actor)


def ask(actor: Actor, typed: Typed, content: bytes, name: str, *, now: datetime) -> str:
    """Ask for the change with the paper that proves it; return the wish's public name.

    Raises ``Invalid`` by the names of ``Typed``, ``NothingChanges``, the refusals of
    ``domain.documents``, ``ScanCheckUnavailable``, and what ``permit_asking`` raises.
    """
    permit(actor, Role.HOLDER)
    wanted, basis = rules.read_identity(
        last=typed.last,
        first=typed.first,
        patronymic=typed.patronymic,
        born_on=typed.born_on,
        basis=typed.basis,
        today=clock.day_of(now),
    )
    with reading() as db:
        _, was = _changeable(db, actor)
        key = vault.vault_for(db, actor.user_id).key
    if wanted == was:
        raise NothingChanges
    found, kept = scans.take_in(rules.AS, content, key)
    try:
        with unit_of_work() as db:
            # Held, so that of two wishes at once one is refused in words.
            consents.hold(db, actor.user_id)
            book, was = _changeable(db, actor)
            if wanted == was:
                raise NothingChanges
            ref = secrets.token_hex(16)
            own = vault.vault_for(db, actor.user_id)
            db.add(
                IdentityChange(
                    ref=ref,
                    holder_id=actor.user_id,
                    book_id=book.id,
                    status=ChangeStatus.ASKED,
                    basis=basis,
                    said_sealed=identities.seal_said(own, ref, was, wanted),
                    media_type=found.media_type,
                    size=len(found.content),
                    pages=found.pages,
                    blob=kept[0],
                    preview_blob=kept[1],
                    file_sealed=own.seal(
                        scans.cleaned(name, found.media_type), *identities.FILE, ref
                    ),
                    asked_at=now,
                )
            )
            db.flush()
            _note(db, actor, book, "ask_identity", now, basis.value)
    except BaseException:
        scans.forget(kept)
        raise
    return ref


def withdraw(actor: Actor, ref: str, *, now: datetime) -> None:
    """Take one's own wish back; its paper is removed. Raises ``NotFound``, ``ChangeDecided``."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        row = identities.by_ref(db, ref, hold=True)
        if row.holder_id != actor.user_id:
            raise NotFound
        _permit_open(row)
        row.status, row.decided_at = ChangeStatus.WITHDRAWN, now
        db.add(row)
        gone = (row.blob, row.preview_blob)
        _note(db, actor, books.get(db, row.book_id), "withdraw_identity", now, row.basis.value)
    scans.forget(gone)


def mine(actor: Actor) -> Own:
    """Return what the holder's book says of them, and what they have asked for."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        own = vault.vault_for(db, actor.user_id)
        views = tuple(_view(row, own) for row in identities.of_holder(db, actor.user_id))
        book = books.newest_of(db, actor.user_id)
        current = _said_by(db, book, own) if book else None
        may_ask = (
            current is not None
            and not consents.is_withdrawn(db, actor.user_id)
            and all(view.status is not ChangeStatus.ASKED for view in views)
        )
        return Own(current, views, may_ask)


def waiting(actor: Actor) -> tuple[ChangeLine, ...]:
    """Return the wishes that wait for an operator, oldest first."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        return tuple(
            ChangeLine(
                row.ref,
                BookNumber.parse(books.get(db, row.book_id).number),
                row.basis,
                row.asked_at,
            )
            for row in identities.waiting(db, LISTED)
        )


def case(actor: Actor, ref: str, *, now: datetime) -> ChangeCase:
    """Return a wish beside what the book says; the look is noted. Raises ``NotFound``."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        row = _seen_by_operators(db, ref)
        auditing.record(
            db, actor, "view_identity", f"book:{row.book_id}", subject_id=row.holder_id, now=now
        )
        return _case(db, row)


def peek(actor: Actor, ref: str) -> ChangeCase:
    """Return the same for a screen that is open already, whose look was noted."""
    permit(actor, Role.OPERATOR)
    with reading() as db:
        return _case(db, _seen_by_operators(db, ref))


def approve(actor: Actor, ref: str, *, now: datetime) -> int:
    """Let the book say the new data: a new version, the same term; return its number.

    Raises ``NotFound``, ``ChangeDecided``, ``IdentityFixed`` and ``FreshFactorNeeded``.
    """
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        row = identities.by_ref(db, ref, hold=True)
        _permit_open(row)
        book = books.locked(db, row.book_id)
        own = vault.vault_for(db, row.holder_id)
        _, wanted = identities.said_of(row, own)
        if book.status is BookStatus.REVOKED:
            raise IdentityFixed
        made = issuing.remake(
            db,
            book,
            own,
            Cause.IDENTITY,
            now=now,
            holder=wanted.name,
            born_on=wanted.born_on,
        )
        if made is None:
            raise IdentityFixed
        row.status, row.decided_at, row.decided_by = ChangeStatus.APPROVED, now, actor.user_id
        row.version = made.version
        db.add(row)
        holder = db.get(User, row.holder_id)
        assert holder is not None
        holder.name_sealed = own.seal(str(wanted.name), "users", "name", holder.uid)
        db.add(holder)
        _note(db, actor, book, "approve_identity", now, row.basis.value)
        issuing.tell(db, book, Notice(News.IDENTITY_CHANGED), occasion=f"v{made.version}", now=now)
        return made.version


def reject(actor: Actor, ref: str, ground: str, note: str, *, now: datetime) -> None:
    """Refuse the change with a reason; the book stays as it is.

    Raises ``Invalid`` with ``ground`` and ``note``, ``NotFound``, ``ChangeDecided``.
    """
    permit(actor, Role.OPERATOR)
    problems = Problems()
    chosen = problems.take("ground", rules.read_refusal, ground)
    said = problems.take("note", rules.refusal_words, note, chosen)
    problems.raise_any()
    with unit_of_work() as db:
        row = identities.by_ref(db, ref, hold=True)
        _permit_open(row)
        row.status, row.decided_at, row.decided_by = ChangeStatus.REJECTED, now, actor.user_id
        own = vault.vault_for(db, row.holder_id)
        row.reason_sealed = own.seal(said, *identities.REASON, row.ref)
        db.add(row)
        book = books.get(db, row.book_id)
        _note(db, actor, book, "reject_identity", now, chosen.code if chosen else "")
        issuing.tell(
            db, book, Notice(News.IDENTITY_REFUSED), occasion=f"identity:{row.id}", now=now
        )


def file(actor: Actor, ref: str, *, now: datetime) -> ScanFile:
    """Return the paper for its holder or an operator; every look of an operator is noted."""
    row, own = _paper(actor, ref, now)
    content = scans.blobs().open(row.blob, own.key)
    return ScanFile(content, row.media_type, own.open(row.file_sealed, *identities.FILE, row.ref))


def preview(actor: Actor, ref: str, *, page: int = 1, now: datetime) -> bytes:
    """Return a page as a JPEG; raises ``NotFound`` also for a page that is not there."""
    row, own = _paper(actor, ref, now)
    if not 1 <= page <= row.pages:
        raise NotFound
    if page == 1:
        return scans.blobs().open(row.preview_blob, own.key)
    return inspection.render(scans.blobs().open(row.blob, own.key), page)


def _paper(actor: Actor, ref: str, now: datetime) -> tuple[IdentityChange, Vault]:
    permit(actor, Role.HOLDER, Role.OPERATOR)
    permit_sight(actor, HolderField.IDENTITY)
    with reading() as db:
        row = identities.by_ref(db, ref)
        is_own = row.holder_id == actor.user_id
        if row.status is ChangeStatus.WITHDRAWN or (actor.role is Role.HOLDER and not is_own):
            raise NotFound
        own = vault.vault_for(db, row.holder_id)
    if actor.role is Role.OPERATOR:
        with unit_of_work() as db:
            auditing.record(
                db,
                actor,
                "view",
                f"identity:{row.id}",
                subject_id=row.holder_id,
                fields=row.basis.value,
                now=now,
            )
    return row, own


def _changeable(db: Session, actor: Actor) -> tuple[MedicalBook, Identity]:
    """Return the book and what it says; raise why it can't be changed."""
    book = books.newest_of(db, actor.user_id)
    current = _said_by(db, book, vault.vault_for(db, actor.user_id)) if book else None
    if book is None or current is None:
        raise IdentityFixed
    if consents.is_withdrawn(db, actor.user_id):
        raise ConsentNeeded
    if identities.open_of(db, actor.user_id) is not None:
        raise ChangePending
    return book, current


def _said_by(db: Session, book: MedicalBook, own: Vault) -> Identity | None:
    if book.status is BookStatus.REVOKED:
        return None
    version = books.version(db, book.id, book.current_version)
    content = issuing.content_of(witness_of(book, version, own))
    return Identity(content.holder, content.born_on) if content else None


def _permit_open(row: IdentityChange) -> None:
    if row.status is not ChangeStatus.ASKED:
        raise ChangeDecided


def _seen_by_operators(db: Session, ref: str) -> IdentityChange:
    row = identities.by_ref(db, ref)
    if row.status is ChangeStatus.WITHDRAWN:
        raise NotFound
    return row


def _case(db: Session, row: IdentityChange) -> ChangeCase:
    own = vault.vault_for(db, row.holder_id)
    book = books.get(db, row.book_id)
    names = desks.names_of(db, [row.decided_by] if row.decided_by else [])
    return ChangeCase(
        BookNumber.parse(book.number),
        _view(row, own),
        _said_by(db, book, own),
        names.get(row.decided_by or 0, ""),
    )


def _view(row: IdentityChange, own: Vault) -> ChangeView:
    was, wanted = identities.said_of(row, own)
    return ChangeView(
        ref=row.ref,
        status=row.status,
        basis=row.basis,
        was=was,
        wanted=wanted,
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        reason=(
            own.open(row.reason_sealed, *identities.REASON, row.ref) if row.reason_sealed else ""
        ),
        version=row.version,
        pages=row.pages,
        size=row.size,
        media_type=row.media_type,
        file_name=own.open(row.file_sealed, *identities.FILE, row.ref),
    )


def _note(
    db: Session, actor: Actor, book: MedicalBook, action: str, now: datetime, fields: str
) -> None:
    changes.announce(db, TOPIC, f"holder:{book.holder_id}")
    auditing.record(
        db, actor, action, f"book:{book.id}", subject_id=book.holder_id, fields=fields, now=now
    )
