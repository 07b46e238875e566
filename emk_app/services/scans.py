"""The holder's scans: taken in, shown to those who may see them, replaced, removed."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlmodel import Session

from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, attachments, identities, support
from emk_app.db.tables.applications import Application, Scan
from emk_app.domain import corrections
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import ApplicationStatus, TrackingNumber
from emk_app.domain.corrections import NotAsked
from emk_app.domain.documents import MediaType, ScanKind, ScanTooSmall, check_size
from emk_app.domain.errors import InvalidValue, NotFound
from emk_app.domain.fieldpolicy import HolderField, permit_sight
from emk_app.services import auditing, throttling
from emk_app.settings import settings
from emk_app.storage import antivirus, inspection
from emk_app.storage.blobs import Blobs, BlobStore
from emk_app.storage.inspection import Inspected

UPLOADS: Final = Rule(tries=60, window=timedelta(days=1), longest_block=timedelta(hours=1))
"""Files a holder may send in a day; an application with every paper takes eleven (D42)."""
NAME_LIMIT: Final = 80
SWEEP: Final = "sweep_scans"
"""The job of ``sweep``."""
_NAME: Final = ("scans", "name")
_EXTENSIONS: Final = {MediaType.PDF: ".pdf", MediaType.JPEG: ".jpg"}
_FOR_CLINICS: Final = frozenset(
    {
        ApplicationStatus.RECEIVED,
        ApplicationStatus.UNDER_REVIEW,
        ApplicationStatus.CLARIFICATION_REQUESTED,
        ApplicationStatus.APPROVED,
    }
)


@dataclass(frozen=True, slots=True)
class ScanView:
    """A scan as shown in a list."""

    ref: str
    kind: ScanKind
    name: str
    media_type: MediaType
    size: int
    pages: int
    is_colour: bool
    is_legible: bool
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class ScanFile:
    """A scan's bytes with what a browser must be told of them."""

    content: bytes
    media_type: MediaType
    name: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A scan copied for another application of the same holder, not yet in any."""

    of: Scan
    name: str
    blob: str
    preview_blob: str


def permit_upload(actor: Actor, number: str, kind: ScanKind, *, now: datetime) -> None:
    """Raise why this scan would not be taken, before a byte of it is read.

    Raises ``NotFound``, ``NotAsked``, ``TooManyAttempts``.
    """
    permit(actor, Role.HOLDER)
    throttling.spend((throttling.key_of("scans", str(actor.user_id)), UPLOADS), now=now)
    with reading() as db:
        _permit_change(_own(db, actor, number), kind)


def accept(
    actor: Actor, number: str, kind: ScanKind, content: bytes, name: str, *, now: datetime
) -> ScanView:
    """Check, rebuild and keep a scan in the place of the one before.

    Raises the refusals of ``domain.documents``, ``ScanCheckUnavailable``, and what
    ``permit_upload`` raises.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        _permit_change(_own(db, actor, number), kind)
        key = vault.vault_for(db, actor.user_id).key
    found, kept = take_in(kind, content, key)
    try:
        with unit_of_work() as db:
            application = applications.locked(db, _own(db, actor, number).id)
            _permit_change(application, kind)
            gone = _retire(db, application, [kind], now)
            scan = Scan(
                ref=secrets.token_hex(16),
                application_id=application.id,
                kind=kind,
                media_type=found.media_type,
                size=len(found.content),
                pages=found.pages,
                is_colour=found.is_colour,
                is_legible=not any(isinstance(each, ScanTooSmall) for each in found.warnings),
                blob=kept[0],
                preview_blob=kept[1],
                name_sealed=b"",
                uploaded_at=now,
            )
            holder = vault.vault_for(db, actor.user_id)
            scan.name_sealed = holder.seal(cleaned(name, found.media_type), *_NAME, scan.ref)
            db.add(scan)
            _stir(db, actor, application, "upload", kind, now)
            view = _view(scan, holder)
    except BaseException:
        forget(kept)
        raise
    forget(gone)
    return view


def take_in(
    kind: ScanKind, content: bytes, key: bytes, *, png: bool = False
) -> tuple[Inspected, tuple[str, str]]:
    """Check, rebuild and store a file and its preview under ``key``; return their names.

    Raises the refusals of ``domain.documents`` and ``ScanCheckUnavailable``.
    """
    check_size(kind, len(content))
    antivirus.require_clean(_scanner(), content)
    found = inspection.inspect(content, kind, png=png)
    return found, (blobs().put(found.content, key), blobs().put(found.preview, key))


def remove(actor: Actor, application_id: int, kind: ScanKind, *, now: datetime) -> None:
    """Remove the scan of this kind; it is no error if there is none."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        if application.holder_id != actor.user_id:
            raise NotFound
        _permit_change(application, kind)
        gone = _retire(db, application, [kind], now)
        if gone:
            _stir(db, actor, application, "remove", kind, now)
    forget(gone)


def file(actor: Actor, ref: str, *, now: datetime) -> ScanFile:
    """Return the scan for somebody who may see it; every look of staff is noted."""
    scan, holder = _seen(actor, ref, now)
    content = blobs().open(scan.blob, holder.key)
    return ScanFile(content, scan.media_type, holder.open(scan.name_sealed, *_NAME, scan.ref))


def preview(actor: Actor, ref: str, *, page: int = 1, now: datetime) -> bytes:
    """Return a page as a JPEG for somebody who may see the scan.

    Raises ``NotFound`` also for a page that is not there.
    """
    scan, holder = _seen(actor, ref, now)
    if not 1 <= page <= scan.pages:
        raise NotFound
    if page == 1:
        return blobs().open(scan.preview_blob, holder.key)
    return inspection.render(blobs().open(scan.blob, holder.key), page)


def views(db: Session, application: Application) -> tuple[ScanView, ...]:
    """Return the application's scans, in the order of their kinds."""
    holder = vault.vault_for(db, application.holder_id)
    order = list(ScanKind)
    found = [_view(scan, holder) for scan in applications.scans_of(db, application.id)]
    return tuple(sorted(found, key=lambda scan: order.index(scan.kind)))


def remove_all(db: Session, application: Application, now: datetime) -> tuple[str, ...]:
    """Remove every scan; return the files to ``forget`` after the commit."""
    return _retire(db, application, list(ScanKind), now)


def copies(actor: Actor, application_id: int, *, now: datetime) -> tuple[Copy, ...]:
    """Copy the files of the holder's own application, to be given to another with ``adopt``."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = applications.own(db, actor, application_id)
        holder = vault.vault_for(db, actor.user_id)
        scans = applications.scans_of(db, application.id)
    return tuple(
        Copy(
            scan,
            holder.open(scan.name_sealed, *_NAME, scan.ref),
            blobs().put(blobs().open(scan.blob, holder.key), holder.key),
            blobs().put(blobs().open(scan.preview_blob, holder.key), holder.key),
        )
        for scan in scans
        if scan.kind is not ScanKind.CLARIFICATION
    )


def adopt(
    db: Session,
    application: Application,
    copied: Iterable[Copy],
    now: datetime,
    *,
    without: Collection[ScanKind] = (),
) -> tuple[str, ...]:
    """Add the copies of kinds that the application lacks; return the files not needed.

    Kinds ``without`` which it is to begin are not added.
    """
    holder = vault.vault_for(db, application.holder_id)
    present = {scan.kind for scan in applications.scans_of(db, application.id)}
    unused: list[str] = []
    for copy in copied:
        if copy.of.kind in present or copy.of.kind in without:
            unused += [copy.blob, copy.preview_blob]
            continue
        ref = secrets.token_hex(16)
        values: dict[str, Any] = copy.of.model_dump(exclude={"id", "ref", "removed_at"}) | {
            "ref": ref,
            "application_id": application.id,
            "blob": copy.blob,
            "preview_blob": copy.preview_blob,
            "name_sealed": holder.seal(copy.name, *_NAME, ref),
            "uploaded_at": now,
        }
        db.add(Scan(**values))
    return tuple(unused)


def forget(names: Iterable[str]) -> None:
    """Delete files that no scan names any more; what is missed here, the daily sweep takes."""
    for name in names:
        blobs().delete(name)


def cleaned(name: str, media_type: MediaType) -> str:
    """Return a file's name without a path or marks that a file system or a header would stumble on,
    ending as its content asks.
    """
    last = name[-1000:].replace("\\", "/").rsplit("/", 1)[-1]
    line = "".join(
        each
        for each in unicodedata.normalize("NFC", last)
        if unicodedata.category(each)[0] != "C" and each not in '<>:"|?*'
    )
    stem = line.rsplit(".", 1)[0] if "." in line else line
    return (stem[:NAME_LIMIT].strip(". ") or "скан") + _EXTENSIONS[media_type]


def sweep(*, now: datetime) -> int:
    """Remove the files of a day ago that no scan, attachment, change of identity or ticket names:
    left by a rollback or a dead process.

    Done once a day, since it walks the whole folder; returns how many were removed.
    """
    with reading() as db:
        needed = (
            applications.blobs_in_use(db)
            | attachments.blobs_in_use(db)
            | identities.blobs_in_use(db)
            | support.blobs_in_use(db)
        )
    return blobs().sweep(needed, now - timedelta(days=1))


@cache
def blobs() -> Blobs:
    """Return where the files are."""
    return BlobStore(settings().data / "blobs")


@cache
def _scanner() -> antivirus.Scanner:
    return antivirus.scanner_at(settings().clamd)


def _own(db: Session, actor: Actor, number: str) -> Application:
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    application = applications.by_number(db, slug)
    if application.holder_id != actor.user_id:
        raise NotFound
    return application


def _permit_change(application: Application, kind: ScanKind) -> None:
    match application.status:
        case ApplicationStatus.DRAFT:
            return
        case ApplicationStatus.CLARIFICATION_REQUESTED:
            if kind not in corrections.read(application.clarify_fields).scans:
                raise NotAsked
        case _:
            raise NotAsked


def _retire(
    db: Session, application: Application, kinds: Sequence[ScanKind], now: datetime
) -> tuple[str, ...]:
    gone: list[str] = []
    for scan in applications.scans_of(db, application.id):
        if scan.kind in kinds:
            scan.removed_at = now
            db.add(scan)
            gone += [scan.blob, scan.preview_blob]
    return tuple(gone)


def _stir(
    db: Session, actor: Actor, application: Application, action: str, kind: ScanKind, now: datetime
) -> None:
    application.version += 1
    application.changed_at = now
    db.add(application)
    changes.announce(db, f"application:{application.id}", f"holder:{application.holder_id}")
    auditing.record(
        db,
        actor,
        action,
        f"application:{application.id}",
        subject_id=application.holder_id,
        fields=corrections.scan_control(kind),
        now=now,
    )


def _seen(actor: Actor, ref: str, now: datetime) -> tuple[Scan, vault.Vault]:
    """Return the scan and its owner's vault; a foreign scan does not exist for the actor (D21)."""
    permit(actor, Role.HOLDER, Role.OPERATOR, Role.CLINIC)
    permit_sight(actor, HolderField.SCANS)
    with reading() as db:
        scan = applications.scan(db, ref)
        application = applications.get(db, scan.application_id)
        if not _may_see(actor, application):
            raise NotFound
        holder = vault.vault_for(db, application.holder_id)
    if actor.role is not Role.HOLDER:
        with unit_of_work() as db:
            auditing.record(
                db,
                actor,
                "view",
                f"scan:{scan.id}",
                subject_id=application.holder_id,
                fields=corrections.scan_control(scan.kind),
                now=now,
            )
    return scan, holder


def _may_see(actor: Actor, application: Application) -> bool:
    match actor.role:
        case Role.HOLDER:
            return application.holder_id == actor.user_id
        case Role.OPERATOR:
            return (
                application.submitted_at is not None
                and application.status is not ApplicationStatus.WITHDRAWN
            )
        case Role.CLINIC:
            return (
                application.clinic_id is not None
                and application.clinic_id == actor.clinic_id
                and application.status in _FOR_CLINICS
            )
        case _:
            return False


def _view(scan: Scan, holder: vault.Vault) -> ScanView:
    return ScanView(
        ref=scan.ref,
        kind=scan.kind,
        name=holder.open(scan.name_sealed, *_NAME, scan.ref),
        media_type=scan.media_type,
        size=scan.size,
        pages=scan.pages,
        is_colour=scan.is_colour,
        is_legible=scan.is_legible,
        uploaded_at=scan.uploaded_at,
    )
