"""Signing anew what a withdrawn key had signed (docs/keys.md)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from emk_app import incidents
from emk_app.crypto.signing import DetachedSignature, KeyStatus, KeyUse
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.domain.actors import SYSTEM
from emk_app.domain.books import Cause
from emk_app.keys import keystore
from emk_app.services import auditing, issuing, jobs

log = logging.getLogger("emk.reissuing")

JOB: Final = "reissue_withdrawn"
BATCH: Final = 200


def run(*, clock: Callable[[], datetime]) -> int:
    """Give every book whose last word a withdrawn key has signed its next version; return how many.

    Safe to repeat: what is signed anew is not met again.
    """
    count = 0
    for batch in _batches():
        with unit_of_work() as db:
            jobs.hold(db, JOB, 0, now=clock())
        for book_id in batch:
            try:
                count += reissue(book_id, now=clock())
            except Exception as error:
                # What fails is noted and does not keep the others waiting.
                incidents.note(log, f"book {book_id} to be signed anew", error)
    return count


def reissue(book_id: int, *, now: datetime) -> bool:
    """Sign the book's words anew, if their key is withdrawn and nothing else speaks against them.

    Its links go on with the new version: it says the same.
    """
    with unit_of_work() as db:
        book = books.locked(db, book_id)
        own = vault.vault_for(db, book.holder_id)
        if issuing.remake(db, book, own, Cause.REISSUE, now=now) is None:
            return False
        auditing.record(
            db,
            SYSTEM,
            "reissue_book",
            f"book:{book.id}:{book.current_version}",
            subject_id=book.holder_id,
            now=now,
        )
    return True


def _batches() -> Iterator[list[int]]:
    """Yield the books whose current version a withdrawn key has signed, some at a time."""
    withdrawn = {
        key.key_id
        for key in keystore().trust_list.keys
        if key.use is KeyUse.BOOK and key.status is KeyStatus.COMPROMISED
    }
    newest = 0
    while withdrawn:
        with reading() as db:
            rows = db.exec(
                select(MedicalBook.id, BookVersion.signature)
                .join(
                    BookVersion,
                    (col(BookVersion.book_id) == MedicalBook.id)
                    & (col(BookVersion.version) == MedicalBook.current_version),
                )
                .where(MedicalBook.id > newest)
                .order_by(col(MedicalBook.id))
                .limit(BATCH)
            ).all()
        yield [book_id for book_id, signature in rows if _key_of(signature) in withdrawn]
        if len(rows) < BATCH:
            return
        newest = rows[-1][0]


def _key_of(signature: bytes) -> bytes | None:
    try:
        return DetachedSignature.unpack(signature).key_id
    except ValueError:
        return None
