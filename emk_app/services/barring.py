"""Shutting people out: from the command line, and by two administrators (``entrusting``)."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from emk_app.crypto import passwords, tokens
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.people import Challenge, Doorstep, Passkey, RecoveryCode, User
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import News
from emk_app.services import accounts, auditing, factors


def bar(actor: Actor, login: str, *, now: datetime) -> int:
    """Let the person in no more and end their sessions at once; return how many were alive.

    A second time changes nothing. Raises ``NotFound``, and ``InvalidValue`` for what is no login.
    """
    permit(actor, Role.SYSTEM)
    with unit_of_work() as db:
        return shut_out(db, actor, _known(db, login), now)


def unbar(actor: Actor, login: str, *, now: datetime) -> None:
    """Let the person in again, by the factors they had; a second time changes nothing."""
    permit(actor, Role.SYSTEM)
    with unit_of_work() as db:
        let_in(db, actor, _known(db, login), now)


def end_sessions(actor: Actor, login: str, *, now: datetime) -> int:
    """End every session of the person at once; return how many were alive."""
    permit(actor, Role.SYSTEM)
    with unit_of_work() as db:
        return end_all(db, actor, _known(db, login), now)


def take_factors(actor: Actor, login: str, *, now: datetime) -> int:
    """Take every way to prove oneself from somebody who has lost them all; return sessions ended.

    For whoever has seen the person and their passport. The password goes too, so that only a link
    to a proved contact leads in again, and a new factor is added there. Every contact is told.
    """
    permit(actor, Role.SYSTEM)
    unknown = unknown_password()
    with unit_of_work() as db:
        return strip(db, actor, _known(db, login), unknown, now)


def unknown_password() -> str:
    """Return the hash of a password that nobody knows; made before a transaction: it takes long."""
    return passwords.hash_password(tokens.new_token())


def shut_out(db: Session, actor: Actor, user: User, now: datetime) -> int:
    """Do what ``bar`` does, as part of the caller's transaction."""
    if user.disabled_at is not None:
        return 0
    # First the sessions: those of the disabled are dead and would not be counted.
    ended = accounts.revoke_all(db, user.id, now)
    accounts.forget_resets(db, user.id)
    user.disabled_at = now
    db.add(user)
    _audit(db, actor, "bar", user, now)
    return ended


def let_in(db: Session, actor: Actor, user: User, now: datetime) -> None:
    """Do what ``unbar`` does, as part of the caller's transaction."""
    if user.disabled_at is not None:
        user.disabled_at = None
        db.add(user)
        _audit(db, actor, "unbar", user, now)


def end_all(db: Session, actor: Actor, user: User, now: datetime) -> int:
    """Do what ``end_sessions`` does, as part of the caller's transaction."""
    ended = accounts.revoke_all(db, user.id, now)
    _audit(db, actor, "end_sessions", user, now)
    return ended


def strip(db: Session, actor: Actor, user: User, unknown: str, now: datetime) -> int:
    """Do what ``take_factors`` does, as part of the caller's transaction."""
    ended = accounts.revoke_all(db, user.id, now)
    accounts.forget_resets(db, user.id)
    for table in (Passkey, RecoveryCode, Challenge, Doorstep):
        db.exec(delete(table).where(col(table.user_id) == user.id))
    user.password_hash = unknown
    user.totp_sealed = user.totp_next_sealed = None
    user.totp_confirmed_at = user.totp_used_at = user.totp_counter = None
    user.sms_proved_at, user.sms_off_at = None, now
    db.add(user)
    factors.told(db, user, News.FACTORS_TAKEN, "take_factors", now, actor=actor)
    return ended


def _known(db: Session, login: str) -> User:
    found = accounts.user_by_login(db, LoginName.parse(login))
    if found is None:
        raise NotFound
    return found


def _audit(db: Session, actor: Actor, action: str, user: User, now: datetime) -> None:
    auditing.record(db, actor, action, f"user:{user.id}", subject_id=user.id, now=now)
