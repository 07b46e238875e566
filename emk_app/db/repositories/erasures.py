"""Taking a person out of the tables (D53): whatever is not named here as kept, goes.

A table that is added later and leads to a person by ``user_id`` or ``holder_id``, or hangs on
something of theirs, is emptied of them without a word here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from emk_app.clock import day_of
from emk_app.db import vault
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.books import BookVersion, MedicalBook, ShareLink
from emk_app.db.tables.examinations import Examination, SignedConclusion
from emk_app.db.tables.exchange import ReceivedDocument, Shipment
from emk_app.db.tables.people import Login, User
from emk_app.db.tables.rights import Erasure
from emk_app.domain.books import BookStatus
from emk_app.domain.erasure import ErasureState

OWNERS: Final = frozenset({"user_id", "holder_id"})
"""Columns that say whose a row is; others who appear in it have names like ``signed_by``."""
KEPT_OF_PERSON: Final = frozenset(
    {"applications", "books", "consents", "vaccination_records", "exchange_received", "erasures"}
    # Who acted on somebody's application is part of that application's history.
    | {"status_changes"}
)
KEPT_OF_APPLICATION: Final = frozenset(
    {"status_changes", "examinations", "visits", "appeals", "consents", "book_versions"}
)
"""Of an application with a signed conclusion: the medical record and its course."""
KEPT_OF_BOOK: Final = frozenset({"book_versions", "share_links"})
"""A link stands, closed and empty, until its place in the published list of statuses is free."""


@dataclass(slots=True)
class Gone:
    """What was destroyed."""

    rows: Counter[str] = field(default_factory=Counter[str])
    """How many rows of which table; emptied ones too."""
    blobs: list[str] = field(default_factory=list[str])
    """Files to delete after the commit."""


def destroy(db: Session, user: User, *, now: datetime) -> tuple[Gone, date | None]:
    """Take everything of the person away that need not be kept.

    Returns what went, and the newest day of the medical records that stay; None where none do,
    and then the person's key is gone as well.
    """
    gone = Gone()
    signed = _signed_days(db, user.id)
    kept = set(signed) | _with_versions(db, user.id)
    own = db.exec(select(Application.id).where(Application.holder_id == user.id)).all()
    books = db.exec(select(MedicalBook.id).where(MedicalBook.holder_id == user.id)).all()
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in KEPT_OF_PERSON:
            for column in table.columns:
                if column.name in OWNERS and _leads_to(column, "users"):
                    purge(db, table, column == user.id, gone)
    _purge_children(db, "applications", sorted(kept), KEPT_OF_APPLICATION, gone)
    _purge_children(db, "books", books, KEPT_OF_BOOK, gone)
    links = db.exec(select(ShareLink.id).where(col(ShareLink.book_id).in_(books))).all()
    _purge_children(db, "share_links", links, frozenset(), gone)
    purge(db, _table("applications"), _table("applications").c.id.in_(set(own) - kept), gone)
    with_version = db.exec(
        select(BookVersion.book_id).where(col(BookVersion.book_id).in_(books))
    ).all()
    bare = set(books) - set(with_version)
    purge(db, _table("books"), _table("books").c.id.in_(bare), gone)
    _blank(db, user, now=now)
    if not kept:
        purge(
            db,
            _table("vaccination_records"),
            _table("vaccination_records").c.holder_id == user.id,
            gone,
        )
        forget_key(user)
    db.add(user)
    db.flush()
    newest = max(signed.values(), default=day_of(now)) if kept else None
    return gone, newest


def forget_key(user: User) -> None:
    """Put a key that nothing was sealed under in the place of the person's: nothing opens again."""
    _, user.key_sealed = vault.new_key(user.uid)


def files_of(db: Session, user_id: int) -> list[str]:
    """Return the files that medical records of the person still name."""
    attachments, examinations = _table("examination_attachments"), _table("examinations")
    applications = _table("applications")
    rows = db.execute(
        sa.select(attachments.c.blob, attachments.c.preview_blob)
        .join(examinations, examinations.c.id == attachments.c.examination_id)
        .join(applications, applications.c.id == examinations.c.application_id)
        .where(applications.c.holder_id == user_id)
    ).all()
    return [name for row in rows for name in row]


def asked_of(db: Session, user_id: int) -> Erasure | None:
    """Return the wish that waits, if there is one."""
    return db.exec(
        select(Erasure).where(Erasure.user_id == user_id, Erasure.state == ErasureState.ASKED)
    ).first()


def is_erased(db: Session, user_id: int) -> bool:
    """Whether the person was destroyed already."""
    found = select(Erasure.id).where(Erasure.user_id == user_id, Erasure.state == ErasureState.DONE)
    return db.exec(found).first() is not None


def due(db: Session, now: datetime) -> Sequence[int]:
    """Return the wishes whose time has come."""
    return db.exec(
        select(Erasure.id)
        .where(Erasure.state == ErasureState.ASKED, Erasure.due_at <= now)
        .order_by(col(Erasure.id))
    ).all()


def with_ended_term(db: Session, today: date) -> Sequence[int]:
    """Return the wishes that were done, and whose medical records need not be kept any more."""
    return db.exec(
        select(Erasure.id).where(
            Erasure.state == ErasureState.DONE,
            col(Erasure.kept_until) < today,
            col(Erasure.key_destroyed_at).is_(None),
        )
    ).all()


def listed(db: Session, limit: int) -> Sequence[tuple[Erasure, str]]:
    """Return the last wishes with the pseudonyms of their persons, newest first."""
    return db.exec(
        select(Erasure, User.uid)
        .join(User, col(User.id) == Erasure.user_id)
        .order_by(col(Erasure.id).desc())
        .limit(limit)
    ).all()


def by_uid(db: Session, uid: str) -> User | None:
    """Return who has this pseudonym."""
    return db.exec(select(User).where(User.uid == uid)).first()


def by_login(db: Session, blind: str) -> User | None:
    """Return who signs in by this."""
    return db.exec(
        select(User).join(Login, col(Login.user_id) == User.id).where(Login.blind == blind)
    ).first()


def names_of(db: Session, user_id: int) -> tuple[list[str], list[str]]:
    """Return the numbers of the person's applications and books."""
    applications = select(Application.tracking_number).where(Application.holder_id == user_id)
    books = select(MedicalBook.number).where(MedicalBook.holder_id == user_id)
    return sorted(db.exec(applications)), sorted(db.exec(books))


def _signed_days(db: Session, user_id: int) -> dict[int, date]:
    """Return the applications with a signed conclusion, and the day of the newest."""
    rows = db.exec(
        select(Application.id, sa.func.max(SignedConclusion.signed_at))
        .join(Examination, col(Examination.application_id) == Application.id)
        .join(SignedConclusion, col(SignedConclusion.examination_id) == Examination.id)
        .where(Application.holder_id == user_id)
        .group_by(col(Application.id))
    ).all()
    return {application_id: day_of(at) for application_id, at in rows}


def _with_versions(db: Session, user_id: int) -> set[int]:
    rows = db.exec(
        select(BookVersion.application_id)
        .join(Application, col(Application.id) == BookVersion.application_id)
        .where(Application.holder_id == user_id)
    ).all()
    return {each for each in rows if each is not None}


def _blank(db: Session, user: User, *, now: datetime) -> None:
    """Empty what stands of the rows that stay."""
    for name, column in User.__table__.columns.items():  # pyright: ignore[reportAttributeAccessIssue]
        if name.endswith("_sealed") and column.nullable:
            setattr(user, name, None)
    user.password_hash = ""
    user.totp_confirmed_at = user.totp_used_at = user.totp_counter = user.password_set_at = None
    user.disabled_at = user.disabled_at or now
    own = sa.select(col(Application.id)).where(col(Application.holder_id) == user.id)
    examined = sa.select(col(Examination.id)).where(col(Examination.application_id).in_(own))
    books = sa.select(col(MedicalBook.id)).where(col(MedicalBook.holder_id) == user.id)
    statements: list[sa.Update] = [
        sa.update(Application)
        .where(col(Application.holder_id) == user.id)
        .values(note_sealed=None, snils_blind=None, clarify_fields=None, step=None),
        sa.update(StatusChange)
        .where(col(StatusChange.application_id).in_(own))
        .values(note_sealed=None),
        sa.update(MedicalBook)
        .where(
            col(MedicalBook.holder_id) == user.id,
            col(MedicalBook.status) != BookStatus.REVOKED,
        )
        .values(status=BookStatus.REVOKED, revoked_at=now),
        sa.update(MedicalBook)
        .where(col(MedicalBook.holder_id) == user.id)
        .values(reason_sealed=None),
        sa.update(ShareLink)
        .where(col(ShareLink.book_id).in_(books), col(ShareLink.revoked_at).is_(None))
        .values(revoked_at=now),
        sa.update(ShareLink)
        .where(col(ShareLink.book_id).in_(books))
        .values(label="", code_sealed=b""),
        sa.update(ReceivedDocument)
        .where(col(ReceivedDocument.holder_id) == user.id)
        .values(document_sealed=None, snils_blind=None),
        sa.update(Shipment)
        .where(col(Shipment.examination_id).in_(examined))
        .values(document_sealed=None),
    ]
    for statement in statements:
        db.execute(statement)


def _purge_children(
    db: Session, name: str, ids: Collection[int], kept: frozenset[str], gone: Gone
) -> None:
    """Purge what hangs on rows that stay, but for the tables named."""
    if not ids:
        return
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in kept | KEPT_OF_PERSON:
            for column in table.columns:
                if _leads_to(column, name):
                    purge(db, table, column.in_(ids), gone)


def purge(db: Session, table: sa.Table, which: sa.ColumnElement[bool], gone: Gone) -> None:
    """Delete rows, after all that can't be without them; note the files they name."""
    key = table.c.get("id")
    if key is not None:
        ids = db.execute(sa.select(key).where(which)).scalars().all()
        if not ids:
            return
        which = key.in_(ids)
        for other in SQLModel.metadata.sorted_tables:
            for column in other.columns:
                if not _leads_to(column, table.name):
                    continue
                if column.nullable:
                    db.execute(sa.update(other).where(column.in_(ids)).values({column.name: None}))
                else:
                    purge(db, other, column.in_(ids), gone)
    files = [table.c[name] for name in ("blob", "preview_blob") if name in table.c]
    if files:
        gone.blobs += [name for row in db.execute(sa.select(*files).where(which)) for name in row]
    done: Any = db.execute(sa.delete(table).where(which))
    if done.rowcount:
        gone.rows[table.name] += done.rowcount


def _leads_to(column: sa.Column[Any], name: str) -> bool:
    return any(key.column.table.name == name for key in column.foreign_keys)


def _table(name: str) -> sa.Table:
    return SQLModel.metadata.tables[name]
