"""The versions of a book: listed for its holder, and compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.books import BookContent, BookNotShareable, Cause, Verdict
from emk_app.domain.differences import Difference, differences
from emk_app.services import issuing
from emk_app.services.verifying import witness_of


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version; ``cause`` is None in what was signed before versions said it."""

    number: int
    cause: Cause | None
    signed_at: datetime
    version_hash: str
    valid_until: date | None
    """None where the version is not genuine."""
    is_genuine: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the later of two versions says otherwise than the earlier."""

    old: VersionView
    new: VersionView
    differences: tuple[Difference, ...]


def versions(actor: Actor, book_id: int) -> tuple[VersionView, ...]:
    """Return every version of the holder's own book, newest first, each checked anew."""
    permit(actor, Role.HOLDER)
    return tuple(view for view, _ in _all(actor, book_id))


def compare(actor: Actor, book_id: int, one: int, other: int) -> Comparison:
    """Compare two versions, in whatever order they are named.

    Raises ``NotFound``, and ``BookNotShareable`` with ``NOT_GENUINE`` for one whose words are
    nobody's.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        books.own(db, actor, book_id)
        for each in (one, other):
            books.version(db, book_id, each)
    found = {view.number: (view, content) for view, content in _all(actor, book_id)}
    old, new = found[min(one, other)], found[max(one, other)]
    if old[1] is None or new[1] is None:
        raise BookNotShareable(Verdict.NOT_GENUINE)
    return Comparison(old[0], new[0], differences(old[1], new[1]))


def checked(
    book: MedicalBook, own: Vault, rows: Iterable[BookVersion]
) -> list[tuple[VersionView, BookContent | None]]:
    """Check versions of a book; return of each what is listed, and what it says if it is genuine.

    Whether anybody may see it, the caller knows.
    """
    found: list[tuple[VersionView, BookContent | None]] = []
    for row in rows:
        content = issuing.content_of(witness_of(book, row, own))
        view = VersionView(
            number=row.version,
            cause=content.cause if content else None,
            signed_at=row.signed_at,
            version_hash=row.version_hash,
            valid_until=content.valid_until if content else None,
            is_genuine=content is not None,
            is_current=row.version == book.current_version,
        )
        found.append((view, content))
    return found


def _all(actor: Actor, book_id: int) -> list[tuple[VersionView, BookContent | None]]:
    with reading() as db:
        book = books.own(db, actor, book_id)
        own = vault.vault_for(db, book.holder_id)
        rows = books.versions(db, book.id)
    return checked(book, own, rows)
