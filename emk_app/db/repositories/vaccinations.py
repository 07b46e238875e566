"""Vaccination records of a person: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from emk_app.db.tables.examinations import VaccinationRecord
from emk_app.db.vault import Vault
from emk_app.domain.errors import NotFound
from emk_app.domain.vaccinations import Vaccination

DETAILS = ("vaccination_records", "details")


def of_holder(db: Session, holder_id: int) -> Sequence[VaccinationRecord]:
    """Return the records that stand, in the order of what they tell."""
    return db.exec(
        select(VaccinationRecord)
        .where(
            VaccinationRecord.holder_id == holder_id, col(VaccinationRecord.withdrawn_at).is_(None)
        )
        .order_by(col(VaccinationRecord.performed_on), col(VaccinationRecord.id))
    ).all()


def get(db: Session, holder_id: int, record_id: int) -> VaccinationRecord:
    """Return a standing record of this person; raise ``NotFound``."""
    found = db.get(VaccinationRecord, record_id)
    if found is None or found.holder_id != holder_id or found.withdrawn_at is not None:
        raise NotFound
    return found


def opened(found: VaccinationRecord, holder: Vault) -> Vaccination:
    """Return what the record tells."""
    said = holder.open_json(found.details_sealed, *DETAILS, found.id)
    return Vaccination(
        code=found.code,
        kind=found.kind,
        on=found.performed_on,
        dose=found.dose,
        vaccine=said["vaccine"],
        series=said["series"],
        until=found.until,
    )


def add(
    db: Session,
    holder_id: int,
    told: Vaccination,
    holder: Vault,
    *,
    clinic_id: int,
    by: int,
    now: datetime,
) -> VaccinationRecord:
    """Add a record."""
    made = VaccinationRecord(
        holder_id=holder_id,
        code=told.code,
        kind=told.kind,
        dose=told.dose,
        performed_on=told.on,
        until=told.until,
        details_sealed=b"",
        clinic_id=clinic_id,
        entered_by=by,
        entered_at=now,
    )
    db.add(made)
    db.flush()
    said = {"vaccine": told.vaccine, "series": told.series}
    made.details_sealed = holder.seal_json(said, *DETAILS, made.id)
    return made


def withdraw(db: Session, found: VaccinationRecord, *, by: int, now: datetime) -> None:
    """Take a record back; it is kept."""
    found.withdrawn_at, found.withdrawn_by = now, by
    db.add(found)
