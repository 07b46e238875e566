"""Wishes to undo a decision: every SELECT and INSERT; nothing here commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from emk_app.db import vault
from emk_app.db.tables.applications import Application, Reversal
from emk_app.domain.applications import ApplicationStatus

REASON = ("reversals", "reason")


def open_of(db: Session, application_id: int) -> Reversal | None:
    """Return the wish that nobody has answered."""
    return db.exec(
        select(Reversal).where(
            Reversal.application_id == application_id, col(Reversal.answer).is_(None)
        )
    ).first()


def of_application(db: Session, application_id: int) -> Sequence[Reversal]:
    """Return all wishes of an application, oldest first."""
    return db.exec(
        select(Reversal).where(Reversal.application_id == application_id).order_by(col(Reversal.id))
    ).all()


def add(db: Session, application: Application, reason: str, *, by: int, now: datetime) -> None:
    """Note the wish of one operator to undo the decision that stands."""
    wish = Reversal(
        application_id=application.id,
        decision=application.papers,
        reason_sealed=b"",
        asked_by=by,
        asked_at=now,
    )
    db.add(wish)
    db.flush()
    holder = vault.vault_for(db, application.holder_id)
    wish.reason_sealed = holder.seal(reason, *REASON, wish.id)


def reason_of(db: Session, application: Application, wish: Reversal) -> str:
    """Return why."""
    return vault.vault_for(db, application.holder_id).open(wish.reason_sealed, *REASON, wish.id)


def asked_of(db: Session, application_ids: Collection[int]) -> frozenset[int]:
    """Return those of the applications that have an open wish."""
    return frozenset(
        db.exec(
            select(Reversal.application_id).where(
                col(Reversal.application_id).in_(application_ids), col(Reversal.answer).is_(None)
            )
        ).all()
    )


def begun_since(db: Session, application: Application) -> list[ApplicationStatus]:
    """Return the statuses of what the same holder has begun after this application."""
    later = select(Application.status).where(
        Application.holder_id == application.holder_id, col(Application.id) > application.id
    )
    return [ApplicationStatus(status) for status in db.exec(later)]
