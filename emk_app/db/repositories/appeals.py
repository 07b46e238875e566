"""Appeals: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Appeal
from emk_app.db.vault import Vault
from emk_app.domain.appeals import AppealStatus

REASON = ("appeals", "reason")


def of_application(db: Session, application_id: int) -> Appeal | None:
    """Return the application's appeal, if its holder has made one."""
    return db.exec(select(Appeal).where(Appeal.application_id == application_id)).first()


def waiting_at(db: Session, clinic_id: int) -> Sequence[tuple[Appeal, Application]]:
    """Return the appeals that wait for a commission of the clinic, oldest first."""
    return db.exec(
        select(Appeal, Application)
        .join(Application, col(Application.id) == Appeal.application_id)
        .where(Appeal.clinic_id == clinic_id, Appeal.status == AppealStatus.FILED)
        .order_by(col(Appeal.id))
    ).all()


def add(
    db: Session,
    application_id: int,
    contested_id: int,
    clinic_id: int,
    reason: str,
    holder: Vault,
    *,
    now: datetime,
) -> Appeal:
    """Add an appeal."""
    made = Appeal(
        application_id=application_id,
        contested_id=contested_id,
        clinic_id=clinic_id,
        status=AppealStatus.FILED,
        reason_sealed=b"",
        filed_at=now,
    )
    db.add(made)
    db.flush()
    made.reason_sealed = holder.seal(reason, *REASON, made.id)
    return made


def reason_of(found: Appeal, holder: Vault) -> str:
    """Return why the holder does not agree."""
    return holder.open(found.reason_sealed, *REASON, found.id)
