"""Examinations, their entries and conclusions: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlmodel import Session, col, select

from emk_app.crypto import canonical
from emk_app.db import changes, vault
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import (
    Appeal,
    Examination,
    ExaminationEntry,
    ExaminationStatus,
    FurtherStudy,
    Reopening,
    SignedConclusion,
)
from emk_app.db.vault import Vault
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.errors import NotFound
from emk_app.domain.examinations import CorrectionReason, Details, Source, TestResult

VALUE = ("examination_entries", "value")
CONCLUSION = ("examinations", "conclusion")
SIGNED = ("signed_conclusions", "conclusion")
REPORT = ("signed_conclusions", "report")
DETAILS = ("examination_entries", "details")
FURTHER = ("further_studies", "name")


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
    reason: CorrectionReason | None = None,
    source: Source | None = None,
    details: Details | None = None,
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
        source=source,
        reason=reason,
        entered_by=by,
        entered_at=now,
        supersedes_id=replacing.id if replacing else None,
    )
    db.add(made)
    db.flush()
    made.value_sealed = holder.seal(result.value, *VALUE, made.id)
    if details is not None:
        made.details_sealed = holder.seal_json(asdict(details), *DETAILS, made.id)
    touch(db, examination)
    return made


def put_details(
    db: Session,
    examination: Examination,
    found: ExaminationEntry,
    details: Details,
    source: Source | None,
    holder: Vault,
) -> None:
    """Write how a standing entry came about."""
    found.details_sealed = holder.seal_json(asdict(details), *DETAILS, found.id)
    found.source = source
    db.add(found)
    touch(db, examination)


def details_of(found: ExaminationEntry, holder: Vault) -> Details:
    """Return how the entry came about, empty where nothing was said."""
    if found.details_sealed is None:
        return Details()
    return Details(**holder.open_json(found.details_sealed, *DETAILS, found.id))


def add_further(
    db: Session, examination: Examination, name: str, holder: Vault, *, by: int, now: datetime
) -> FurtherStudy:
    """Add a study beyond the programme."""
    made = FurtherStudy(
        examination_id=examination.id, name_sealed=b"", ordered_by=by, ordered_at=now
    )
    db.add(made)
    db.flush()
    made.name_sealed = holder.seal(name, *FURTHER, made.id)
    touch(db, examination)
    return made


def further_of(
    db: Session, examination_id: int, holder: Vault
) -> tuple[tuple[FurtherStudy, str], ...]:
    """Return the studies that were ordered and not cancelled, with their names, oldest first."""
    rows = db.exec(
        select(FurtherStudy)
        .where(
            FurtherStudy.examination_id == examination_id, col(FurtherStudy.cancelled_at).is_(None)
        )
        .order_by(col(FurtherStudy.id))
    ).all()
    return tuple((row, holder.open(row.name_sealed, *FURTHER, row.id)) for row in rows)


def cancel_further(
    db: Session, examination: Examination, found: FurtherStudy, *, now: datetime
) -> None:
    """Take an order back; it is kept."""
    found.cancelled_at = now
    db.add(found)
    touch(db, examination)


def sign(
    db: Session,
    examination: Examination,
    conclusion: Conclusion,
    holder: Vault,
    *,
    by: int,
    now: datetime,
    report: bytes | None = None,
) -> SignedConclusion:
    """Write the conclusion on the examination and into the list of all that were signed.

    ``report`` is the canonical form of everything that is signed.
    """
    said = {
        "restrictions": conclusion.restrictions,
        "until": conclusion.until.isoformat() if conclusion.until else "",
        "note": conclusion.note,
        "contraindications": conclusion.contraindications,
    }
    kept = SignedConclusion(
        examination_id=examination.id,
        fitness=conclusion.fitness,
        conclusion_sealed=b"",
        clinic_id=examination.clinic_id,
        signed_at=now,
        signed_by=by,
    )
    db.add(kept)
    db.flush()
    kept.conclusion_sealed = holder.seal_json(said, *SIGNED, kept.id)
    if report is not None:
        kept.report_sealed = holder.seal(report.decode(), *REPORT, kept.id)
        kept.report_hash = canonical.sha256(report).hex()
    examination.status = ExaminationStatus.SIGNED
    examination.fitness = conclusion.fitness
    examination.conclusion_sealed = holder.seal_json(said, *CONCLUSION, examination.id)
    examination.signed_at, examination.signed_by = now, by
    touch(db, examination)
    return kept


def reopen(
    db: Session,
    examination: Examination,
    why: Reopening,
    *,
    by: int,
    now: datetime,
    clinic_id: int | None = None,
) -> None:
    """Go on with a signed case, at another clinic where one is given; what was signed is kept.

    Identity has to be checked anew, unless only what was written is put right.
    """
    examination.status = ExaminationStatus.OPEN
    examination.fitness = examination.conclusion_sealed = None
    examination.signed_at = examination.signed_by = None
    examination.reopened_for = why
    if why is not Reopening.CORRECTION:
        examination.identity_checked_at = examination.identity_checked_by = None
        examination.opened_at, examination.opened_by = now, by
    if clinic_id is not None:
        examination.clinic_id = clinic_id
    touch(db, examination)


def signed_of(db: Session, examination_id: int) -> Sequence[SignedConclusion]:
    """Return every conclusion that was signed, oldest first."""
    return db.exec(
        select(SignedConclusion)
        .where(SignedConclusion.examination_id == examination_id)
        .order_by(col(SignedConclusion.id))
    ).all()


def contested_signer(db: Session, appeal: Appeal) -> int:
    """Return who signed the conclusion that is contested."""
    found = db.get(SignedConclusion, appeal.contested_id)
    assert found is not None
    return found.signed_by


def report_of(signed: SignedConclusion, holder: Vault) -> bytes | None:
    """Return the canonical bytes of everything that was signed; None before it was kept."""
    if signed.report_sealed is None:
        return None
    return holder.open(signed.report_sealed, *REPORT, signed.id).encode()


def conclusion_of(examination: Examination, holder: Vault) -> Conclusion | None:
    """Return the signed conclusion, or None while the examination is open."""
    if examination.fitness is None or examination.conclusion_sealed is None:
        return None
    said = holder.open_json(examination.conclusion_sealed, *CONCLUSION, examination.id)
    return _conclusion(examination.fitness, said)


def signed_conclusion_of(signed: SignedConclusion, holder: Vault) -> Conclusion:
    """Return what one of the signed conclusions says."""
    said = holder.open_json(signed.conclusion_sealed, *SIGNED, signed.id)
    return _conclusion(signed.fitness, said)


def _conclusion(fitness: Fitness, said: dict[str, str]) -> Conclusion:
    until = date.fromisoformat(said["until"]) if said["until"] else None
    return Conclusion(
        fitness, said["restrictions"], until, said["note"], said.get("contraindications", "")
    )


def vault_of(db: Session, application: Application) -> Vault:
    """Return the vault under whose key the case's values are sealed: the holder's."""
    return vault.vault_for(db, application.holder_id)
