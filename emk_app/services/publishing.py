"""«Новости и обновления»: written by administrators, read by everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final

from sqlmodel import Session

from emk_app.clock import MOSCOW
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import news
from emk_app.db.tables.news import NewsItem
from emk_app.domain import news as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.errors import NotFound
from emk_app.domain.news import EditedMeanwhile, Typed
from emk_app.services import auditing

TOPIC: Final = "news"
PER_PAGE: Final = 10
IN_FEED: Final = 30
LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item; ``published_at`` is None for a draft."""

    id: int
    slug: str
    title: str
    text: str
    published_at: datetime | None
    version: int
    changed_at: datetime


def page(number: int, *, now: datetime) -> tuple[list[ItemView], bool]:
    """Return what is out, newest first, of a page from 1, and whether there is another."""
    with reading() as db:
        found = news.published(db, now, limit=PER_PAGE + 1, skip=(number - 1) * PER_PAGE)
        return [_view(each) for each in found[:PER_PAGE]], len(found) > PER_PAGE


def feed(*, now: datetime) -> list[ItemView]:
    """Return the newest items."""
    with reading() as db:
        return [_view(each) for each in news.published(db, now, limit=IN_FEED)]


def read(slug: str, *, now: datetime) -> ItemView:
    """Return one item that is out; raise ``NotFound``, also for one that is not out yet."""
    with reading() as db:
        found = news.by_slug(db, slug)
        if found is None or found.published_at is None or found.published_at > now:
            raise NotFound
        return _view(found)


def desk(actor: Actor) -> list[ItemView]:
    """Return every item, drafts first."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        return [_view(each) for each in news.newest(db, LISTED)]


def write(actor: Actor, typed: Typed, *, now: datetime) -> int:
    """Keep a new item and return its identity; raise ``Invalid`` by the names of ``Typed``."""
    permit(actor, Role.ADMIN)
    said = rules.read_item(typed, published_at=None, now=now, zone=MOSCOW)
    with unit_of_work() as db:
        slug = rules.slug_of(said.title)
        taken = news.slugs_like(db, slug)
        row = NewsItem(
            slug=slug
            if slug not in taken
            else next(name for n in count(2) if (name := f"{slug}-{n}") not in taken),
            title=said.title,
            text=said.text,
            published_at=said.published_at,
            created_at=now,
            changed_at=now,
        )
        db.add(row)
        db.flush()
        _note(db, row, actor, "write_news", now)
        return row.id


def rewrite(actor: Actor, item_id: int, version: int, typed: Typed, *, now: datetime) -> None:
    """Change an item that was opened as ``version``.

    Raises ``NotFound``, ``EditedMeanwhile`` and ``Invalid`` by the names of ``Typed``.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = news.get(db, item_id)
        if row.version != version:
            raise EditedMeanwhile
        said = rules.read_item(typed, published_at=row.published_at, now=now, zone=MOSCOW)
        row.title, row.text, row.published_at = said.title, said.text, said.published_at
        row.version, row.changed_at = row.version + 1, now
        db.add(row)
        _note(db, row, actor, "rewrite_news", now)


def remove(actor: Actor, item_id: int, *, now: datetime) -> None:
    """Remove an item for good; raise ``NotFound``."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = news.get(db, item_id)
        _note(db, row, actor, "remove_news", now)
        db.delete(row)


def _note(db: Session, row: NewsItem, actor: Actor, action: str, now: datetime) -> None:
    changes.announce(db, TOPIC)
    auditing.record(db, actor, action, f"news:{row.id}", now=now)


def _view(row: NewsItem) -> ItemView:
    return ItemView(
        id=row.id,
        slug=row.slug,
        title=row.title,
        text=row.text,
        published_at=row.published_at,
        version=row.version,
        changed_at=row.changed_at,
    )
