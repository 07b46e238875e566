"""All that the holder's own record says, opened in memory for one request and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from emk_app.clock import day_of
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import applications, attachments, books, examinations
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.books import BookContent
from emk_app.services import issuing
from emk_app.services.attaching import NAME
from emk_app.services.verifying import witness_of


@dataclass(frozen=True, slots=True, repr=False)
class FoundVersion:
    """One genuine version of one of the holder's books."""

    book_id: int
    is_newest_book: bool
    is_current: bool
    signed_at: datetime
    content: BookContent


@dataclass(frozen=True, slots=True, repr=False)
class FoundPaper:
    """A paper the clinic has added to one of the holder's examinations."""

    number: str
    """Of the application, as addresses have it."""
    kind: AttachmentKind
    name: str
    added_on: date


@dataclass(frozen=True, slots=True, repr=False)
class OwnRecord:
    """Everything that can be searched; versions newest first, papers too."""

    versions: tuple[FoundVersion, ...]
    papers: tuple[FoundPaper, ...]


def own_record(actor: Actor) -> OwnRecord:
    """Return what the holder's own books and papers say.

    Versions whose signature does not hold are left out: their words are nobody's.
    """
    permit(actor, Role.HOLDER)
    versions: list[FoundVersion] = []
    with reading() as db:
        own = vault.vault_for(db, actor.user_id)
        every = books.of_holder(db, actor.user_id)
        for book in every:
            for row in books.versions(db, book.id):
                content = issuing.content_of(witness_of(book, row, own))
                if content is None:
                    continue
                versions.append(
                    FoundVersion(
                        book_id=book.id,
                        is_newest_book=book is every[0],
                        is_current=row.version == book.current_version,
                        signed_at=row.signed_at,
                        content=content,
                    )
                )
        papers = _papers(db, actor, own)
    return OwnRecord(tuple(versions), papers)


def _papers(db: Session, actor: Actor, own: Vault) -> tuple[FoundPaper, ...]:
    found: list[FoundPaper] = []
    for application in applications.of_holder(db, actor.user_id):
        examination = examinations.of_application(db, application.id)
        if examination is None:
            continue
        found.extend(
            FoundPaper(
                number=application.tracking_number,
                kind=row.kind,
                name=own.open(row.name_sealed, *NAME, row.ref),
                added_on=day_of(row.added_at),
            )
            for row in reversed(attachments.of_examination(db, examination.id))
        )
    return tuple(found)
