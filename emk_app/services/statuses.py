"""What is published of the links that are over before their codes are (docs/decisions/0021)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.crypto import statuslist
from emk_app.crypto.signing import KeyUse
from emk_app.crypto.statuslist import TokenStatus
from emk_app.db.engine import reading
from emk_app.db.tables.books import MedicalBook, ShareLink
from emk_app.domain.books import BookStatus
from emk_app.keys import keystore, signer
from emk_app.settings import settings

PATH: Final = "/.well-known/emk/status"
FRESH: Final = timedelta(seconds=10)
"""How long the list is not looked up again, whoever asks."""
PREFIX: Final = 6
"""Hex digits of a link's digest that are its place in the list."""


@dataclass(frozen=True, slots=True)
class _Made:
    body: bytes
    digest: bytes
    version: int
    signed_at: datetime
    looked_at: datetime


_made: _Made | None = None
_making: Final = threading.Lock()


def published(*, now: datetime) -> bytes:
    """Return the signed list, not older than ten seconds; one process makes it once in that time.

    While nothing changes the same list is given for five minutes, so that nobody loads it again.
    """
    global _made
    held = _made
    if held is not None and timedelta() <= now - held.looked_at < FRESH:
        return held.body
    with _making:
        held = _made
        if held is not None and timedelta() <= now - held.looked_at < FRESH:
            return held.body
        _made = _make(held, now)
        return _made.body


def is_taken(db: Session, digest: str, *, now: datetime) -> bool:
    """Say whether a living link has the place of this digest already."""
    place = digest[:PREFIX]
    return (
        db.exec(
            select(ShareLink.id)
            .where(
                col(ShareLink.digest) >= place,
                col(ShareLink.digest) < f"{place}g",
                col(ShareLink.expires_at) > now,
            )
            .limit(1)
        ).first()
        is not None
    )


def _make(held: _Made | None, now: datetime) -> _Made:
    packed = statuslist.pack(_marked(_over(now)))
    store = keystore()
    digest = hashlib.sha256(packed).digest()
    is_same = held is not None and (held.digest, held.version) == (digest, store.version)
    if held is not None and is_same and timedelta() <= now - held.signed_at < statuslist.TTL:
        return _Made(held.body, digest, held.version, held.signed_at, now)
    body = statuslist.publish(signer(KeyUse.LIST), settings().origin + PATH, packed, now)
    return _Made(body, digest, store.version, now, now)


def _over(now: datetime) -> Iterable[tuple[str, bool, BookStatus]]:
    """Return the digests of links that are over before their codes, and why."""
    is_closed = sa.or_(
        col(ShareLink.revoked_at).is_not(None), col(ShareLink.looks) >= col(ShareLink.max_looks)
    )
    with reading() as db:
        return (
            db.connection()
            .execute(
                sa.select(
                    col(ShareLink.digest),
                    sa.func.coalesce(is_closed, False),
                    col(MedicalBook.status),
                )
                .join(MedicalBook, col(MedicalBook.id) == col(ShareLink.book_id))
                .where(
                    col(ShareLink.expires_at) > now,
                    sa.or_(
                        is_closed,
                        col(MedicalBook.status).in_([BookStatus.SUSPENDED, BookStatus.REVOKED]),
                        col(ShareLink.version) != col(MedicalBook.current_version),
                    ),
                )
            )
            .all()
        )  # pyright: ignore[reportReturnType]


def _marked(over: Iterable[tuple[str, bool, BookStatus]]) -> dict[int, int]:
    marked: dict[int, int] = {}
    for digest, is_closed, status in over:
        if is_closed or status is BookStatus.REVOKED:
            found = TokenStatus.INVALID
        elif status is BookStatus.SUSPENDED:
            found = TokenStatus.SUSPENDED
        else:
            found = TokenStatus.SUPERSEDED
        marked[int(digest[:PREFIX], 16)] = found
    return marked
