"""Where a person is reached: the telephone and the mailbox, each proved by a code before it counts.

What is reached at a place may also sign in by it, so a login changes with its contact.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from emk_app.crypto import tokens
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import ContactChange, Login, User
from emk_app.domain import accounts as rules
from emk_app.domain.accounts import ContactTaken, LastContact, SameContact, WrongContactCode
from emk_app.domain.actors import Actor, permit_fresh
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.contacts import LoginKind
from emk_app.domain.errors import Invalid, InvalidValue, NotFound
from emk_app.domain.factors import Way
from emk_app.domain.notices import Channel, News, Notice
from emk_app.keys import keystore
from emk_app.services import accounts, auditing, factors, notifying, throttling

PLACE = ("contact_changes", "contact")


@dataclass(frozen=True, slots=True)
class Contacts:
    """Where the person is reached, masked, and which new contact waits for its code."""

    phone: str
    email: str
    waits: str


def view(actor: Actor, *, now: datetime) -> Contacts:
    """Return where the actor is reached."""
    with reading() as db:
        user = accounts.own_user(db, actor)
        change = _change(db, user, now)
    known = notifying.contacts_of(user)
    waiting = _contact_of(user, change) if change else ""
    return Contacts(
        phone=_masked(known.get(Channel.SMS, "")),
        email=_masked(known.get(Channel.EMAIL, "")),
        waits=_masked(waiting),
    )


def begin(actor: Actor, contact: str, *, now: datetime) -> None:
    """Send a code to a new telephone or address; the present one counts until the code is given.

    Raises ``FreshFactorNeeded``, ``TooManyAttempts``, ``Invalid`` with ``contact``.
    """
    permit_fresh(actor, now)
    with reading() as db:
        known = notifying.contacts_of(accounts.own_user(db, actor)).values()
    try:
        reach = accounts.reach_of(contact)
        if reach in known:
            raise SameContact
    except InvalidValue as error:
        raise Invalid({"contact": error}) from None
    throttling.spend_messages(reach, now=now)
    code = tokens.numeric_code()
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        db.exec(delete(ContactChange).where(col(ContactChange.user_id) == user.id))
        db.add(
            ContactChange(
                user_id=user.id,
                contact_sealed=vault.vault_of(user).seal(reach, *PLACE, user.uid),
                code_hash=_code_hash(user, code),
                expires_at=now + rules.CODE_LIFE,
            )
        )
        notice = Notice(News.NEW_CONTACT_CODE, code=code)
        dedupe = f"contact:{user.id}:{secrets.token_hex(8)}"
        notifying.send(db, reach, notice, dedupe=dedupe, now=now, user_id=user.id)
        _note(db, actor, "begin_contact_change", now)


def confirm(actor: Actor, code: str, *, now: datetime) -> None:
    """Let the new contact take its place; those before are told.

    Raises ``FreshFactorNeeded``, ``WrongContactCode``, and ``ContactTaken`` where somebody else
    signs in by it.
    """
    permit_fresh(actor, now)
    right = False
    try:
        with unit_of_work() as db:
            user = accounts.own_user(db, actor, locked=True)
            change = _change(db, user, now)
            if change is not None:
                change.code_tries += 1
                db.add(change)
                # The count of tries is kept though the code be wrong: the refusal comes after.
                right = change.code_tries <= rules.CODE_TRIES and tokens.same(
                    change.code_hash, _code_hash(user, code.strip())
                )
                if right:
                    _put(db, actor, user, _contact_of(user, change), now)
                    db.delete(change)
    except IntegrityError:
        # Somebody else has begun to sign in by it at the same moment.
        raise ContactTaken from None
    if not right:
        raise WrongContactCode


def drop(actor: Actor, *, now: datetime) -> None:
    """Leave the contacts as they are."""
    with unit_of_work() as db:
        db.exec(delete(ContactChange).where(col(ContactChange.user_id) == actor.user_id))
        _note(db, actor, "drop_contact_change", now)


def remove(actor: Actor, channel: Channel, *, now: datetime) -> None:
    """Remove the telephone or the address, and the login by it; both contacts are told.

    Where codes went to the telephone, every other session ends. Raises ``FreshFactorNeeded``,
    ``NotFound``, ``LastContact``, and ``LastFactor`` where its codes are the only second factor.
    """
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = accounts.own_user(db, actor, locked=True)
        known = notifying.contacts_of(user)
        if channel not in known:
            raise NotFound
        logins = db.exec(select(Login).where(Login.user_id == user.id)).all()
        blind = vault.blind(f"login-{_kind_of(channel)}", known[channel])
        others = [login for login in logins if login.blind != blind]
        if len(known) == 1 or not others:
            raise LastContact
        proofs = factors.proofs_of(db, user)
        took_codes = channel is Channel.SMS and proofs.offers_sms
        if took_codes:
            proofs.check_loss(Way.SMS)
        # While both are where the person is reached.
        dedupe = f"contact-removed:{user.id}:{secrets.token_hex(8)}"
        notifying.tell(db, user, Notice(News.CONTACT_REMOVED), dedupe=dedupe, now=now)
        notifying.take_contact(user, channel)
        db.add(user)
        for login in logins:
            if login.blind == blind:
                db.delete(login)
        if took_codes:
            accounts.revoke_all(db, user.id, now, but=actor.session_id)
        # A link that lies in the removed mailbox must open nothing.
        accounts.forget_resets(db, user.id)
        _note(db, actor, "remove_contact", now, fields=channel.value)


def _kind_of(channel: Channel) -> LoginKind:
    return LoginKind.EMAIL if channel is Channel.EMAIL else LoginKind.PHONE


def _put(db: Session, actor: Actor, user: User, contact: str, now: datetime) -> None:
    channel = notifying.channel_of(contact)
    kind = _kind_of(channel)
    other = accounts.user_by_login(db, LoginName(kind, contact))
    if other is not None and other.id != user.id:
        raise ContactTaken
    dedupe = f"contact-changed:{user.id}:{secrets.token_hex(8)}"
    # While the old ones still are where the person is reached.
    notifying.tell(db, user, Notice(News.CONTACT_CHANGED), dedupe=dedupe, now=now)
    notifying.put_contact(user, contact)
    db.add(user)
    if other is None:
        own = vault.vault_of(user)
        blind = vault.blind(f"login-{kind}", contact)
        sealed = own.seal(contact, "logins", "value", blind)
        asked = select(Login).where(Login.user_id == user.id, Login.kind == kind)
        row = db.exec(asked).first() or Login(
            user_id=user.id, kind=kind, blind=blind, value_sealed=sealed
        )
        row.blind, row.value_sealed = blind, sealed
        db.add(row)
    # A link that lies in the old mailbox must open nothing.
    accounts.forget_resets(db, user.id)
    _note(db, actor, "change_contact", now, fields=channel.value)
    db.flush()


def _change(db: Session, user: User, now: datetime) -> ContactChange | None:
    asked = select(ContactChange).where(
        ContactChange.user_id == user.id, col(ContactChange.expires_at) > now
    )
    return db.exec(asked).first()


def _contact_of(user: User, change: ContactChange) -> str:
    return vault.vault_of(user).open(change.contact_sealed, *PLACE, user.uid)


def _masked(contact: str) -> str:
    return notifying.masked(contact) if contact else ""


def _code_hash(user: User, code: str) -> str:
    return tokens.keyed_digest(keystore().session_key, f"{user.uid}|{code}", "new-contact")


def _note(db: Session, actor: Actor, action: str, now: datetime, *, fields: str = "") -> None:
    auditing.record(
        db,
        actor,
        action,
        f"user:{actor.user_id}",
        subject_id=actor.user_id,
        fields=fields,
        now=now,
    )
    changes.announce(db, factors.topic_of(actor.user_id))
