"""Accounts as administrators look for them, and what is decided about them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import User
from emk_app.db.tables.staff import StaffOrder
from emk_app.domain.actors import Role
from emk_app.domain.errors import NotFound


def locked(db: Session, user_id: int) -> User:
    """Return the account, held until the end of the transaction; raise ``NotFound``."""
    user = db.exec(select(User).where(User.id == user_id).with_for_update()).first()
    if user is None:
        raise NotFound
    return user


def count(db: Session, roles: Collection[Role], clinic_id: int | None) -> int:
    """Return how many accounts have these roles."""
    return db.exec(select(sa.func.count(col(User.id))).where(*_those(roles, clinic_id))).one()


def listed(
    db: Session, roles: Collection[Role], clinic_id: int | None, *, offset: int, limit: int
) -> list[User]:
    """Return accounts of these roles: the open ones first, by role and clinic."""
    return list(
        db.exec(
            select(User)
            .where(*_those(roles, clinic_id))
            .order_by(
                col(User.disabled_at).is_not(None),
                col(User.role),
                col(User.clinic_id),
                col(User.id),
            )
            .offset(offset)
            .limit(limit)
        ).all()
    )


def open_administrators(db: Session) -> int:
    """Return how many administrators can sign in; theirs stay so until the transaction ends."""
    asked = select(User).where(User.role == Role.ADMIN, col(User.disabled_at).is_(None))
    return len(db.exec(asked.order_by(col(User.id)).with_for_update()).all())


def clinics_of(db: Session, ids: Collection[int]) -> dict[int, str]:
    """Return the short names of clinics."""
    rows = db.exec(select(Clinic.id, Clinic.short_name).where(col(Clinic.id).in_(ids))).all()
    return dict(rows)


def clinic_by(db: Session, text: str) -> int | None:
    """Return the one clinic of this OID or ОКПО; None where there is none, or are several."""
    said = "".join(text.split())
    if not said:
        return None
    rows = db.exec(
        select(Clinic.id)
        .where(
            sa.or_(col(Clinic.oid) == said, col(Clinic.okpo) == said),
            col(Clinic.deleted_on).is_(None),
        )
        .limit(2)
    ).all()
    return rows[0] if len(rows) == 1 else None


def order(db: Session, order_id: int) -> StaffOrder:
    """Return a decision, held until the end of the transaction; raise ``NotFound``."""
    found = db.exec(select(StaffOrder).where(StaffOrder.id == order_id).with_for_update()).first()
    if found is None:
        raise NotFound
    return found


def open_order_of(db: Session, user_id: int) -> StaffOrder | None:
    """Return what waits for an answer about the account."""
    return db.exec(
        select(StaffOrder).where(StaffOrder.user_id == user_id, col(StaffOrder.answer).is_(None))
    ).first()


def open_invitation(db: Session, blind: str) -> StaffOrder | None:
    """Return the invitation to this login that waits for an answer."""
    return db.exec(
        select(StaffOrder).where(StaffOrder.login_blind == blind, col(StaffOrder.answer).is_(None))
    ).first()


def waiting(db: Session, limit: int) -> list[StaffOrder]:
    """Return what waits for a second administrator, oldest first."""
    return list(
        db.exec(
            select(StaffOrder)
            .where(col(StaffOrder.answer).is_(None))
            .order_by(col(StaffOrder.id))
            .limit(limit)
        ).all()
    )


def about(db: Session, user_id: int, limit: int) -> list[StaffOrder]:
    """Return all decisions about the account, newest first."""
    return list(
        db.exec(
            select(StaffOrder)
            .where(StaffOrder.user_id == user_id)
            .order_by(col(StaffOrder.id).desc())
            .limit(limit)
        ).all()
    )


def late(db: Session, now: datetime) -> list[int]:
    """Return the decisions that nobody has answered in time."""
    return list(
        db.exec(
            select(StaffOrder.id).where(
                col(StaffOrder.answer).is_(None), col(StaffOrder.lapses_at) <= now
            )
        ).all()
    )


def _those(roles: Collection[Role], clinic_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    those = (col(User.role).in_(roles),)
    return those if clinic_id is None else (*those, col(User.clinic_id) == clinic_id)
