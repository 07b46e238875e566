"""Passkeys: a key is asked, and its answer opens the door, renews a factor, or is kept as new."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.crypto import passkeys as mechanism
from emk_app.crypto.passkeys import AnswerRefused, Known, NewKey, Site
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import Passkey, User
from emk_app.domain.accounts import DoorstepExpired
from emk_app.domain.actors import Actor, permit_fresh
from emk_app.domain.errors import NotSignedIn
from emk_app.domain.factors import (
    MOST_PASSKEYS,
    PasskeyCopied,
    PasskeyKnown,
    PasskeyRefused,
    PasskeyUnknown,
    Purpose,
    TooManyPasskeys,
    Way,
    check_name,
    is_copied,
)
from emk_app.domain.notices import News
from emk_app.services import accounts, factors
from emk_app.services.factors import Place
from emk_app.settings import settings

Options = dict[str, Any]
Answer = Mapping[str, Any]


def site() -> Site:
    """Return whose keys these are, by ``EMK_ORIGIN``."""
    origin = settings().origin
    return Site(urlsplit(origin).hostname or "", origin)


def ask_at_door(door: str, *, now: datetime) -> Options:
    """Return what the browser asks one of the person's keys.

    Raises ``DoorstepExpired``, and ``PasskeyUnknown`` where there is none.
    """
    with unit_of_work() as db:
        user = accounts.person_at(db, door, now)
        return _ask(db, user, factors.at_door(door, user.id, Purpose.ENTER), now)


def answer_at_door(door: str, answer: Answer, *, now: datetime) -> str:
    """Check a key's answer; return a ticket to the session.

    Raises ``DoorstepExpired``, ``ChallengeGone``, ``PasskeyUnknown``, ``PasskeyRefused`` and its
    kin, ``TooManyAttempts``.
    """
    with reading() as db:
        user_id = accounts.person_at(db, door, now).id
    challenge = _begin(factors.at_door(door, user_id, Purpose.ENTER), answer, now)
    with unit_of_work() as db:
        user = accounts.person_at(db, door, now)
        problem = _check(db, user, challenge, answer, now)
        ticket = "" if problem else accounts.give_ticket(db, door, user, Way.PASSKEY, now)
    _finish(user_id, problem)
    return ticket


def ask_in_session(actor: Actor, *, now: datetime) -> Options:
    """Return what the browser asks one of the actor's keys before a sensitive act."""
    with unit_of_work() as db:
        return _ask(db, _user(db, actor), factors.in_session(actor), now)


def answer_in_session(actor: Actor, answer: Answer, *, now: datetime) -> None:
    """Take a key's answer as a fresh factor (D13); raises as ``answer_at_door`` does."""
    challenge = _begin(factors.in_session(actor), answer, now)
    with unit_of_work() as db:
        user = _user(db, actor)
        problem = _check(db, user, challenge, answer, now)
        if problem is None:
            accounts.freshen(db, actor, user, Way.PASSKEY, now)
    _finish(actor.user_id, problem)


def begin_enrolment(door: str, *, now: datetime) -> Options:
    """Return what the browser makes the first factor of an account from.

    Raises ``DoorstepExpired`` where there is a factor already: that one is asked first.
    """
    with unit_of_work() as db:
        user = accounts.person_at(db, door, now)
        if factors.proofs_of(db, user).is_enrolled:
            raise DoorstepExpired
        return _create(db, user, factors.at_door(door, user.id, Purpose.ENROL), now)


def confirm_enrolment(door: str, name: str, answer: Answer, *, now: datetime) -> str:
    """Keep the first factor of an account; return a ticket to the session."""
    with reading() as db:
        user_id = accounts.person_at(db, door, now).id
    key = _made(factors.at_door(door, user_id, Purpose.ENROL), answer, now)
    with unit_of_work() as db:
        user = accounts.person_at(db, door, now)
        locked = db.exec(select(User).where(User.id == user.id).with_for_update()).one()
        if factors.proofs_of(db, locked).is_enrolled:
            raise DoorstepExpired
        _keep(db, locked, key, check_name(name), None, now)
        return accounts.give_ticket(db, door, locked, Way.PASSKEY, now)


def begin_adding(actor: Actor, *, now: datetime) -> Options:
    """Return what the browser makes one more key from; raises ``FreshFactorNeeded``."""
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = _user(db, actor)
        if factors.proofs_of(db, user).passkeys >= MOST_PASSKEYS:
            raise TooManyPasskeys
        return _create(db, user, factors.in_session(actor, Purpose.ADD), now)


def confirm_adding(actor: Actor, name: str, answer: Answer, *, now: datetime) -> None:
    """Keep one more key under this name, and tell its owner.

    Raises ``FreshFactorNeeded``, ``Required``, ``TooLong``, ``ChallengeGone``, ``PasskeyRefused``,
    ``PasskeyKnown``, ``TooManyPasskeys``.
    """
    permit_fresh(actor, now)
    called = check_name(name)
    key = _made(factors.in_session(actor, Purpose.ADD), answer, now)
    with unit_of_work() as db:
        user = db.exec(select(User).where(User.id == actor.user_id).with_for_update()).one()
        if factors.proofs_of(db, user).passkeys >= MOST_PASSKEYS:
            raise TooManyPasskeys
        _keep(db, user, key, called, actor, now)


def _ask(db: Session, user: User, place: Place, now: datetime) -> Options:
    known = _known(db, user)
    if not known:
        raise PasskeyUnknown
    challenge = mechanism.new_challenge()
    factors.challenge(db, place, Way.PASSKEY, challenge.hex(), now)
    return mechanism.request(site(), challenge, known)


def _create(db: Session, user: User, place: Place, now: datetime) -> Options:
    challenge = mechanism.new_challenge()
    factors.challenge(db, place, Way.PASSKEY, challenge.hex(), now)
    login = accounts.shown_login(db, user)
    return mechanism.creation(site(), challenge, _handle(user), login, _known(db, user))


def _begin(place: Place, answer: Answer, now: datetime) -> bytes:
    """Count the try, use the challenge up and return it."""
    factors.spend(place.user_id, now)
    return _taken(place, answer, now)


def _taken(place: Place, answer: Answer, now: datetime) -> bytes:
    try:
        challenge = mechanism.challenge_in(answer)
    except AnswerRefused as error:
        raise PasskeyRefused from error
    factors.take_challenge(place, Way.PASSKEY, challenge.hex(), now)
    return challenge


def _check(
    db: Session, user: User, challenge: bytes, answer: Answer, now: datetime
) -> PasskeyUnknown | PasskeyRefused | None:
    """Return why the answer proves nothing, or None; what was noticed is kept by the commit."""
    try:
        blind = _blind(mechanism.id_in(answer))
        key = db.exec(
            select(Passkey)
            .where(Passkey.blind == blind, Passkey.user_id == user.id)
            .with_for_update()
        ).first()
        if key is None:
            return PasskeyUnknown()
        if mechanism.handle_in(answer) not in (None, _handle(user)):
            return PasskeyRefused()
        shown = mechanism.check_request(site(), challenge, key.public_key, answer)
    except AnswerRefused:
        return PasskeyRefused()
    if is_copied(key.sign_count, shown):
        factors.told(db, user, News.PASSKEY_COPIED, "doubt_passkey", now, fields=f"key:{key.id}")
        return PasskeyCopied()
    # Whoever moves the counter comes in: two answers at once with one count do not both.
    taken = db.exec(
        sa.update(Passkey)
        .where(col(Passkey.id) == key.id, col(Passkey.sign_count) == key.sign_count)
        .values(sign_count=shown, used_at=now)
    )
    return None if taken.rowcount == 1 else PasskeyRefused()


def _finish(user_id: int, problem: Exception | None) -> None:
    if problem is not None:
        raise problem
    factors.forgive(user_id)


def _made(place: Place, answer: Answer, now: datetime) -> NewKey:
    challenge = _taken(place, answer, now)
    try:
        return mechanism.check_creation(site(), challenge, answer)
    except AnswerRefused as error:
        raise PasskeyRefused from error


def _keep(
    db: Session, user: User, key: NewKey, name: str, actor: Actor | None, now: datetime
) -> None:
    blind = _blind(key.id)
    if db.exec(select(Passkey.id).where(Passkey.blind == blind)).first() is not None:
        raise PasskeyKnown
    own = vault.vault_of(user)
    db.add(
        Passkey(
            user_id=user.id,
            blind=blind,
            credential_sealed=own.seal(mechanism.text_of(key.id), "passkeys", "credential", blind),
            name_sealed=own.seal(name, "passkeys", "name", blind),
            public_key=key.public_key,
            sign_count=key.sign_count,
            transports=",".join(key.transports),
            created_at=now,
        )
    )
    db.flush()
    factors.told(db, user, News.PASSKEY_ADDED, "add_passkey", now, actor=actor)


def _known(db: Session, user: User) -> list[Known]:
    own = vault.vault_of(user)
    asked = select(Passkey).where(Passkey.user_id == user.id).order_by(col(Passkey.id))
    return [
        Known(
            mechanism.bytes_of(
                own.open(row.credential_sealed, "passkeys", "credential", row.blind)
            ),
            tuple(filter(None, row.transports.split(","))),
        )
        for row in db.exec(asked).all()
    ]


def _blind(credential: bytes) -> str:
    return vault.blind("passkey", mechanism.text_of(credential))


def _handle(user: User) -> bytes:
    """Return what keys know the person by: nothing that stands anywhere else."""
    return hashlib.sha256(f"passkey:{user.uid}".encode()).digest()


def _user(db: Session, actor: Actor) -> User:
    user = db.get(User, actor.user_id)
    if user is None:
        raise NotSignedIn
    return user
