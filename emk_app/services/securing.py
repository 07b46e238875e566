"""What guards one's own account: sessions, the password, each second factor."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, delete, select

from emk_app.crypto import passwords, totp
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import Passkey, RecoveryCode, User, UserSession
from emk_app.domain import accounts as rules
from emk_app.domain import recovery
from emk_app.domain.accounts import (
    NothingToReplace,
    WrongCode,
    WrongPresentPassword,
)
from emk_app.domain.actors import Actor, Role, permit_fresh
from emk_app.domain.errors import Invalid, NotFound
from emk_app.domain.factors import Proofs, SmsNotOffered, Way
from emk_app.domain.notices import News
from emk_app.services import accounts, auditing, factors, notifying, throttling
from emk_app.services.accounts import Enrolment
from emk_app.services.factors import Offer
from emk_app.services.throttling import key_of


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One live session of one's own."""

    id: int
    device: str
    began_at: datetime
    seen_at: datetime
    is_here: bool


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One key of one's own."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Guards:
    """What guards the account, and how lately each was used."""

    proofs: Proofs
    totp_since: datetime | None
    totp_used_at: datetime | None
    password_set_at: datetime | None
    codes_made_at: datetime | None
    codes_left: int
    phone: str
    """Where codes may go by SMS, masked; empty for those who can't have them."""
    keys: tuple[OwnKey, ...]
    """The eldest first."""
    sessions: tuple[OwnSession, ...]
    """The present one first, then by when they were last seen."""


def view(actor: Actor, *, now: datetime) -> Guards:
    """Return what guards the actor's own account."""
    with reading() as db:
        user = accounts.own_user(db, actor)
        proofs = factors.proofs_of(db, user)
        phone = factors.phone_of(user) if user.role is Role.HOLDER else None
        kept = db.exec(
            select(Passkey).where(Passkey.user_id == user.id).order_by(col(Passkey.id))
        ).all()
        codes = db.exec(select(RecoveryCode).where(RecoveryCode.user_id == user.id)).all()
        rows = db.exec(
            select(UserSession).where(
                UserSession.user_id == user.id,
                col(UserSession.revoked_at).is_(None),
                UserSession.expires_at > now,
            )
        ).all()
    own = vault.vault_of(user)
    sessions = [
        OwnSession(row.id, row.device, row.created_at, row.last_seen_at, row.id == actor.session_id)
        for row in rows
        if accounts.is_live(row, user, now)
    ]
    sessions.sort(key=lambda each: (each.is_here, each.seen_at, each.id), reverse=True)
    return Guards(
        proofs=proofs,
        totp_since=user.totp_confirmed_at,
        totp_used_at=user.totp_used_at,
        password_set_at=user.password_set_at,
        codes_made_at=max((code.made_at for code in codes), default=None),
        codes_left=sum(code.used_at is None for code in codes),
        phone=notifying.masked(phone) if phone else "",
        keys=tuple(
            OwnKey(
                key.id,
                own.open(key.name_sealed, "passkeys", "name", key.blind),
                key.created_at,
                key.used_at,
            )
            for key in kept
        ),
        sessions=tuple(sessions),
    )


def offer(actor: Actor) -> Offer:
    """Return how the actor may prove themselves again."""
    with reading() as db:
        return factors.offer_of(db, accounts.own_user(db, actor))


def send_code(actor: Actor, *, now: datetime) -> None:
    """Send the actor a code by SMS, good for a sensitive act in this session.

    Raises ``SmsNotOffered`` and ``TooManyAttempts``.
    """
    factors.send_code(factors.in_session(actor), now)


def remove_passkey(actor: Actor, key_id: int, *, now: datetime) -> None:
    """Take a key away; every other session ends.

    Raises ``FreshFactorNeeded``, ``NotFound`` for somebody else's, ``LastFactor``.
    """
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        key = db.exec(
            select(Passkey).where(Passkey.id == key_id, Passkey.user_id == user.id)
        ).first()
        if key is None:
            raise NotFound
        factors.proofs_of(db, user).check_loss(Way.PASSKEY)
        db.delete(key)
        _lost(db, actor, user, News.PASSKEY_REMOVED, "remove_passkey", now)


def remove_app(actor: Actor, *, now: datetime) -> None:
    """Do without the authenticator; every other session ends.

    Raises ``FreshFactorNeeded``, ``NotFound`` where there is none, ``LastFactor``.
    """
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        if user.totp_confirmed_at is None:
            raise NotFound
        factors.proofs_of(db, user).check_loss(Way.APP)
        user.totp_sealed, user.totp_next_sealed, user.totp_confirmed_at = None, None, None
        user.totp_used_at = None
        db.add(user)
        _lost(db, actor, user, News.FACTOR_REMOVED, "remove_factor", now)


def switch_sms(actor: Actor, *, is_on: bool, now: datetime) -> None:
    """Let codes go out by SMS, or not; where they no longer do, every other session ends.

    Raises ``FreshFactorNeeded``, ``SmsNotOffered`` without a proved telephone, ``LastFactor``.
    """
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        proofs = factors.proofs_of(db, user)
        if not replace(proofs, sms_off=False).offers_sms:
            raise SmsNotOffered
        if proofs.offers_sms is is_on:
            return
        if is_on:
            user.sms_off_at = None
            db.add(user)
            factors.told(db, user, News.SMS_ENROLLED, "allow_sms", now, actor=actor)
            return
        proofs.check_loss(Way.SMS)
        user.sms_off_at = now
        db.add(user)
        _lost(db, actor, user, News.SMS_REMOVED, "refuse_sms", now)


def end_session(actor: Actor, session_id: int, *, now: datetime) -> None:
    """End one of one's own sessions; its screens close at once.

    Raises ``NotFound`` for somebody else's. One that has ended already stays ended.
    """
    with unit_of_work() as db:
        row = db.exec(
            select(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == actor.user_id)
            .with_for_update()
        ).first()
        if row is None:
            raise NotFound
        if row.revoked_at is not None:
            return
        accounts.revoke(db, row, now)
        _note(db, actor, "end_session", f"session:{row.id}", now)


def end_others(actor: Actor, *, now: datetime) -> int:
    """End every session but this one; return how many were alive."""
    with unit_of_work() as db:
        ended = accounts.revoke_all(db, actor.user_id, now, but=actor.session_id)
        _note(db, actor, "end_other_sessions", f"user:{actor.user_id}", now)
    return ended


def change_password(
    actor: Actor, present: str, password: str, repeated: str, *, now: datetime
) -> None:
    """Put a new password in the place of the present one; every other session ends.

    Raises ``FreshFactorNeeded``, ``TooManyAttempts``, and ``Invalid`` with ``present``,
    ``password`` and ``repeated``.
    """
    permit_fresh(actor, now)
    key = key_of("password", str(actor.user_id))
    throttling.spend((key, rules.SIGN_IN_ACCOUNT), now=now)
    with reading() as db:
        user = accounts.own_user(db, actor)
        stored, told = user.password_hash, accounts.told_of(db, user)
    if not passwords.verify_password(present, stored).ok:
        raise Invalid({"present": WrongPresentPassword()})
    throttling.forgive(key)
    text = rules.choose_password(
        password,
        repeated,
        *told,
        is_present=lambda chosen: passwords.verify_password(chosen, stored).ok,
    )
    hashed = passwords.hash_password(text)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        if user.password_hash != stored:
            # Somebody changed it meanwhile, so what was given is no longer the present one.
            raise Invalid({"present": WrongPresentPassword()})
        user.password_hash, user.password_set_at = hashed, now
        db.add(user)
        accounts.forget_resets(db, user.id)
        accounts.revoke_all(db, user.id, now, but=actor.session_id)
        factors.told(db, user, News.PASSWORD_CHANGED, "change_password", now, actor=actor)


def make_recovery_codes(actor: Actor, *, now: datetime) -> list[str]:
    """Return ten new recovery codes, never to be seen again; those before open nothing.

    Raises ``FreshFactorNeeded``.
    """
    permit_fresh(actor, now)
    codes = recovery.make(secrets.choice)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        db.exec(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user.id))
        for code in codes:
            hashed = factors.recovery_hash(user, code)
            db.add(RecoveryCode(user_id=user.id, code_hash=hashed, made_at=now))
        factors.told(db, user, News.RECOVERY_CODES_MADE, "make_recovery_codes", now, actor=actor)
    return codes


def begin_replacement(actor: Actor, *, now: datetime) -> Enrolment:
    """Return a new secret for an authenticator; the present one counts until a code proves it.

    Raises ``FreshFactorNeeded``.
    """
    permit_fresh(actor, now)
    secret = totp.new_secret()
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        own = vault.vault_of(user)
        user.totp_next_sealed = own.seal(secret, "users", "totp_next", user.uid)
        db.add(user)
        account = accounts.shown_login(db, user)
    return Enrolment(secret, totp.provisioning_uri(secret, account))


def confirm_replacement(actor: Actor, code: str, *, now: datetime) -> None:
    """Let the new authenticator take the place of the old one; every other session ends.

    Where there was none before, nothing ends.

    Raises ``FreshFactorNeeded``, ``NothingToReplace``, ``WrongCode``, ``TooManyAttempts``.
    """
    permit_fresh(actor, now)
    factors.spend(actor.user_id, now)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        if user.totp_next_sealed is None:
            raise NothingToReplace
        own = vault.vault_of(user)
        secret = own.open(user.totp_next_sealed, "users", "totp_next", user.uid)
        counter = totp.accept(secret, code, now, None)
        if counter is None:
            raise WrongCode
        user.totp_sealed = own.seal(secret, "users", "totp", user.uid)
        user.totp_next_sealed = None
        is_first = user.totp_confirmed_at is None
        user.totp_counter, user.totp_confirmed_at, user.totp_used_at = counter, now, now
        db.add(user)
        if is_first:
            factors.told(db, user, News.FACTOR_ENROLLED, "enrol_factor", now, actor=actor)
        else:
            accounts.revoke_all(db, user.id, now, but=actor.session_id)
            factors.told(db, user, News.FACTOR_REPLACED, "replace_factor", now, actor=actor)
    factors.forgive(actor.user_id)


def _lost(db: Session, actor: Actor, user: User, news: News, action: str, now: datetime) -> None:
    """End what may have been opened by a factor that is no longer one."""
    accounts.revoke_all(db, user.id, now, but=actor.session_id)
    factors.told(db, user, news, action, now, actor=actor)


def _note(db: Session, actor: Actor, action: str, target: str, now: datetime) -> None:
    auditing.record(db, actor, action, target, subject_id=actor.user_id, now=now)
    changes.announce(db, factors.topic_of(actor.user_id))
