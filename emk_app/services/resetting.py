"""A forgotten password: a link to the proved contacts, a new password, the second factor (D18).

Nothing is done for a known login that is not done for any other until a job takes it up (D17). The
new password takes effect when the second factor opens the door: see ``accounts.enter``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.crypto import passwords, tokens
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import Doorstep, PasswordReset, User
from emk_app.domain import accounts as rules
from emk_app.domain.accounts import ResetLinkOver
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.errors import Invalid, InvalidValue, NotFound, TooManyAttempts
from emk_app.domain.notices import Channel, News, Notice
from emk_app.services import accounts, auditing, jobs, notifying, throttling
from emk_app.services.throttling import key_of

SEND: Final = "send_reset"
"""Kind of the job that finds out whose login it is, and sends the link."""
PLACE: Final = ("password_resets", "login")


def ask(login: str, *, source: str, now: datetime) -> None:
    """Have a link sent to whoever has this login; nothing tells whether somebody has.

    Raises ``Invalid`` with ``login``, ``TooManyAttempts``.
    """
    try:
        name = LoginName.parse(login)
    except InvalidValue as error:
        raise Invalid({"login": error}) from None
    throttling.spend(
        (key_of("reset-source", source), rules.RESET_SOURCE),
        (key_of("reset", "everybody"), rules.MESSAGES_TO_ALL),
        now=now,
    )
    # Counted whoever's it is, as every message that a stranger has sent there.
    throttling.spend_messages(name.value, now=now)
    ref = tokens.new_token()
    with unit_of_work() as db:
        sealed = vault.service_seal(str(name), *PLACE, ref)
        row = PasswordReset(
            ref=ref, login_sealed=sealed, created_at=now, expires_at=now + rules.RESET_LIFE
        )
        db.add(row)
        db.flush()
        jobs.enqueue(db, SEND, row.id, occasion="once", now=now)


def begin_for(actor: Actor, user_id: int, *, now: datetime) -> None:
    """Have a link sent to somebody who asked for help; whoever begins it never sees it.

    Raises ``FreshFactorNeeded``, ``NotFound``, ``TooManyAttempts``.
    """
    permit(actor, Role.SUPPORT, Role.ADMIN)
    permit_fresh(actor, now)
    with reading() as db:
        user = db.get(User, user_id)
    if user is None:
        raise NotFound
    throttling.spend_messages(*sorted(notifying.contacts_of(user).values()), now=now)
    with unit_of_work() as db:
        row = PasswordReset(
            ref=tokens.new_token(),
            user_id=user_id,
            created_at=now,
            expires_at=now + rules.RESET_LIFE,
        )
        db.add(row)
        db.flush()
        jobs.enqueue(db, SEND, row.id, occasion="once", now=now)
        auditing.record(db, actor, "begin_reset", f"user:{user_id}", subject_id=user_id, now=now)


def invite(db: Session, user: User, *, now: datetime) -> None:
    """Have a link sent to somebody who has an account and no password yet, beside its making."""
    row = PasswordReset(
        ref=tokens.new_token(),
        user_id=user.id,
        invites=True,
        created_at=now,
        expires_at=now + rules.INVITATION_LIFE,
    )
    db.add(row)
    db.flush()
    jobs.enqueue(db, SEND, row.id, occasion="once", now=now)


def send(reset_id: int, now: datetime) -> None:
    """Send the link to the contacts of whoever it is for; safe to repeat."""
    with reading() as db:
        row = db.get(PasswordReset, reset_id)
    if row is None or row.token_hash is not None:
        return
    user, contacts = _reached(row, now)
    token = tokens.new_token()
    with unit_of_work() as db:
        row = db.get(PasswordReset, reset_id, with_for_update=True)
        if row is None or row.token_hash is not None:
            return
        if user is None or not contacts:
            db.delete(row)
            return
        row.user_id, row.login_sealed = user.id, None
        row.token_hash = tokens.digest(token, "reset")
        row.expires_at = now + (rules.INVITATION_LIFE if row.invites else rules.RESET_LIFE)
        db.add(row)
        notice = Notice(News.INVITED if row.invites else News.RESET_ASKED, code=token)
        for channel, contact in contacts.items():
            own = f"reset:{row.ref}:{channel}"
            notifying.send(db, contact, notice, dedupe=own, now=now, user_id=user.id)
        auditing.record(db, None, "send_reset", f"user:{user.id}", subject_id=user.id, now=now)


def give_password(
    door: str, token: str, password: str, repeated: str, *, source: str, now: datetime
) -> None:
    """Take the new password that the link allows; it waits for the second factor at this door.

    The link is spent. Raises ``ResetLinkOver``, ``TooManyAttempts``, and ``Invalid`` with
    ``password`` and ``repeated``, after which the link is good still.
    """
    throttling.spend((key_of("reset-link", source), rules.RESET_LINK), now=now)
    hashed = tokens.digest(token, "reset")
    with reading() as db:
        found = db.exec(
            select(PasswordReset, User)
            .join(User, col(User.id) == PasswordReset.user_id)
            .where(PasswordReset.token_hash == hashed, *_usable(now))
        ).first()
        if found is None:
            raise ResetLinkOver
        row, user = found
        told = accounts.told_of(db, user)
    made = passwords.hash_password(rules.choose_password(password, repeated, *told))
    with unit_of_work() as db:
        taken = db.exec(
            sa.update(PasswordReset)
            .where(col(PasswordReset.id) == row.id, *_usable(now))
            .values(used_at=now)
        )
        if taken.rowcount != 1:
            raise ResetLinkOver
        # Whoever else stands before this account may have been shown a secret that is not proved.
        db.exec(delete(Doorstep).where(col(Doorstep.user_id) == user.id))
        db.exec(delete(Doorstep).where(col(Doorstep.ref) == door))
        db.exec(
            sa.update(User)
            .where(col(User.id) == user.id, col(User.totp_confirmed_at).is_(None))
            .values(totp_sealed=None)
        )
        db.add(
            Doorstep(
                ref=door,
                user_id=user.id,
                password_next_hash=made,
                created_at=now,
                expires_at=now + rules.DOORSTEP_LIFE,
            )
        )


def waits(door: str, *, now: datetime) -> bool:
    """Whether a new password waits at this door for the second factor."""
    with reading() as db:
        step = db.exec(select(Doorstep).where(Doorstep.ref == door)).first()
    return step is not None and step.expires_at > now and step.password_next_hash is not None


def sweep(*, now: datetime) -> None:
    """Forget links that open nothing any more."""
    with unit_of_work() as db:
        db.exec(delete(PasswordReset).where(col(PasswordReset.expires_at) <= now))


def _reached(row: PasswordReset, now: datetime) -> tuple[User | None, dict[Channel, str]]:
    """Return whom the link is for, and where it may be sent now."""
    login = ""
    with reading() as db:
        if row.login_sealed is not None:
            name = LoginName.parse(vault.service_open(row.login_sealed, *PLACE, row.ref))
            user, login = accounts.user_by_login(db, name), name.value
        else:
            user = db.get(User, row.user_id)
    if user is None or user.disabled_at is not None:
        return None, {}
    contacts = notifying.contacts_of(user)
    if login:
        # The login itself was counted when it was asked for.
        contacts = {
            channel: contact
            for channel, contact in contacts.items()
            if contact == login or _has_room(contact, now)
        }
    return user, contacts


def _has_room(contact: str, now: datetime) -> bool:
    try:
        throttling.spend_messages(contact, now=now)
    except TooManyAttempts:
        return False
    return True


def _usable(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        col(PasswordReset.used_at).is_(None),
        col(PasswordReset.expires_at) > now,
        col(PasswordReset.user_id).in_(select(User.id).where(col(User.disabled_at).is_(None))),
    )
