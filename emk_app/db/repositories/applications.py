"""Applications, their history and scans: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import changes, vault
from emk_app.db.repositories import visits
from emk_app.db.tables.applications import (
    Application,
    CheckResult,
    ESignature,
    Scan,
    StatusChange,
    TrackingSequence,
)
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import (
    FINAL,
    ApplicationStatus,
    ExaminationTrack,
    TrackingNumber,
)
from emk_app.domain.checks import CheckOutcome
from emk_app.domain.errors import ChangedMeanwhile, NotFound

FORM = ("applications", "form")
NOTE = ("applications", "note")


def get(db: Session, application_id: int) -> Application:
    """Return the application; raise ``NotFound``."""
    found = db.get(Application, application_id)
    if found is None:
        raise NotFound
    return found


def locked(db: Session, application_id: int) -> Application:
    """Return the application as it now stands, held until the commit; raise ``NotFound``."""
    found = db.get(Application, application_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def by_number(db: Session, tracking_number: str) -> Application:
    """Return the application of this number (the slug form); raise ``NotFound``."""
    found = db.exec(
        select(Application).where(Application.tracking_number == tracking_number)
    ).first()
    if found is None:
        raise NotFound
    return found


def own(db: Session, actor: Actor, application_id: int) -> Application:
    """Return the holder's own application; a foreign one does not exist for them (D21)."""
    found = get(db, application_id)
    if found.holder_id != actor.user_id:
        raise NotFound
    return found


def draft_of(db: Session, holder_id: int) -> Application | None:
    """Return the holder's draft, if there is one."""
    return db.exec(
        select(Application).where(
            Application.holder_id == holder_id, Application.status == ApplicationStatus.DRAFT
        )
    ).first()


def of_holder(db: Session, holder_id: int) -> Sequence[Application]:
    """Return the holder's applications, newest first."""
    return db.exec(
        select(Application)
        .where(Application.holder_id == holder_id)
        .order_by(col(Application.id).desc())
    ).all()


def of_snils(db: Session, blind: str) -> Sequence[Application]:
    """Return everybody's applications that were handed in with the СНИЛС of this blind index."""
    return db.exec(
        select(Application).where(Application.snils_blind == blind).order_by(col(Application.id))
    ).all()


def next_number(db: Session, year: int) -> TrackingNumber:
    """Return the next tracking number of ``year``; the row is locked until the commit."""
    row = db.get(TrackingSequence, year, with_for_update=True)
    if row is None:
        row = TrackingSequence(year=year, last=0)
    row.last += 1
    db.add(row)
    db.flush()
    return TrackingNumber(year, row.last)


def move(db: Session, application: Application, *, now: datetime, **values: Any) -> None:
    """Write ``values`` if nobody has changed the application since it was read (D34).

    What ends the wait for the clinic, or chooses another, gives a booked visit back. Raises
    ``ChangedMeanwhile`` for the one who came second.
    """
    seen = application.version
    if (
        values.get("status") in FINAL
        or values.get("examination") is ExaminationTrack.CONCLUDED
        or values.get("clinic_id", application.clinic_id) != application.clinic_id
    ):
        visits.release(db, application, now=now)
    result = db.exec(
        sa.update(Application)
        .where(col(Application.id) == application.id, col(Application.version) == seen)
        .values(version=seen + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        raise ChangedMeanwhile
    db.refresh(application)
    changes.announce(
        db,
        f"application:{application.id}",
        f"holder:{application.holder_id}",
        "queue",
        *([f"clinic:{application.clinic_id}"] if application.clinic_id else []),
    )


def write_history(
    db: Session,
    application: Application,
    event: str,
    *,
    by: Role,
    user_id: int | None,
    now: datetime,
    note: str = "",
) -> None:
    """Add a line to the application's history; ``event`` is a key of the catalogue."""
    change = StatusChange(
        application_id=application.id, event=event, by=by, user_id=user_id, at=now
    )
    db.add(change)
    if note:
        db.flush()
        holder = vault.vault_for(db, application.holder_id)
        change.note_sealed = holder.seal(note, "status_changes", "note", change.id)


def changes_of(db: Session, application_id: int) -> Sequence[StatusChange]:
    """Return the history without its notes, oldest first."""
    return db.exec(
        select(StatusChange)
        .where(StatusChange.application_id == application_id)
        .order_by(col(StatusChange.id))
    ).all()


def history(db: Session, application: Application) -> list[tuple[StatusChange, str]]:
    """Return the history with opened notes, oldest first."""
    holder = vault.vault_for(db, application.holder_id)
    rows = changes_of(db, application.id)
    return [
        (
            row,
            holder.open(row.note_sealed, "status_changes", "note", row.id)
            if row.note_sealed
            else "",
        )
        for row in rows
    ]


def form_of(db: Session, application: Application) -> dict[str, str]:
    """Return the fields as typed, by name; empty for a fresh draft."""
    if application.form_sealed is None:
        return {}
    holder = vault.vault_for(db, application.holder_id)
    return json.loads(holder.open(application.form_sealed, *FORM, application.id))


def seal_form(db: Session, application: Application, fields: Mapping[str, str]) -> bytes:
    """Return the sealed fields, to be written with ``move`` or on the row."""
    holder = vault.vault_for(db, application.holder_id)
    return holder.seal_json(dict(fields), *FORM, application.id)


def note_of(db: Session, application: Application) -> str:
    """Return the reason or the question the holder is to read; may be empty."""
    if application.note_sealed is None:
        return ""
    return vault.vault_for(db, application.holder_id).open(
        application.note_sealed, *NOTE, application.id
    )


def seal_note(db: Session, application: Application, note: str) -> bytes:
    """Return the sealed note, to be written with ``move``."""
    return vault.vault_for(db, application.holder_id).seal(note, *NOTE, application.id)


def scans_of(db: Session, application_id: int) -> Sequence[Scan]:
    """Return the scans that stand, oldest first."""
    return db.exec(
        select(Scan)
        .where(Scan.application_id == application_id, col(Scan.removed_at).is_(None))
        .order_by(col(Scan.id))
    ).all()


def scan(db: Session, ref: str) -> Scan:
    """Return the scan of this public name, if it stands; raise ``NotFound``."""
    found = db.exec(select(Scan).where(Scan.ref == ref, col(Scan.removed_at).is_(None))).first()
    if found is None:
        raise NotFound
    return found


def blobs_in_use(db: Session) -> frozenset[str]:
    """Return the names of all files that a standing scan needs."""
    rows = db.exec(select(Scan.blob, Scan.preview_blob).where(col(Scan.removed_at).is_(None))).all()
    return frozenset(name for pair in rows for name in pair)


def checks_of(db: Session, application_id: int) -> Sequence[CheckResult]:
    """Return what the automatic checks found."""
    return db.exec(
        select(CheckResult)
        .where(CheckResult.application_id == application_id)
        .order_by(col(CheckResult.id))
    ).all()


def esignature_of(db: Session, application_id: int) -> ESignature | None:
    """Return the holder's electronic signature, if there is one."""
    return db.exec(select(ESignature).where(ESignature.application_id == application_id)).first()


def unread_since(db: Session, moment: datetime) -> Sequence[int]:
    """Return the applications of which a check has been pending since before ``moment``."""
    return db.exec(
        select(CheckResult.application_id)
        .where(CheckResult.outcome == CheckOutcome.PENDING, col(CheckResult.checked_at) <= moment)
        .distinct()
        .order_by(col(CheckResult.application_id))
    ).all()
