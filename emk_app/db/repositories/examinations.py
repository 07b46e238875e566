"""Examinations, their entries and conclusions: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from emk_app.db import changes, vault
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import (
    Examination,
    ExaminationEntry,
    ExaminationStatus,
    SignedConclusion,
)
from emk_app.db.vault import Vault
from emk_app.domain.clearance import Conclusion
from emk_app.domain.errors import NotFound
from emk_app.domain.examinations import TestResult

VALUE = ("examination_entries", "value")
CONCLUSION = ("examinations", "conclusion")
SIGNED = ("signed_conclusions", "conclusion")


def of_application(db: Session, application_id: int) -> Examination | None:
    """Return the application's examination, once the clinic has opened it."""
    return db.exec(select(Examination).where(Examination.application_id == application_id)).first()


def at_clinic(db: Session, clinic_id: int, examination_id: int) -> tuple[Examination, Application]:
    """Return the clinic's own examination; a foreign one does not exist for it (D21)."""
    found = db.get(Examination, examination_id)
    if found is None or found.clinic_id != clinic_id:
        raise NotFound
    return found, applications.get(db, found.application_id)


def locked_at_clinic(
    db: Session, clinic_id: int, examination_id: int
) -> tuple[Examination, Application]:
    """Return the clinic's own examination as it now stands, held with its case until the commit.

    The application is the one lock of a case, so that entries, signature and the operator's
    decision follow each other.
    """
    found, _ = at_clinic(db, clinic_id, examination_id)
    application = applications.locked(db, found.application_id)
    db.refresh(found)
    return found, application


def begin(
    db: Session, application: Application, clinic_id: int, *, by: int, now: datetime
) -> Examination:
    """Add the examination of ``application``."""
    made = Examination(
        application_id=application.id,
        clinic_id=clinic_id,
        status=ExaminationStatus.OPEN,
        opened_at=now,
        opened_by=by,
    )
    db.add(made)
    db.flush()
    return made


def touch(db: Session, examination: Examination) -> None:
    """Count a change of what the case says, and tell those who look at it."""
    examination.version += 1
    db.add(examination)
    changes.announce(db, f"application:{examination.application_id}")


def standing(db: Session, examination_id: int) -> Sequence[ExaminationEntry]:
    """Return the entries that no correction has replaced, in the order they were made."""
    return db.exec(
        select(ExaminationEntry)
        .where(
            ExaminationEntry.examination_id == examination_id,
            col(ExaminationEntry.superseded_at).is_(None),
        )
        .order_by(col(ExaminationEntry.id))
    ).all()


def entry(db: Session, examination_id: int, entry_id: int) -> ExaminationEntry:
    """Return an entry of this examination, replaced or not; raise ``NotFound``."""
    found = db.get(ExaminationEntry, entry_id)
    if found is None or found.examination_id != examination_id:
        raise NotFound
    return found


def result_of(found: ExaminationEntry, holder: Vault) -> TestResult:
    """Return what the entry says."""
    value = holder.open(found.value_sealed, *VALUE, found.id)
    return TestResult(found.code, value, found.is_deviation, found.performed_on)


def results_of(db: Session, examination: Examination, holder: Vault) -> tuple[TestResult, ...]:
    """Return the results that stand."""
    return tuple(result_of(each, holder) for each in standing(db, examination.id))


def add_entry(
    db: Session,
    examination: Examination,
    result: TestResult,
    holder: Vault,
    *,
    by: int,
    now: datetime,
    replacing: ExaminationEntry | None = None,
) -> ExaminationEntry:
    """Add a standing entry; the one it corrects stands no longer."""
    if replacing is not None:
        replacing.superseded_at = now
        db.add(replacing)
        db.flush()  # one standing entry an item: the old one makes room first
    made = ExaminationEntry(
        examination_id=examination.id,
        code=result.code,
        value_sealed=b"",
        is_deviation=result.deviation,
        performed_on=result.performed_on,
        entered_by=by,
        entered_at=now,
        supersedes_id=replacing.id if replacing else None,
    )
    db.add(made)
    db.flush()
    made.value_sealed = holder.seal(result.value, *VALUE, made.id)
    touch(db, examination)
    return made


def sign(
    db: Session,
    examination: Examination,
    conclusion: Conclusion,
    holder: Vault,
    *,
    by: int,
    now: datetime,
) -> SignedConclusion:
    """Write the conclusion on the examination and into the list of all that were signed."""
    said = {
        "restrictions": conclusion.restrictions,
        "until": conclusion.until.isoformat() if conclusion.until else "",
        "note": conclusion.note,
    }
    kept = SignedConclusion(
        examination_id=examination.id,
        fitness=conclusion.fitness,
        conclusion_sealed=b"",
        signed_at=now,
        signed_by=by,
    )
    db.add(kept)
    db.flush()
    kept.conclusion_sealed = holder.seal_json(said, *SIGNED, kept.id)
    examination.status = ExaminationStatus.SIGNED
    examination.fitness = conclusion.fitness
    examination.conclusion_sealed = holder.seal_json(said, *CONCLUSION, examination.id)
    examination.signed_at, examination.signed_by = now, by
    touch(db, examination)
    return kept


def reopen(db: Session, examination: Examination, *, by: int, now: datetime) -> None:
    """Go on with a case after a conclusion that was only temporary; what was signed is kept."""
    examination.status = ExaminationStatus.OPEN
    examination.fitness = examination.conclusion_sealed = None
    examination.signed_at = examination.signed_by = None
    examination.identity_checked_at = examination.identity_checked_by = None
    examination.opened_at, examination.opened_by = now, by
    touch(db, examination)


def conclusion_of(examination: Examination, holder: Vault) -> Conclusion | None:
    """Return the signed conclusion, or None while the examination is open."""
    if examination.fitness is None or examination.conclusion_sealed is None:
        return None
    said = holder.open_json(examination.conclusion_sealed, *CONCLUSION, examination.id)
    until = date.fromisoformat(said["until"]) if said["until"] else None
    return Conclusion(examination.fitness, said["restrictions"], until, said["note"])


def vault_of(db: Session, application: Application) -> Vault:
    """Return the vault under whose key the case's values are sealed: the holder's."""
    return vault.vault_for(db, application.holder_id)
