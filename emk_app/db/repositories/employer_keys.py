"""Keys of employers' systems: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.tables.employers import EmployerKey, OrganisationMember
from emk_app.db.tables.people import User
from emk_app.domain.actors import Post
from emk_app.domain.errors import NotFound


def topic_of(organisation_id: int) -> str:
    """Return the topic of an organisation's keys."""
    return f"employer-keys:{organisation_id}"


def of_organisation(db: Session, organisation_id: int, limit: int) -> Sequence[EmployerKey]:
    """Return the keys of an organisation, newest first."""
    return db.exec(
        select(EmployerKey)
        .where(EmployerKey.organisation_id == organisation_id)
        .order_by(col(EmployerKey.id).desc())
        .limit(limit)
    ).all()


def live(db: Session, organisation_id: int, now: datetime) -> int:
    """Return how many keys of an organisation still open something."""
    return db.exec(
        select(sa.func.count())
        .select_from(EmployerKey)
        .where(
            EmployerKey.organisation_id == organisation_id,
            col(EmployerKey.revoked_at).is_(None),
            col(EmployerKey.expires_at) > now,
        )
    ).one()


def own(db: Session, organisation_id: int, key_id: int) -> EmployerKey:
    """Return a key of the organisation's own, held until the commit."""
    found = db.exec(
        select(EmployerKey)
        .where(EmployerKey.id == key_id, EmployerKey.organisation_id == organisation_id)
        .with_for_update()
    ).first()
    if found is None:
        raise NotFound
    return found


def by_digest(db: Session, digest: str) -> EmployerKey | None:
    """Return the key whose maker still owns the organisation's cabinet."""
    return db.exec(
        select(EmployerKey)
        .join(
            OrganisationMember,
            sa.and_(
                col(OrganisationMember.user_id) == col(EmployerKey.made_by),
                col(OrganisationMember.organisation_id) == col(EmployerKey.organisation_id),
            ),
        )
        .join(User, col(User.id) == col(EmployerKey.made_by))
        .where(
            EmployerKey.digest == digest,
            OrganisationMember.post == Post.OWNER,
            col(User.disabled_at).is_(None),
        )
    ).first()


def mark_used(db: Session, key_id: int, now: datetime, pause: timedelta) -> bool:
    """Note a use, unless one was noted lately; return whether this one was."""
    result = db.execute(
        sa.update(EmployerKey)
        .where(
            col(EmployerKey.id) == key_id,
            sa.or_(col(EmployerKey.used_at).is_(None), col(EmployerKey.used_at) <= now - pause),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(result, "rowcount", 0))
