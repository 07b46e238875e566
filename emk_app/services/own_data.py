"""A copy of everything the service knows of a person, as one archive (D54; docs/formats.md)."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from emk_app.crypto import sealing
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import belongings, books
from emk_app.db.tables.books import Extract, MedicalBook
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import User
from emk_app.db.tables.rights import DataExport
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.books import BookNotShareable
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, exporting, extracts, jobs, notifying, scans
from emk_app.services.exporting import ExportFormat
from emk_app.settings import settings
from emk_app.storage.blobs import BlobMissing

JOB: Final = "export_data"
SWEEP: Final = "sweep_exports"
FORMAT: Final = "emk-my-data/1"
KEPT: Final = timedelta(days=1)
"""How long the copy may be fetched."""
LARGEST: Final = 4 * 1024**3
_READ: Final = 1024 * 1024
_ENDINGS: Final = {"application/pdf": "pdf", "image/jpeg": "jpg"}
_PAPERS: Final = ("scans", "examination_attachments", "identity_changes", "support_files")


@dataclass(frozen=True, slots=True)
class Copy:
    """The actor's copy: being made, or ready."""

    asked_at: datetime
    ref: str
    """Empty while it is being made."""
    size: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Download:
    """The archive on its way out."""

    size: int
    pieces: Iterator[bytes]


def standing(actor: Actor, *, now: datetime) -> Copy | None:
    """Return the actor's copy, if there is one."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        row = _standing(db, actor.user_id)
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return Copy(row.asked_at, row.ref if row.made_at else "", row.size, row.expires_at)


def ask(actor: Actor, *, now: datetime) -> None:
    """Have a copy made; while one is being made or stands, nothing else happens.

    Raises ``FreshFactorNeeded``.
    """
    permit(actor, Role.HOLDER)
    permit_fresh(actor, now)
    try:
        with unit_of_work() as db:
            old = _standing(db, actor.user_id)
            if old is not None:
                if old.expires_at is None or old.expires_at > now:
                    return
                old.ended_at = now
                db.add(old)
                db.flush()
            row = DataExport(ref=secrets.token_hex(16), user_id=actor.user_id, asked_at=now)
            db.add(row)
            db.flush()
            jobs.enqueue(db, JOB, row.id, occasion="asked", now=now)
            changes.announce(db, f"holder:{actor.user_id}")
            auditing.record(
                db, actor, "ask_copy", f"copy:{row.id}", subject_id=actor.user_id, now=now
            )
    except IntegrityError:
        # The other press of the same button was faster.
        return


def drop(actor: Actor, *, now: datetime) -> None:
    """Destroy the copy before its time; nothing where there is none."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        row = _standing(db, actor.user_id)
        if row is None:
            return
        row.ended_at = now
        db.add(row)
        changes.announce(db, f"holder:{actor.user_id}")
        auditing.record(db, actor, "drop_copy", f"copy:{row.id}", subject_id=actor.user_id, now=now)
    _path(row.ref).unlink(missing_ok=True)


def open_copy(actor: Actor, ref: str, *, now: datetime) -> Download:
    """Return the archive, opened piece by piece while it is sent.

    Raises ``FreshFactorNeeded``, and ``NotFound`` for a copy that is not the actor's, not made yet,
    or gone.
    """
    permit(actor, Role.HOLDER)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        row = _standing(db, actor.user_id)
        if (
            row is None
            or row.ref != ref
            or row.expires_at is None
            or row.expires_at <= now
            or not _path(row.ref).exists()
        ):
            raise NotFound
        own = vault.vault_for(db, actor.user_id)
        auditing.record(
            db, actor, "fetch_copy", f"copy:{row.id}", subject_id=actor.user_id, now=now
        )
    return Download(row.size, _opened(_path(row.ref), own, row.ref))


def make(export_id: int, now: datetime) -> None:
    """Make the archive; done again after a crash, since nothing is said before it is whole."""
    with reading() as db:
        row = db.get(DataExport, export_id)
        if row is None or row.made_at is not None or row.ended_at is not None:
            return
        own = vault.vault_for(db, row.user_id)
        said = _said(db, row.user_id, own, now)
    place = _path(row.ref)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(place.name + ".unfinished")
    counted = _Counted(_archive(said, own, now))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in sealing.seal_stream(own.key, counted, _seal_place(row.ref), most=LARGEST):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(place)
    with unit_of_work() as db:
        standing = db.get(DataExport, export_id, with_for_update=True)
        if standing is None or standing.ended_at is not None:
            place.unlink(missing_ok=True)
            return
        standing.made_at, standing.size = now, counted.total
        standing.expires_at = now + KEPT
        db.add(standing)
        changes.announce(db, f"holder:{standing.user_id}")
        notifying.tell(
            db,
            db.get_one(User, standing.user_id),
            Notice(News.DATA_READY),
            dedupe=f"copy-ready:{export_id}",
            now=now,
        )


def sweep(_target_id: int, now: datetime) -> None:
    """Destroy copies that have run out, and files that no copy names."""
    with unit_of_work() as db:
        for row in db.exec(
            select(DataExport).where(
                col(DataExport.ended_at).is_(None), col(DataExport.expires_at) <= now
            )
        ):
            row.ended_at = now
            db.add(row)
            changes.announce(db, f"holder:{row.user_id}")
        known = set(db.exec(select(DataExport.ref).where(col(DataExport.ended_at).is_(None))))
    if _folder().exists():
        for path in _folder().iterdir():
            if path.name.removesuffix(".unfinished") not in known:
                path.unlink(missing_ok=True)


def _standing(db: Session, user_id: int) -> DataExport | None:
    return db.exec(
        select(DataExport).where(DataExport.user_id == user_id, col(DataExport.ended_at).is_(None))
    ).first()


def _said(db: Session, user_id: int, own: Vault, now: datetime) -> dict[str, Any]:
    """Return what ``data.json`` says."""
    return {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "tables": belongings.of(db, user_id, own),
        "journal": [
            {
                "at": entry.at.isoformat(),
                "by": "self" if entry.actor_id == user_id else entry.role,
                "action": entry.action,
                "target": entry.target,
                "fields": entry.fields,
            }
            for entry in db.exec(
                select(AuditEntry)
                .where(AuditEntry.subject_id == user_id)
                .order_by(col(AuditEntry.id))
            )
        ],
    }


def _archive(said: dict[str, Any], own: Vault, now: datetime) -> Iterator[bytes]:
    """Yield the ZIP piece by piece; of the files one at a time is in memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("data.json", json.dumps(said, ensure_ascii=False, indent=1))
        yield sink.take()
        for name, content in _files(said["tables"], own, now):
            made.writestr(name, content)
            yield sink.take()
    yield sink.take()


def _files(
    tables: dict[str, list[dict[str, Any]]], own: Vault, now: datetime
) -> Iterator[tuple[str, bytes]]:
    for table in _PAPERS:
        with reading() as db:
            rows = belongings.blobs_of(db, table, [row["id"] for row in tables.get(table, [])])
        for row in rows:
            # A file that is gone or spoilt does not keep the others from their owner.
            with suppress(BlobMissing, SealBroken):
                content = scans.blobs().open(row["blob"], own.key)
                ending = _ENDINGS.get(row["media_type"], "bin")
                yield f"files/{table}/{row['ref']}.{ending}", content
    for said in tables.get("book_versions", []):
        with reading() as db:
            book = db.get_one(MedicalBook, said["book_id"])
            version = books.version(db, book.id, said["version"])
        with suppress(BookNotShareable):
            content = exporting.made(book, version, own, ExportFormat.JSON, now=now)
            yield f"books/{book.number}-v{version.version}.json", content
    for said in tables.get("extracts", []):
        with reading() as db:
            extract = db.get_one(Extract, said["id"])
        with suppress(SealBroken):
            yield f"books/extract-{extract.id}.pdf", extracts.content_of(extract, own)


def _opened(path: Path, own: Vault, ref: str) -> Iterator[bytes]:
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(_READ), b"")
        yield from sealing.unseal_stream(own.key, pieces, _seal_place(ref), most=LARGEST)


def _seal_place(ref: str) -> str:
    return sealing.place("data_exports", "content", ref)


def _path(ref: str) -> Path:
    return _folder() / ref


def _folder() -> Path:
    return settings().data / "exports"


class _Sink:
    """A file that can only be written to: what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def write(self, content: bytes) -> int:
        self._pieces += content
        return len(content)

    def flush(self) -> None:
        """Do nothing: there is nothing behind."""

    def close(self) -> None:
        """Do nothing: there is nothing behind."""

    def take(self) -> bytes:
        """Return what has been written since the last call."""
        taken = bytes(self._pieces)
        self._pieces.clear()
        return taken


class _Counted:
    """Pieces that are counted as they pass."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.total = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.total += len(piece)
            yield piece
