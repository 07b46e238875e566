"""Papers a clinic adds to an examination: taken in, shown to clinic and holder, removed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app.crypto import canonical
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, attachments, desks, examinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Attachment, Examination, ExaminationStatus
from emk_app.db.vault import Vault
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Position, Role, permit, permit_position
from emk_app.domain.attachments import (
    AS,
    COUNT_LIMIT,
    AttachmentKind,
    AttachmentSigned,
    TooManyAttachments,
)
from emk_app.domain.documents import MediaType
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.fieldpolicy import HolderField, permit_sight
from emk_app.services import auditing, cases, scans, throttling
from emk_app.services.examining import ENTER
from emk_app.services.scans import ScanFile
from emk_app.storage import inspection

UPLOADS: Final = Rule(tries=300, window=timedelta(days=1), longest_block=timedelta(hours=1))
"""Files one of a clinic's staff may send in a day."""
NAME: Final = ("examination_attachments", "name")


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A paper as shown in a list."""

    id: int
    ref: str
    kind: AttachmentKind
    name: str
    media_type: MediaType
    size: int
    pages: int
    person: str
    added_at: datetime
    may_remove: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """The papers of one examination; ``may_add`` while it is open and identity was checked."""

    papers: tuple[AttachmentView, ...]
    may_add: bool


def permit_upload(actor: Actor, examination_id: int, *, now: datetime) -> None:
    """Raise why no paper would be taken, before a byte of it is read.

    Raises ``NotFound``, ``TooManyAttempts``, ``TooManyAttachments``, and what ``cases.enterable``
    raises.
    """
    clinic_id = permit_position(actor, *ENTER)
    throttling.spend((throttling.key_of("attachments", str(actor.user_id)), UPLOADS), now=now)
    with unit_of_work() as db:
        examination, _ = cases.enterable(db, clinic_id, examination_id)
        _check_room(db, examination)


def attach(
    actor: Actor,
    examination_id: int,
    kind: AttachmentKind,
    content: bytes,
    name: str,
    *,
    now: datetime,
) -> str:
    """Check, rebuild and keep a paper; return its public name.

    The same file again changes nothing. Raises the refusals of ``domain.documents``,
    ``ScanCheckUnavailable``, and what ``permit_upload`` raises.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        _check_room(db, examination)
        key = examinations.vault_of(db, application).key
    found, kept = scans.take_in(AS, content, key)
    digest = canonical.sha256(found.content).hex()
    try:
        with unit_of_work() as db:
            examination, application = cases.enterable(db, clinic_id, examination_id)
            known = {each.sha256: each for each in attachments.of_examination(db, examination.id)}
            if (same := known.get(digest)) is not None:
                ref = same.ref
            else:
                _check_room(db, examination)
                ref = secrets.token_hex(16)
                holder = examinations.vault_of(db, application)
                db.add(
                    Attachment(
                        ref=ref,
                        examination_id=examination.id,
                        kind=kind,
                        media_type=found.media_type,
                        size=len(found.content),
                        pages=found.pages,
                        sha256=digest,
                        blob=kept[0],
                        preview_blob=kept[1],
                        name_sealed=holder.seal(scans.cleaned(name, found.media_type), *NAME, ref),
                        clinic_id=clinic_id,
                        added_by=actor.user_id,
                        added_at=now,
                    )
                )
                _stir(db, actor, application, examination, "attach", kind, now)
    except BaseException:
        scans.forget(kept)
        raise
    if same is not None:
        scans.forget(kept)
    return ref


def remove(actor: Actor, examination_id: int, attachment_id: int, *, now: datetime) -> None:
    """Remove a paper and its files: who added it, or the chair of the same clinic.

    Raises ``NotFound``, ``NotPermitted`` for another's, ``AttachmentSigned`` for what stands under
    a conclusion, and what ``cases.enterable`` raises.
    """
    clinic_id = permit_position(actor, *ENTER)
    with unit_of_work() as db:
        examination, application = cases.enterable(db, clinic_id, examination_id)
        papers = {each.id: each for each in attachments.of_examination(db, examination.id)}
        if (found := papers.get(attachment_id)) is None:
            raise NotFound
        if not _is_own(actor, found):
            raise NotPermitted("another's paper")
        if found.added_at <= _last_signed(db, examination):
            raise AttachmentSigned
        found.removed_at, found.removed_by = now, actor.user_id
        db.add(found)
        _stir(db, actor, application, examination, "detach", found.kind, now)
        gone = (found.blob, found.preview_blob)
    scans.forget(gone)


def folder(actor: Actor, examination_id: int, *, now: datetime) -> Folder:
    """Return the papers of one examination of the actor's clinic; a registrar sees none.

    The look is noted by ``examining.view``, whose page this is a part of.
    """
    clinic_id = permit_position(actor, *ENTER)
    with reading() as db:
        examination, application = examinations.at_clinic(db, clinic_id, examination_id)
        may_add = (
            examination.status is ExaminationStatus.OPEN
            and examination.identity_checked_at is not None
            and cases.goes_on(examination, application)
        )
        signed = _last_signed(db, examination)
        rows = attachments.of_examination(db, examination.id)
        names = desks.names_of(db, [row.added_by for row in rows])
        holder = examinations.vault_of(db, application)
        papers = tuple(
            _view(
                row,
                holder,
                names.get(row.added_by, ""),
                may_remove=may_add and row.added_at > signed and _is_own(actor, row),
            )
            for row in rows
        )
    return Folder(papers, may_add=may_add and len(papers) < COUNT_LIMIT)


def papers_of(db: Session, examination: Examination, holder: Vault) -> tuple[AttachmentView, ...]:
    """Return the papers of an examination for its holder."""
    return views_of(attachments.of_examination(db, examination.id), holder)


def views_of(rows: Iterable[Attachment], holder: Vault) -> tuple[AttachmentView, ...]:
    """Return papers for somebody who only reads them."""
    return tuple(_view(row, holder, "", may_remove=False) for row in rows)


def file(actor: Actor, ref: str, *, now: datetime) -> ScanFile:
    """Return a paper for somebody who may see it; every look of staff is noted."""
    found, holder = _seen(actor, ref, now)
    content = scans.blobs().open(found.blob, holder.key)
    return ScanFile(content, found.media_type, holder.open(found.name_sealed, *NAME, found.ref))


def preview(actor: Actor, ref: str, *, page: int = 1, now: datetime) -> bytes:
    """Return a page as a JPEG for somebody who may see the paper.

    Raises ``NotFound`` also for a page that is not there.
    """
    found, holder = _seen(actor, ref, now)
    if not 1 <= page <= found.pages:
        raise NotFound
    if page == 1:
        return scans.blobs().open(found.preview_blob, holder.key)
    return inspection.render(scans.blobs().open(found.blob, holder.key), page)


def _seen(actor: Actor, ref: str, now: datetime) -> tuple[Attachment, Vault]:
    """Return the paper and its holder's vault; a foreign one does not exist for the actor (D21)."""
    permit(actor, Role.HOLDER, Role.CLINIC)
    if actor.role is Role.CLINIC:
        permit_position(actor, *ENTER)
    permit_sight(actor, HolderField.EXAMINATION_PAPERS)
    with reading() as db:
        found = attachments.by_ref(db, ref)
        examination = db.get(Examination, found.examination_id)
        assert examination is not None
        application = applications.get(db, examination.application_id)
        is_own = (
            application.holder_id == actor.user_id
            if actor.role is Role.HOLDER
            else examination.clinic_id == actor.clinic_id
        )
        if not is_own:
            raise NotFound
        holder = examinations.vault_of(db, application)
    if actor.role is Role.CLINIC:
        with unit_of_work() as db:
            auditing.record(
                db,
                actor,
                "view",
                f"attachment:{found.id}",
                subject_id=application.holder_id,
                fields=found.kind.value,
                now=now,
            )
    return found, holder


def _check_room(db: Session, examination: Examination) -> None:
    if len(attachments.of_examination(db, examination.id)) >= COUNT_LIMIT:
        raise TooManyAttachments(COUNT_LIMIT)


def _is_own(actor: Actor, found: Attachment) -> bool:
    is_chairs = actor.position is Position.CHAIR and found.clinic_id == actor.clinic_id
    return found.added_by == actor.user_id or is_chairs


def _last_signed(db: Session, examination: Examination) -> datetime:
    """Return when the case was last signed; before its beginning where it never was."""
    signed = examinations.signed_of(db, examination.id)
    return signed[-1].signed_at if signed else datetime.min.replace(tzinfo=UTC)


def _stir(
    db: Session,
    actor: Actor,
    application: Application,
    examination: Examination,
    action: str,
    kind: AttachmentKind,
    now: datetime,
) -> None:
    examinations.touch(db, examination)
    changes.announce(db, f"holder:{application.holder_id}")
    cases.audit(db, actor, application, examination, action, now, fields=kind.value)


def _view(row: Attachment, holder: Vault, person: str, *, may_remove: bool) -> AttachmentView:
    return AttachmentView(
        id=row.id,
        ref=row.ref,
        kind=row.kind,
        name=holder.open(row.name_sealed, *NAME, row.ref),
        media_type=row.media_type,
        size=row.size,
        pages=row.pages,
        person=person,
        added_at=row.added_at,
        may_remove=may_remove,
    )
