"""Take what waits in the outbox to the gateway, at least once, under a lease (D32)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import Channel, OutboxMessage
from emk_app.domain.errors import NotFound
from emk_app.outbound.transports import JsonLines, Letter, Transport
from emk_app.settings import settings

log = logging.getLogger("emk.outbox")

LEASE: Final = timedelta(minutes=1)
TRIES: Final = 10
SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class DemoLetter:
    """A letter as the demo shows it to whoever tries the service out."""

    id: int
    channel: Channel
    recipient: str
    text: str
    created_at: datetime
    is_sent: bool


def transport() -> Transport | None:
    """Return the gateway of the settings; without one, letters wait in the outbox."""
    return JsonLines(settings().data / "outbox.jsonl") if settings().is_demo else None


def deliver_due(gateway: Transport | None, *, now: datetime) -> int:
    """Send what is due; return how many left."""
    sent = 0
    while gateway is not None and (message := _take(now)) is not None:
        try:
            recipient, text = _opened(message)
            gateway.send(Letter(message.channel.value, recipient, text, message.dedupe), now)
        except Exception as error:
            # The error of a gateway may quote the letter, so only its kind is logged.
            log.warning("letter %s not sent: %s", message.id, type(error).__name__)
            _put_back(message, now)
        else:
            sent += 1
            _note(message, sent_at=now)
    return sent


def demo_letters() -> list[DemoLetter]:
    """Return the newest letters; outside the demo there is no such page."""
    if not settings().is_demo:
        raise NotFound
    with reading() as db:
        rows = db.exec(
            select(OutboxMessage).order_by(col(OutboxMessage.id).desc()).limit(SHOWN)
        ).all()
    return [
        DemoLetter(row.id, row.channel, *_opened(row), row.created_at, row.sent_at is not None)
        for row in rows
    ]


def _opened(message: OutboxMessage) -> tuple[str, str]:
    """Return recipient and text."""
    return (
        vault.service_open(message.recipient_sealed, "outbox", "recipient", message.dedupe),
        vault.service_open(message.text_sealed, "outbox", "text", message.dedupe),
    )


def _take(now: datetime) -> OutboxMessage | None:
    with unit_of_work() as db:
        message = db.exec(
            select(OutboxMessage)
            .where(
                col(OutboxMessage.sent_at).is_(None),
                col(OutboxMessage.dead_at).is_(None),
                col(OutboxMessage.due_at) <= now,
                sa.or_(
                    col(OutboxMessage.leased_until).is_(None),
                    col(OutboxMessage.leased_until) <= now,
                ),
            )
            .order_by(col(OutboxMessage.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if message is not None:
            message.leased_until = now + LEASE
            message.attempts += 1
            db.add(message)
        return message


def _put_back(message: OutboxMessage, now: datetime) -> None:
    if message.attempts >= TRIES:
        _note(message, dead_at=now)
    else:
        later = now + timedelta(seconds=min(2**message.attempts, 600))
        _note(message, leased_until=None, due_at=later)


def _note(message: OutboxMessage, **values: datetime | None) -> None:
    with unit_of_work() as db:
        db.exec(
            sa.update(OutboxMessage).where(col(OutboxMessage.id) == message.id).values(**values)
        )
        changes.announce(db, "letters")
