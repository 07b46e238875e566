"""News: every SELECT; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.news import NewsItem
from emk_app.domain.errors import NotFound


def published(db: Session, now: datetime, *, limit: int, skip: int = 0) -> Sequence[NewsItem]:
    """Return what everybody may read, newest first."""
    return db.exec(
        select(NewsItem)
        .where(col(NewsItem.published_at) <= now)
        .order_by(col(NewsItem.published_at).desc(), col(NewsItem.id).desc())
        .limit(limit)
        .offset(skip)
    ).all()


def by_slug(db: Session, slug: str) -> NewsItem | None:
    """Return the item of this name, drafts included."""
    return db.exec(select(NewsItem).where(NewsItem.slug == slug)).first()


def newest(db: Session, limit: int) -> Sequence[NewsItem]:
    """Return drafts first, then what is out or will be, the latest first."""
    return db.exec(
        select(NewsItem)
        .order_by(
            col(NewsItem.published_at).is_not(None),
            col(NewsItem.published_at).desc(),
            col(NewsItem.id).desc(),
        )
        .limit(limit)
    ).all()


def get(db: Session, item_id: int) -> NewsItem:
    """Return one item, held for a change; raise ``NotFound``."""
    found = db.exec(select(NewsItem).where(NewsItem.id == item_id).with_for_update()).first()
    if found is None:
        raise NotFound
    return found


def slugs_like(db: Session, slug: str) -> set[str]:
    """Return the names that are this one, or this one with a number."""
    found = db.exec(
        select(NewsItem.slug).where(
            sa.or_(
                col(NewsItem.slug) == slug,
                col(NewsItem.slug).startswith(f"{slug}-", autoescape=True),
            )
        )
    ).all()
    return set(found)
