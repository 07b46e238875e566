"""Messages to people: put into the outbox with the change that causes them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from emk_app.db import changes, vault
from emk_app.db.tables.journal import Channel, OutboxMessage
from emk_app.db.tables.people import User

CONTACT = ("users", "contact")


def channel_of(contact: str) -> Channel:
    """Return how a contact is reached: an address by mail, a number by SMS."""
    return Channel.EMAIL if "@" in contact else Channel.SMS


def tell(db: Session, user: User, text: str, *, dedupe: str, now: datetime) -> None:
    """Send ``text`` to the person's contact; ``dedupe`` names the occasion, told once.

    The text holds no personal data (security.md D44): a phone's screen is read by strangers.
    """
    if user.contact_sealed is None:
        return
    contact = vault.vault_of(user).open(user.contact_sealed, *CONTACT, user.uid)
    send(db, contact, text, dedupe=dedupe, user_id=user.id, now=now)


def send(
    db: Session, contact: str, text: str, *, dedupe: str, now: datetime, user_id: int | None = None
) -> None:
    """Put one message into the outbox, unless the occasion has been told already."""
    known = db.exec(select(OutboxMessage.id).where(OutboxMessage.dedupe == dedupe)).first()
    if known is not None:
        return
    db.add(
        OutboxMessage(
            channel=channel_of(contact),
            user_id=user_id,
            recipient_sealed=vault.service_seal(contact, "outbox", "recipient", dedupe),
            text_sealed=vault.service_seal(text, "outbox", "text", dedupe),
            dedupe=dedupe,
            created_at=now,
            due_at=now,
        )
    )
    changes.announce(db, "outbox")
