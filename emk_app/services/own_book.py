"""A holder's book with all that its page tells of it, read at one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.domain.actors import Actor, Role, permit
from emk_app.services import issuing, renewing, versioning
from emk_app.services.issuing import BookCard
from emk_app.services.renewing import Outlook
from emk_app.services.versioning import VersionView


@dataclass(frozen=True, slots=True)
class OwnBook:
    """The card, the term ahead, and every version, newest first."""

    card: BookCard
    outlook: Outlook
    versions: tuple[VersionView, ...]


def own_book(actor: Actor, *, now: datetime) -> OwnBook | None:
    """Return the holder's newest book as it stands now, or None before the first one.

    Each version is checked once: the card and the outlook take the current one from there.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        every = books.of_holder(db, actor.user_id)
        if not every:
            return None
        book, earlier = every[0], every[1:]
        own = vault.vault_for(db, book.holder_id)
        rows = books.versions(db, book.id)
        checked = versioning.checked(book, own, rows)
        at = [row.version for row in rows].index(book.current_version)
        version, content = rows[at], checked[at][1]
        return OwnBook(
            issuing.card_with(book, version, content, own, earlier=earlier, now=now),
            renewing.outlook_with(db, book, version, content, now=now),
            tuple(view for view, _ in checked),
        )
