"""A version of the holder's own book as a file for other programs; each is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from emk_app.crypto import downloads
from emk_app.crypto.downloads import Download
from emk_app.crypto.signing import DetachedSignature, KeyUse
from emk_app.db import vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.books import BookNotShareable, BookNumber, Verdict
from emk_app.exchange import book_fhir
from emk_app.keys import signer
from emk_app.services import auditing, issuing
from emk_app.services.verifying import witness_of


class ExportFormat(StrEnum):
    """In what form a version leaves."""

    JSON = "json"
    FHIR = "fhir"


MEDIA_TYPES: Final = {
    ExportFormat.JSON: "application/json",
    ExportFormat.FHIR: "application/fhir+json",
}


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out."""

    number: BookNumber
    version: int
    form: ExportFormat
    content: bytes = field(repr=False)


def export(
    actor: Actor, book_id: int, version: int, form: ExportFormat, *, now: datetime
) -> Export:
    """Return one version of the holder's own book, earlier ones included.

    Raises ``NotFound``, and ``BookNotShareable`` with ``NOT_GENUINE`` for a version whose
    signature does not hold: what we can't prove we don't hand on.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        book = books.own(db, actor, book_id)
        row = books.version(db, book.id, version)
        content = made(book, row, vault.vault_for(db, book.holder_id), form, now=now)
        auditing.record(
            db,
            actor,
            "export_book",
            f"book:{book.id}:{row.version}",
            subject_id=book.holder_id,
            fields=form.value,
            now=now,
        )
    return Export(BookNumber.parse(book.number), row.version, form, content)


def made(
    book: MedicalBook, row: BookVersion, own: Vault, form: ExportFormat, *, now: datetime
) -> bytes:
    """Return a version as a file; raise ``BookNotShareable`` if its signature does not hold.

    Whose it may be, the caller knows.
    """
    witness = witness_of(book, row, own)
    content = issuing.content_of(witness)
    if content is None or witness.canonical is None:
        raise BookNotShareable(Verdict.NOT_GENUINE)
    signature = DetachedSignature.unpack(row.signature)
    if form is ExportFormat.FHIR:
        return book_fhir.write(content, witness.canonical, signature, row.signed_at)
    own_key = signer(KeyUse.BOOK)
    download = Download(
        document=witness.canonical,
        signature=signature,
        signed_at=_whole(row.signed_at),
        # As of a version: the clock of a demonstration may be behind its keys.
        exported_at=_whole(max(now, own_key.certificate.not_valid_before_utc)),
        current_version=book.current_version,
        status=book.status.value,
    )
    return downloads.write(download, own_key)


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
