"""Extracts on paper: a version as a signed PDF, whose code is a link that the holder can close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session

from emk_app.crypto import cose, pades, qr, sealing, tokens
from emk_app.crypto.pades import PdfCheck
from emk_app.crypto.signing import KeyUse
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, consents
from emk_app.db.tables.books import Extract, MedicalBook, ShareLink
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.books import BookContent, BookNumber
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.sharing import LinkState, ShareScope
from emk_app.keys import keystore, signer
from emk_app.services import auditing, sharing, verifying
from emk_app.services.verifying import LookResult
from emk_app.settings import settings

CONTENT: Final = ("extracts", "content")


@dataclass(frozen=True, slots=True)
class Said:
    """What an extract says; ``code`` is what its QR code leads to."""

    content: BookContent
    version_hash: str
    signed_at: datetime
    code: str = field(repr=False)
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ExtractFile:
    """An extract on its way out."""

    number: BookNumber
    version: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about somebody's file, and what its code shows now.

    ``look`` is ``None`` for a file that is not ours, and for a code that leads nowhere.
    """

    file: PdfCheck
    look: LookResult | None
    checked_at: datetime

    @property
    def is_present(self) -> bool:
        """Whether the book stands today as the paper says."""
        return (
            self.look is not None
            and self.look.is_valid
            and self.file.extract is not None
            and self.look.version_hash == self.file.extract.version_hash
        )


def make(
    actor: Actor,
    book_id: int,
    *,
    label: str,
    printed: Callable[[Said], bytes],
    now: datetime,
) -> None:
    """Make the extract of the present version, unless there is one whose code still works.

    Its code is a link like any other, under ``label`` and open as long as the book. Raises
    ``NotFound``, ``BookNotShareable``, ``ConsentNeeded``, and ``ChangedMeanwhile`` where the book
    got another version while the extract was made. Not for the event loop.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        book = books.own(db, actor, book_id)
        if _standing(db, book, now) is not None:
            return
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        own = vault.vault_for(db, book.holder_id)
        version = books.version(db, book.id, book.current_version)
        content, verdict = sharing.shareable(db, book, version.version, own, now)
    share = tokens.new_share()
    link = ShareLink(
        book_id=book.id,
        version=version.version,
        digest=tokens.share_digest(share),
        code_sealed=own.seal(share, *books.CODE, tokens.share_digest(share)),
        scope=ShareScope.WITH_OCCUPATION,
        label=label,
        created_at=now,
        expires_at=sharing.end_of(content.valid_until),
    )
    book_key = signer(KeyUse.BOOK)
    claims = sharing.claims(link, share, content, version.version_hash, verdict)
    token = cose.issue_token(signer(KeyUse.QR), claims)
    made_at = max(now, book_key.certificate.not_valid_before_utc)
    bare = printed(
        Said(
            content=content,
            version_hash=version.version_hash,
            signed_at=version.signed_at,
            code=qr.share_url(settings().origin, share, token),
            made_at=made_at,
        )
    )
    signed = pades.sign_pdf(
        bare,
        book_key,
        pades.Extract(content.number.digits, content.version, version.version_hash, share, token),
        now=made_at,
        stamp_url=settings().stamp_url,
    )
    _keep(actor, book_id, own, link, signed, now=now)


def file(actor: Actor, book_id: int, *, now: datetime) -> ExtractFile:
    """Return the extract of the present version as it was made; raise ``NotFound`` before that."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        book = books.own(db, actor, book_id)
        found = _standing(db, book, now)
        if found is None:
            raise NotFound
        own = vault.vault_for(db, book.holder_id)
        auditing.record(
            db,
            actor,
            "download_extract",
            f"book:{book.id}:{found.version}",
            subject_id=book.holder_id,
            now=now,
        )
        content = content_of(found, own)
        return ExtractFile(BookNumber.parse(book.number), found.version, content)


def check(content: bytes, viewer: str, *, now: datetime) -> Found:
    """Say what a file is, and look through the code on it if it is ours; nothing of it is kept.

    The look is one like any other: the holder sees it, and a closed link shows nothing.
    """
    found = pades.check_pdf(content, keystore().trust_list)
    look = None
    if found.is_genuine and found.extract is not None:
        try:
            look = verifying.look(found.extract.share, viewer, now=now)
        except NotFound:
            look = None
    return Found(found, look, now)


def _keep(
    actor: Actor, book_id: int, own: Vault, link: ShareLink, signed: bytes, *, now: datetime
) -> None:
    with unit_of_work() as db:
        book = books.locked(db, book_id)
        # Held, so that no link slips past a consent that is being taken back.
        consents.hold(db, actor.user_id)
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        if book.current_version != link.version:
            raise ChangedMeanwhile
        sharing.shareable(db, book, link.version, own, now)
        if _standing(db, book, now) is not None:
            # Asked for twice at once: the first is given.
            return
        db.add(link)
        db.flush()
        db.add(
            Extract(
                book_id=book.id,
                version=link.version,
                link_id=link.id,
                content_sealed=sealing.seal(
                    own.key, signed, sealing.place(*CONTENT, book.id, link.id)
                ),
                made_at=now,
            )
        )
        books.tell(db, book)
        auditing.record(
            db,
            actor,
            "make_extract",
            f"book:{book.id}:{link.version}",
            subject_id=book.holder_id,
            now=now,
        )


def _standing(db: Session, book: MedicalBook, now: datetime) -> Extract | None:
    """Return the extract of the present version whose code works and whose signature holds."""
    found = books.newest_extract(db, book.id, book.current_version)
    if found is None:
        return None
    extract, link = found
    if sharing.state_of(link, now) is not LinkState.ALIVE:
        return None
    content = content_of(extract, vault.vault_for(db, book.holder_id))
    is_genuine = pades.check_pdf(content, keystore().trust_list).is_genuine
    return extract if is_genuine else None


def content_of(extract: Extract, own: Vault) -> bytes:
    """Return the PDF as it was made; raise ``SealBroken``."""
    place = sealing.place(*CONTENT, extract.book_id, extract.link_id)
    return sealing.unseal(own.key, extract.content_sealed, place)
