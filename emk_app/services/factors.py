"""The second factor: which ways an account has, and whether what was given proves its owner."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.crypto import tokens, totp
from emk_app.db import changes, vault
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.people import Challenge, Passkey, RecoveryCode, User
from emk_app.domain import accounts as rules
from emk_app.domain import recovery
from emk_app.domain.actors import Actor
from emk_app.domain.errors import NotFound
from emk_app.domain.factors import (
    CHALLENGE_LIFE,
    ChallengeGone,
    Proofs,
    Purpose,
    SmsNotOffered,
    Way,
)
from emk_app.domain.notices import Channel, News, Notice
from emk_app.domain.switches import Feature
from emk_app.keys import keystore
from emk_app.services import auditing, notifying, switching, throttling
from emk_app.services.throttling import key_of


@dataclass(frozen=True, slots=True)
class Place:
    """Who proves themselves where, and what for: a challenge serves nobody and nowhere else.

    The person is part of it: at one door two may stand one after the other.
    """

    user_id: int
    ref: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Offer:
    """How somebody may prove themselves, the best way first."""

    ways: tuple[Way, ...]
    phone: str
    """Where codes go by SMS, masked; empty where none go out."""


def at_door(door: str, user_id: int, purpose: Purpose) -> Place:
    """Return the place of somebody who has given the password."""
    return Place(user_id, f"door:{door}", purpose)


def in_session(actor: Actor, purpose: Purpose = Purpose.RENEW) -> Place:
    """Return the place of somebody who is signed in."""
    return Place(actor.user_id, f"session:{actor.session_id}", purpose)


def topic_of(user_id: int) -> str:
    """Return the topic of what guards a person's account: sessions, password, factors."""
    return f"account:{user_id}"


def proofs_of(db: Session, user: User) -> Proofs:
    """Return what the account has to prove its owner by."""
    keys = db.exec(
        select(sa.func.count()).select_from(Passkey).where(Passkey.user_id == user.id)
    ).one()
    return Proofs(
        user.role,
        app=user.totp_confirmed_at is not None,
        passkeys=keys,
        phone=phone_of(user) is not None,
        sms_proved=user.sms_proved_at is not None,
        sms_off=user.sms_off_at is not None,
    )


def phone_of(user: User) -> str | None:
    """Return the telephone that was proved."""
    return notifying.contacts_of(user).get(Channel.SMS)


def offer_of(db: Session, user: User, *, by_sms: bool = True) -> Offer:
    """Return how the person may prove themselves; ``by_sms`` unless it would prove nothing more."""
    ways = tuple(way for way in proofs_of(db, user).ways if by_sms or way is not Way.SMS)
    phone = phone_of(user)
    return Offer(ways, notifying.masked(phone) if phone and Way.SMS in ways else "")


def actor_of(user: User) -> Actor:
    """Return the person as who acts before there is a session."""
    return Actor(user.id, user.role, clinic_id=user.clinic_id, position=user.position)


def spend(user_id: int, now: datetime) -> None:
    """Count one try of the second factor, before it is looked at; raise ``TooManyAttempts``."""
    throttling.spend(*zip(_keys(user_id), rules.SECOND_FACTOR, strict=True), now=now)


def forgive(user_id: int) -> None:
    """Count the last try of the second factor as none: it was right."""
    throttling.refund(*_keys(user_id))


def challenge(db: Session, place: Place, way: Way, secret: str, now: datetime) -> None:
    """Ask for ``secret`` at this place; what was asked there before no longer counts."""
    db.exec(
        delete(Challenge).where(
            col(Challenge.place) == place.ref,
            col(Challenge.purpose) == place.purpose,
            col(Challenge.way) == way,
        )
    )
    db.add(
        Challenge(
            user_id=place.user_id,
            place=place.ref,
            purpose=place.purpose,
            way=way,
            digest=_digest(place, way, secret),
            expires_at=now + CHALLENGE_LIFE,
        )
    )


def take_challenge(place: Place, way: Way, secret: str, now: datetime) -> None:
    """Use the challenge up, whatever becomes of its answer; raise ``ChallengeGone``.

    A transaction of its own: a refusal afterwards does not bring it back.
    """
    with unit_of_work() as db:
        taken = db.exec(
            delete(Challenge).where(
                col(Challenge.place) == place.ref,
                col(Challenge.purpose) == place.purpose,
                col(Challenge.way) == way,
                col(Challenge.digest) == _digest(place, way, secret),
                col(Challenge.expires_at) > now,
            )
        ).rowcount
    if taken != 1:
        raise ChallengeGone


def sends_codes(now: datetime) -> bool:
    """Whether codes go out by SMS at all."""
    return switching.is_on(Feature.SMS_FACTOR, now=now)


def send_code(place: Place, now: datetime) -> None:
    """Send a code by SMS; it serves at this place alone, for five minutes (D15).

    Raises ``FeatureOff``, ``SmsNotOffered`` and ``TooManyAttempts``.
    """
    switching.require(Feature.SMS_FACTOR, now=now)
    with unit_of_work() as db:
        user = _user(db, place.user_id)
        phone = phone_of(user)
        offers = proofs_of(db, user).offers_sms
    if phone is None or not offers:
        raise SmsNotOffered
    throttling.spend_messages(phone, now=now, by_owner=True)
    code = tokens.numeric_code()
    with unit_of_work() as db:
        challenge(db, place, Way.SMS, code, now)
        notice = Notice(News.FACTOR_CODE, code=code)
        occasion = f"factor:{secrets.token_hex(8)}"
        notifying.send(db, phone, notice, dedupe=occasion, now=now, user_id=user.id)


def accept(
    db: Session, user: User, code: str, place: Place, now: datetime, *, by_sms: bool = True
) -> Way | None:
    """Return which way the code proves its owner, each once (D15); None for a wrong one.

    A wrong one is counted in the caller's transaction, so its refusal comes after the commit.
    """
    proofs = proofs_of(db, user)
    if recovery.looks_like(code):
        # It stands in for a factor that was proved, so there must be one.
        taken = proofs.is_enrolled and _accept_recovery(db, user, code, now)
        return Way.RECOVERY if taken else None
    # A secret that was shown and never proved opens nothing where another factor stands guard.
    if (proofs.app or not proofs.is_enrolled) and _accept_app(db, user, code, now):
        return Way.APP
    if by_sms and proofs.offers_sms and _accept_sms(db, code, place, now):
        return Way.SMS
    return None


def prove(db: Session, user: User, way: Way, now: datetime) -> None:
    """Note that the person has proved themselves this way; the first time it is told."""
    is_first = False
    if way is Way.APP and user.totp_confirmed_at is None:
        user.totp_confirmed_at, is_first = now, True
    if way is Way.SMS and user.sms_proved_at is None:
        user.sms_proved_at, is_first = now, True
    if way is not Way.APP and user.totp_confirmed_at is None:
        # It was only shown: whoever else has seen it must not come in by it.
        user.totp_sealed = None
    db.add(user)
    if is_first:
        news = News.FACTOR_ENROLLED if way is Way.APP else News.SMS_ENROLLED
        told(db, user, news, "enrol_factor", now, fields=way.value)


def told(
    db: Session,
    user: User,
    news: News,
    action: str,
    now: datetime,
    *,
    actor: Actor | None = None,
    fields: str = "",
) -> None:
    """Note a change of what guards the account, and tell its owner wherever they are reached."""
    auditing.record(
        db,
        actor or actor_of(user),
        action,
        f"user:{user.id}",
        subject_id=user.id,
        fields=fields,
        now=now,
    )
    dedupe = f"{action}:{user.id}:{secrets.token_hex(8)}"
    notifying.tell(db, user, Notice(news), dedupe=dedupe, now=now)
    changes.announce(db, topic_of(user.id))


def recovery_hash(user: User, code: str) -> str:
    """Return what stands for a recovery code in the database."""
    text = f"{user.uid}|{recovery.normal(code)}"
    return tokens.keyed_digest(keystore().session_key, text, "recovery-code")


def sweep(*, now: datetime) -> None:
    """Forget challenges that nobody can answer any more."""
    with unit_of_work() as db:
        db.exec(delete(Challenge).where(col(Challenge.expires_at) <= now))


def _keys(user_id: int) -> list[str]:
    return [key_of(f"factor-{place}", str(user_id)) for place in range(len(rules.SECOND_FACTOR))]


def _user(db: Session, user_id: int) -> User:
    user = db.get(User, user_id)
    if user is None or user.disabled_at is not None:
        raise NotFound
    return user


def _digest(place: Place, way: Way, secret: str) -> str:
    text = f"{place.user_id}|{place.ref}|{place.purpose}|{way}|{secret}"
    return tokens.keyed_digest(keystore().session_key, text, "challenge")


def _accept_recovery(db: Session, user: User, code: str, now: datetime) -> bool:
    taken = db.exec(
        sa.update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user.id,
            col(RecoveryCode.code_hash) == recovery_hash(user, code),
            col(RecoveryCode.used_at).is_(None),
        )
        .values(used_at=now)
    )
    if taken.rowcount != 1:
        return False
    told(db, user, News.RECOVERY_CODE_USED, "use_recovery_code", now)
    return True


def _accept_app(db: Session, user: User, code: str, now: datetime) -> bool:
    """Take the code if it fits and its step was never used, also when two try at once (D15)."""
    if user.totp_sealed is None:
        return False
    secret = vault.vault_of(user).open(user.totp_sealed, "users", "totp", user.uid)
    counter = totp.accept(secret, code, now, user.totp_counter)
    if counter is None:
        return False
    taken = db.exec(
        sa.update(User)
        .where(
            col(User.id) == user.id,
            sa.or_(col(User.totp_counter).is_(None), col(User.totp_counter) < counter),
        )
        .values(totp_counter=counter, totp_used_at=now)
        .execution_options(synchronize_session=False)
    )
    db.refresh(user)
    return taken.rowcount == 1


def _accept_sms(db: Session, code: str, place: Place, now: datetime) -> bool:
    asked = db.exec(
        select(Challenge)
        .where(
            Challenge.place == place.ref,
            Challenge.purpose == place.purpose,
            Challenge.way == Way.SMS,
        )
        .with_for_update()
    ).first()
    if asked is None or asked.expires_at <= now:
        return False
    asked.tries += 1
    db.add(asked)
    if asked.tries > rules.CODE_TRIES:
        return False
    if not tokens.same(asked.digest, _digest(place, Way.SMS, code.strip())):
        return False
    # Whoever deletes the row has used the code: two at once do not both come in.
    db.flush()
    spent = db.exec(delete(Challenge).where(col(Challenge.id) == asked.id))
    return spent.rowcount == 1
