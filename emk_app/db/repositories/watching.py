"""Who has seen or changed the records of one person, from the audit and the looks; read only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.applications import Application
from emk_app.db.tables.books import Look, MedicalBook, ShareLink
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import User
from emk_app.domain.actors import Position, Role
from emk_app.domain.watching import FROM_OUTSIDE, VIEWS

_LOOK = "look"

Staff = dict[int, tuple[Position | None, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list: an entry of the audit, or a look through a link."""

    entry: AuditEntry | None
    look: tuple[Look, ShareLink] | None


def count(db: Session, holder_id: int, since: datetime | None, *, only_views: bool) -> int:
    """Return how many lines the list has."""
    lines = _lines(holder_id, since, only_views=only_views).subquery()
    return db.scalar(sa.select(sa.func.count()).select_from(lines)) or 0


def page(
    db: Session,
    holder_id: int,
    since: datetime | None,
    *,
    only_views: bool,
    limit: int,
    offset: int,
) -> list[Line]:
    """Return some lines, newest first."""
    lines = _lines(holder_id, since, only_views=only_views).subquery()
    found = db.execute(
        sa.select(lines.c.source, lines.c.id)
        .order_by(lines.c.at.desc(), lines.c.source, lines.c.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    entries = _entries(db, [row.id for row in found if row.source != _LOOK])
    looks = _looks(db, [row.id for row in found if row.source == _LOOK])
    return [
        Line(None, looks[row.id]) if row.source == _LOOK else Line(entries[row.id], None)
        for row in found
    ]


def staff_of(db: Session, user_ids: Collection[int]) -> Staff:
    """Return each one's position, and the short name of the clinic; empty where there is none."""
    rows = db.exec(
        select(User.id, User.position, Clinic.short_name)
        .join(Clinic, col(Clinic.id) == User.clinic_id, isouter=True)
        .where(col(User.id).in_(user_ids))
    ).all()
    return {
        user_id: (Position(position) if position else None, clinic or "")
        for user_id, position, clinic in rows
    }


def numbers_of(db: Session, holder_id: int) -> dict[str, str]:
    """Return the numbers of the holder's applications by the audit's names for them."""
    rows = db.exec(
        select(Application.id, Application.tracking_number).where(
            Application.holder_id == holder_id
        )
    )
    return {f"application:{row_id}": number for row_id, number in rows}


def _lines(
    holder_id: int, since: datetime | None, *, only_views: bool
) -> sa.CompoundSelect[str, Any, Any]:
    entries = sa.select(
        sa.literal("audit").label("source"),
        col(AuditEntry.id).label("id"),
        col(AuditEntry.at).label("at"),
    ).where(
        col(AuditEntry.subject_id) == holder_id,
        sa.or_(
            sa.and_(
                col(AuditEntry.actor_id) != holder_id, col(AuditEntry.role) != Role.SYSTEM.value
            ),
            sa.and_(col(AuditEntry.actor_id).is_(None), col(AuditEntry.action).in_(FROM_OUTSIDE)),
        ),
    )
    looks = (
        sa.select(
            sa.literal(_LOOK).label("source"), col(Look.id).label("id"), col(Look.at).label("at")
        )
        .join(ShareLink, col(ShareLink.id) == col(Look.share_id))
        .join(MedicalBook, col(MedicalBook.id) == col(ShareLink.book_id))
        .where(col(MedicalBook.holder_id) == holder_id)
    )
    if since is not None:
        entries = entries.where(col(AuditEntry.at) >= since)
        looks = looks.where(col(Look.at) >= since)
    if only_views:
        entries = entries.where(col(AuditEntry.action).in_(VIEWS))
    return entries.union_all(looks)


def _entries(db: Session, ids: Sequence[int]) -> dict[int, AuditEntry]:
    return {row.id: row for row in db.exec(select(AuditEntry).where(col(AuditEntry.id).in_(ids)))}


def _looks(db: Session, ids: Sequence[int]) -> dict[int, tuple[Look, ShareLink]]:
    rows = db.exec(
        select(Look, ShareLink)
        .join(ShareLink, col(ShareLink.id) == Look.share_id)
        .where(col(Look.id).in_(ids))
    ).all()
    return {look.id: (look, link) for look, link in rows}
