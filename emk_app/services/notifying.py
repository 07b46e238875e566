"""Messages to people: put beside the change that causes them, on the screen and into the outbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, select

from emk_app.clock import MOSCOW
from emk_app.db import changes, vault
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import NoticeChoice, StoredNotice
from emk_app.db.tables.people import User
from emk_app.domain.notices import Channel, Choices, Notice, good_until, is_wanted, leaves_at

CONTACT = ("users", "contact")


def channel_of(contact: str) -> Channel:
    """Return how a contact is reached: an address by mail, a number by SMS."""
    return Channel.EMAIL if "@" in contact else Channel.SMS


def topic_of(user_id: int) -> str:
    """Return the topic of a person's notices."""
    return f"notices:{user_id}"


def contacts_of(user: User) -> dict[Channel, str]:
    """Return where the person is reached; every contact was proved by a code."""
    if user.contact_sealed is None:
        return {}
    contact = vault.vault_of(user).open(user.contact_sealed, *CONTACT, user.uid)
    return {channel_of(contact): contact}


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


def _add_once(db: Session, table: type[SQLModel], **values: Any) -> bool:
    """Add a row unless its occasion is there; wait for whoever is adding the same one."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.flush()
    return db.exec(insert(table).values(**values).on_conflict_do_nothing()).rowcount == 1
