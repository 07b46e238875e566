"""The link between an account and an identity of the provider, made by the second factor alone."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.federation import FederatedIdentity, Flight
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.errors import NotFound
from emk_app.domain.federation import Purpose
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, factors, notifying


def blind_of(issuer: str, subject: str) -> str:
    """Return the index under which an identity is kept."""
    return vault.blind("federated-identities", f"{issuer}\n{subject}")


def linked_at(actor: Actor) -> datetime | None:
    """Return since when the actor's account has an identity of the provider."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        found = of_user(db, actor.user_id)
    return found.linked_at if found else None


def of_user(db: Session, user_id: int) -> FederatedIdentity | None:
    """Return the identity that leads to the account."""
    return db.exec(select(FederatedIdentity).where(FederatedIdentity.user_id == user_id)).first()


def settle(db: Session, door: str, user: User, now: datetime) -> None:
    """Make the link that waited for the second factor just given at the door, or note its use."""
    waiting = db.exec(
        select(Flight).where(
            Flight.door == door,
            Flight.purpose == Purpose.SIGN_IN,
            Flight.user_id == user.id,
            col(Flight.blind).is_not(None),
            Flight.expires_at > now,
        )
    ).first()
    db.exec(delete(Flight).where(col(Flight.door) == door))
    if waiting is not None and waiting.blind is not None:
        link(db, factors.actor_of(user), user, waiting.blind, now)


def link(db: Session, actor: Actor, user: User, blind: str, now: datetime) -> bool:
    """Let the identity lead to the account; return False where it leads to another one.

    An identity that leads here already is only noted as used.
    """
    known = db.exec(select(FederatedIdentity).where(FederatedIdentity.blind == blind)).first()
    if known is not None:
        if known.user_id == user.id:
            known.used_at = now
            db.add(known)
        return known.user_id == user.id
    if of_user(db, user.id) is not None:
        return False
    db.add(FederatedIdentity(user_id=user.id, blind=blind, linked_at=now, used_at=now))
    _tell(db, actor, user, News.PROVIDER_LINKED, "link_provider", now)
    return True


def unlink(actor: Actor, *, now: datetime) -> None:
    """Let the provider's identity no longer lead to the actor's account.

    Raises ``FreshFactorNeeded``, and ``NotFound`` where none does.
    """
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = db.get(User, actor.user_id)
        gone = db.exec(
            delete(FederatedIdentity).where(col(FederatedIdentity.user_id) == actor.user_id)
        )
        if user is None or not gone.rowcount:
            raise NotFound
        _tell(db, actor, user, News.PROVIDER_UNLINKED, "unlink_provider", now)


def sweep(db: Session, *, now: datetime) -> None:
    """Forget those who never came back."""
    db.exec(sa.delete(Flight).where(col(Flight.expires_at) <= now))


def _tell(db: Session, actor: Actor, user: User, news: News, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, f"user:{user.id}", subject_id=user.id, now=now)
    occasion = f"{news}:{user.id}:{now.isoformat()}"
    notifying.tell(db, user, Notice(news, at=now), dedupe=occasion, now=now)
    changes.announce(db, factors.topic_of(user.id))
