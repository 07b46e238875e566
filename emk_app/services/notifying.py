"""Messages to people: put beside the change that causes them, on the screen and into the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from emk_app.clock import MOSCOW
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import NoticeChoice, StoredNotice
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.contacts import Email, Phone
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import (
    OBLIGATORY,
    Channel,
    Choices,
    NoContact,
    Notice,
    NoticeKind,
    NotOptional,
    good_until,
    is_wanted,
    leaves_at,
)
from emk_app.services import auditing

CONTACT = ("users", "contact")
SPARE = ("users", "spare_contact")
PAGE: Final = 30
"""Notices on one page."""


def channel_of(contact: str) -> Channel:
    """Return how a contact is reached: an address by mail, a number by SMS."""
    return Channel.EMAIL if "@" in contact else Channel.SMS


def topic_of(user_id: int) -> str:
    """Return the topic of a person's notices."""
    return f"notices:{user_id}"


def contacts_of(user: User) -> dict[Channel, str]:
    """Return where the person is reached; every contact was proved by a code."""
    own = vault.vault_of(user)
    kept = ((user.contact_sealed, CONTACT), (user.spare_contact_sealed, SPARE))
    contacts = [own.open(sealed, *place, user.uid) for sealed, place in kept if sealed is not None]
    return {channel_of(contact): contact for contact in contacts}


def put_contact(user: User, contact: str) -> None:
    """Put a proved contact in the place of the one of its channel; the other one stays."""
    own = vault.vault_of(user)
    known = contacts_of(user)
    first = next(iter(known), None)
    if first is None or first is channel_of(contact):
        user.contact_sealed = own.seal(contact, *CONTACT, user.uid)
    else:
        user.spare_contact_sealed = own.seal(contact, *SPARE, user.uid)


def take_contact(user: User, channel: Channel) -> None:
    """Remove the contact of the channel; the other one takes the first place."""
    left = [contact for known, contact in contacts_of(user).items() if known is not channel]
    user.contact_sealed = user.spare_contact_sealed = None
    for contact in left:
        put_contact(user, contact)


def choices_of(db: Session, user_id: int) -> Choices:
    """Return what the person has chosen so far."""
    rows = db.exec(select(NoticeChoice).where(NoticeChoice.user_id == user_id)).all()
    return {(row.kind, row.channel): row.is_on for row in rows}


def tell(db: Session, user: User, notice: Notice, *, dedupe: str, now: datetime) -> None:
    """Tell the person on the screen, and by each channel that is wanted for this kind.

    ``dedupe`` names the occasion, at most 110 characters: it is told once, also when two tell it at
    once. Part of the caller's transaction: a change that is undone has told nobody.
    """
    sealed = vault.vault_of(user).seal(notice.pack(), "notices", "notice", dedupe)
    is_new = _add_once(
        db,
        StoredNotice,
        user_id=user.id,
        notice_sealed=sealed,
        dedupe=dedupe,
        created_at=now,
    )
    if not is_new:
        return
    changes.announce(db, topic_of(user.id))
    choices = choices_of(db, user.id)
    for channel, contact in contacts_of(user).items():
        if is_wanted(notice.kind, channel, choices):
            own = f"{dedupe}:{channel}"
            send(db, contact, notice, dedupe=own, now=now, user_id=user.id)


def send(
    db: Session,
    contact: str,
    notice: Notice,
    *,
    dedupe: str,
    now: datetime,
    user_id: int | None = None,
) -> None:
    """Put one message into the outbox, unless the occasion has been told already.

    For those who have no account yet; whoever has one is told by ``tell``.
    """
    channel = channel_of(contact)
    lane = f"{vault.blind('outbox', contact)}:{'urgent' if notice.is_urgent else 'usual'}"
    is_new = _add_once(
        db,
        OutboxMessage,
        channel=channel,
        user_id=user_id,
        recipient_sealed=vault.service_seal(contact, "outbox", "recipient", dedupe),
        notice_sealed=vault.service_seal(notice.pack(), "outbox", "notice", dedupe),
        lane=lane,
        is_urgent=notice.is_urgent,
        dedupe=dedupe,
        created_at=now,
        due_at=leaves_at(notice, channel, now.astimezone(MOSCOW)).astimezone(UTC),
        expires_at=good_until(notice, now),
        attempts=0,
        failure="",
    )
    if is_new:
        changes.announce(db, "outbox")


@dataclass(frozen=True, slots=True)
class Told:
    """One notice as its person sees it; ``notice`` is None where this release can't read it."""

    id: int
    notice: Notice | None
    at: datetime
    is_unread: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a person's notices, and how many pages there are; at least one."""

    notices: tuple[Told, ...]
    page: int
    pages: int
    unread: int


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person is told, and where: contacts are masked."""

    contacts: Mapping[Channel, str]
    wanted: Mapping[tuple[NoticeKind, Channel], bool]


def unread(actor: Actor) -> int:
    """Return how many notices the actor has not read."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        return _count(db, actor, only_unread=True)


def page_of(actor: Actor, page: int, *, only_unread: bool = False) -> Page:
    """Return a page of the actor's notices, newest first; the nearest one where there is none."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        fresh = _count(db, actor, only_unread=True)
        total = fresh if only_unread else _count(db, actor, only_unread=False)
        pages = max(1, -(-total // PAGE))
        page = min(max(1, page), pages)
        rows = db.exec(
            select(StoredNotice)
            .where(*_own(actor, only_unread=only_unread))
            .order_by(col(StoredNotice.id).desc())
            .limit(PAGE)
            .offset((page - 1) * PAGE)
        ).all()
        own = vault.vault_for(db, actor.user_id)
    told = tuple(
        Told(row.id, _readable(own, row), row.created_at, row.read_at is None) for row in rows
    )
    return Page(told, page, pages, fresh)


def mark_read(actor: Actor, notice_id: int, *, now: datetime) -> None:
    """Note that the actor has read one notice; raise ``NotFound`` for somebody else's."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        row = db.exec(
            select(StoredNotice)
            .where(StoredNotice.id == notice_id, StoredNotice.user_id == actor.user_id)
            .with_for_update()
        ).first()
        if row is None:
            raise NotFound
        if row.read_at is None:
            row.read_at = now
            db.add(row)
            changes.announce(db, topic_of(actor.user_id))


def mark_all_read(actor: Actor, *, now: datetime) -> None:
    """Note that the actor has read everything told so far."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        db.exec(
            sa.update(StoredNotice)
            .where(*_own(actor, only_unread=True), col(StoredNotice.created_at) <= now)
            .values(read_at=now)
        )
        changes.announce(db, topic_of(actor.user_id))


def wishes(actor: Actor) -> Wishes:
    """Return by which channels the actor is told of what."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        user = db.get(User, actor.user_id)
        assert user is not None
        choices = choices_of(db, actor.user_id)
    contacts = {channel: masked(contact) for channel, contact in contacts_of(user).items()}
    wanted = {
        (kind, channel): channel in contacts and is_wanted(kind, channel, choices)
        for kind in NoticeKind
        for channel in Channel
    }
    return Wishes(contacts, wanted)


def choose(actor: Actor, kind: NoticeKind, channel: Channel, *, is_on: bool, now: datetime) -> None:
    """Switch one kind of notices on or off for one channel.

    Raises ``NotOptional`` for what protects the account, ``NoContact`` where the channel leads
    nowhere.
    """
    permit(actor, Role.HOLDER)
    if kind in OBLIGATORY:
        raise NotOptional
    with unit_of_work() as db:
        user = db.get(User, actor.user_id)
        assert user is not None
        if channel not in contacts_of(user):
            raise NoContact
        key = {"user_id": actor.user_id, "kind": kind, "channel": channel}
        _add_once(db, NoticeChoice, **key, is_on=is_on, changed_at=now)
        row = db.exec(select(NoticeChoice).filter_by(**key).with_for_update()).one()
        row.is_on, row.changed_at = is_on, now
        db.add(row)
        changes.announce(db, topic_of(actor.user_id))
        auditing.record(
            db,
            actor,
            "choose_notices",
            f"user:{actor.user_id}",
            subject_id=actor.user_id,
            fields=f"{kind}:{channel}:{'on' if is_on else 'off'}",
            now=now,
        )


def masked(contact: str) -> str:
    """Return a contact as it may be shown to those who only need to recognise it."""
    return (Email(contact) if "@" in contact else Phone(contact)).masked


def _own(actor: Actor, *, only_unread: bool) -> list[sa.ColumnElement[bool]]:
    mine = [col(StoredNotice.user_id) == actor.user_id]
    return [*mine, col(StoredNotice.read_at).is_(None)] if only_unread else mine


def _count(db: Session, actor: Actor, *, only_unread: bool) -> int:
    query = select(sa.func.count()).select_from(StoredNotice)
    return db.exec(query.where(*_own(actor, only_unread=only_unread))).one()


def _readable(own: vault.Vault, row: StoredNotice) -> Notice | None:
    try:
        return Notice.read(own.open(row.notice_sealed, "notices", "notice", row.dedupe))
    except (SealBroken, ValueError):
        return None


def _add_once(db: Session, table: type[SQLModel], **values: Any) -> bool:
    """Add a row unless its occasion is there; wait for whoever is adding the same one."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.flush()
    added = (
        insert(table)
        .values(**values)
        .on_conflict_do_nothing()
        .returning(sa.literal_column("id", sa.Integer))
    )
    # PostgreSQL does not count what it returns, so what came back is asked for.
    return db.exec(added).first() is not None
