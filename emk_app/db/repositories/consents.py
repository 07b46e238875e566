"""Consents: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from emk_app.db.tables.applications import Application, CheckResult, StatusChange
from emk_app.db.tables.consents import Consent
from emk_app.db.tables.people import User
from emk_app.domain.consent import ConsentChannel


def hold(db: Session, holder_id: int) -> User:
    """Return the holder, whose consent nobody else gives or takes back until the commit."""
    return db.get_one(User, holder_id, with_for_update={"key_share": True})


def of_holder(db: Session, holder_id: int) -> Sequence[Consent]:
    """Return everything the holder has agreed to, newest first."""
    return db.exec(
        select(Consent).where(Consent.holder_id == holder_id).order_by(col(Consent.id).desc())
    ).all()


def standing(db: Session, holder_id: int) -> Sequence[Consent]:
    """Return what has not been taken back, oldest first."""
    return db.exec(
        select(Consent)
        .where(Consent.holder_id == holder_id, col(Consent.withdrawn_at).is_(None))
        .order_by(col(Consent.id))
    ).all()


def is_withdrawn(db: Session, holder_id: int) -> bool:
    """Whether the holder's last consent was taken back."""
    newest = db.exec(
        select(Consent)
        .where(Consent.holder_id == holder_id)
        .order_by(col(Consent.id).desc())
        .limit(1)
    ).first()
    return newest is not None and newest.withdrawn_at is not None


def add(
    db: Session,
    holder_id: int,
    version: str,
    channel: ConsentChannel,
    *,
    given_at: datetime,
    application_id: int | None = None,
) -> None:
    """Keep that the holder has agreed."""
    db.add(
        Consent(
            holder_id=holder_id,
            application_id=application_id,
            version=version,
            channel=channel,
            given_at=given_at,
        )
    )


def applications_of(db: Session, holder_id: int) -> Sequence[Application]:
    """Return all applications of the holder, held until the commit, always in one order."""
    return db.exec(
        select(Application)
        .where(Application.holder_id == holder_id)
        .order_by(col(Application.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def erase_words(db: Session, application_id: int) -> None:
    """Take away what the history and the checks quote of the form."""
    for line in db.exec(select(StatusChange).where(StatusChange.application_id == application_id)):
        line.note_sealed = None
        db.add(line)
    for check in db.exec(select(CheckResult).where(CheckResult.application_id == application_id)):
        check.evidence_sealed = None
        db.add(check)
