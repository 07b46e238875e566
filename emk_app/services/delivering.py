"""Take what waits in the outbox to the gateways, at least once, under a lease (D32)."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from emk_app.clock import MOSCOW
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, leases, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.leases import LEASE
from emk_app.db.tables.journal import OutboxMessage
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import (
    LONGEST_PAUSE,
    OBLIGATORY,
    TRIES,
    Channel,
    LetterEnded,
    Message,
    Notice,
    NoticeKind,
    is_given_up,
    is_quiet,
    pause_after,
)
from emk_app.outbound.sms import SmsGateway
from emk_app.outbound.smtp import Smtp
from emk_app.outbound.transports import (
    JsonLines,
    Letter,
    NotSent,
    Postponed,
    Refused,
    Transport,
    Unavailable,
)
from emk_app.services import auditing, notifying
from emk_app.settings import settings

log = logging.getLogger("emk.outbox")

"""Longer than any gateway is waited for."""
BATCH: Final = 20
"""Letters of one round: a process that is told to stop does not go on for ever."""
SHOWN: Final = 100
TOPIC: Final = "letters"
MANAGE_PAGE: Final = "/cabinet/notices/settings"

Words = Callable[[Notice, Channel], Message]
"""Puts a notice into the words of a channel."""


class LetterState(StrEnum):
    """How far a letter has come."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class DemoLetter:
    """A letter as the demo shows it to whoever tries the service out."""

    id: int
    channel: Channel
    recipient: str
    text: str | None
    """None where this release can't read it."""
    created_at: datetime
    due_at: datetime
    state: LetterState


def gateway_of(channel: Channel) -> Transport | None:
    """Return the gateway of the settings; without one, letters wait in the outbox."""
    given = settings()
    if channel is Channel.EMAIL and given.smtp is not None and given.mail_from is not None:
        return Smtp(given.smtp, given.mail_from, manage_url=f"{given.origin}{MANAGE_PAGE}")
    if channel is Channel.SMS and given.sms_url is not None:
        return SmsGateway(given.sms_url, given.sms_token, sender=given.sms_sender)
    return JsonLines(settings().data / "outbox.jsonl") if settings().is_demo else None


def deliver_due(
    channel: Channel,
    gateway: Transport | None,
    words: Words,
    *,
    clock: Callable[[], datetime],
    jitter: Callable[[], float] = random.random,
) -> int:
    """Send what is due by one channel, at most a batch; return how many left.

    A gateway that takes nothing now is left alone until the next round.
    """
    sent = 0
    for _ in range(BATCH):
        now = clock()
        message = _take(channel, now) if gateway is not None else None
        if gateway is None or message is None:
            break
        try:
            gateway.send(_letter(message, words), now)
        except NotSent as error:
            _put_back(message, error, clock(), jitter())
            if isinstance(error, Unavailable):
                break
        except Exception as error:
            # What an unknown error says may quote the letter, so only its kind is logged.
            log.warning("letter %s: %s", message.id, type(error).__name__)
            _put_back(message, Postponed("fault"), clock(), jitter())
        else:
            sent += 1
            _note(message, sent_at=clock(), failure="")
    return sent


def demo_letters(
    words: Words, *, channel: Channel | None = None, state: LetterState | None = None
) -> list[DemoLetter]:
    """Return the newest letters, of one channel and state if asked; there is none outside the
    demo.
    """
    if not settings().is_demo:
        raise NotFound
    with reading() as db:
        query = select(OutboxMessage)
        if channel is not None:
            query = query.where(OutboxMessage.channel == channel)
        if state is not None:
            query = query.where(*_IN_STATE[state])
        rows = db.exec(query.order_by(col(OutboxMessage.id).desc()).limit(SHOWN)).all()
    return [
        DemoLetter(
            row.id,
            row.channel,
            _recipient(row),
            _text(row, words),
            row.created_at,
            row.due_at,
            state_of(row),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A letter that has not left in its time, as the administrator sees it: of nobody in clear."""

    id: int
    channel: Channel
    recipient: str
    """Masked; empty where it can't be read."""
    kind: NoticeKind | None
    state: LetterState
    failure: str
    attempts: int
    created_at: datetime
    due_at: datetime


def stuck(actor: Actor, *, now: datetime) -> list[Stuck]:
    """Return letters that were given up, then those that failed so far, newest first."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    if actor.role is Role.ADMIN:
        auditing.look(actor, "outbox", fields="stuck", now=now)
    with reading() as db:
        rows = db.exec(
            select(OutboxMessage)
            .where(
                col(OutboxMessage.sent_at).is_(None),
                col(OutboxMessage.dropped_at).is_(None),
                sa.or_(col(OutboxMessage.dead_at).is_not(None), col(OutboxMessage.failure) != ""),
            )
            .order_by(col(OutboxMessage.dead_at).is_(None), col(OutboxMessage.id).desc())
            .limit(SHOWN)
        ).all()
    return [_stuck(row) for row in rows]


def retry(actor: Actor, letter_id: int, *, now: datetime) -> None:
    """Try a letter again as if it were new; raise ``LetterEnded`` where it has left already."""
    _decide(actor, letter_id, "retry_letter", now, dead_at=None, attempts=0, due_at=now, failure="")


def drop(actor: Actor, letter_id: int, *, now: datetime) -> None:
    """Lay a letter aside for good; raise ``LetterEnded`` where it has left already."""
    _decide(actor, letter_id, "drop_letter", now, dropped_at=now)


def _decide(actor: Actor, letter_id: int, action: str, now: datetime, **values: Any) -> None:
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = db.exec(
            select(OutboxMessage).where(OutboxMessage.id == letter_id).with_for_update()
        ).first()
        if row is None:
            raise NotFound
        is_leased = leases.is_held(row.leased_until, now)
        if state_of(row) in (LetterState.SENT, LetterState.DROPPED) or is_leased:
            raise LetterEnded
        for name, value in values.items():
            setattr(row, name, value)
        row.created_at = now if action == "retry_letter" else row.created_at
        row.leased_until = None
        db.add(row)
        # The chain of the audit grows under a lock, so every other row is locked before.
        auditing.record(db, actor, action, f"letter:{letter_id}", subject_id=row.user_id, now=now)
        changes.announce(db, TOPIC, "outbox")


def _stuck(row: OutboxMessage) -> Stuck:
    try:
        recipient, kind = notifying.masked(_recipient(row)), notice_of(row).kind
    except (SealBroken, ValueError):
        recipient, kind = "", None
    return Stuck(
        row.id,
        row.channel,
        recipient,
        kind,
        state_of(row),
        row.failure,
        row.attempts,
        row.created_at,
        row.due_at,
    )


def state_of(message: OutboxMessage) -> LetterState:
    """Return how far a letter has come."""
    if message.sent_at is not None:
        return LetterState.SENT
    if message.dropped_at is not None:
        return LetterState.DROPPED
    return LetterState.DEAD if message.dead_at is not None else LetterState.WAITING


def _recipient(message: OutboxMessage) -> str:
    return vault.service_open(message.recipient_sealed, "outbox", "recipient", message.dedupe)


def notice_of(message: OutboxMessage) -> Notice:
    """Return what a message tells; raise ``SealBroken`` or ``ValueError`` if it is unreadable."""
    text = vault.service_open(message.notice_sealed, "outbox", "notice", message.dedupe)
    return Notice.read(text)


def _text(message: OutboxMessage, words: Words) -> str | None:
    try:
        return words(notice_of(message), message.channel).text
    except (SealBroken, ValueError):
        return None


def _letter(message: OutboxMessage, words: Words) -> Letter:
    """Put a message into words; raise ``Refused`` where it can't be read."""
    try:
        notice, recipient = notice_of(message), _recipient(message)
        said = words(notice, message.channel)
    except Exception as error:
        log.warning("letter %s can't be read: %s", message.id, type(error).__name__)
        raise Refused("unreadable") from None
    return Letter(
        message.channel.value,
        recipient,
        said.text,
        message.dedupe,
        subject=said.subject,
        is_optional=notice.kind not in OBLIGATORY,
    )


def _waits(table: Any = OutboxMessage) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what is true of a letter that has not come to its end."""
    ends = (table.sent_at, table.dead_at, table.dropped_at)
    return tuple(col(each).is_(None) for each in ends)


_IN_STATE: Final[dict[LetterState, tuple[sa.ColumnElement[bool], ...]]] = {
    LetterState.WAITING: _waits(),
    LetterState.SENT: (col(OutboxMessage.sent_at).is_not(None),),
    LetterState.DROPPED: (col(OutboxMessage.dropped_at).is_not(None),),
    LetterState.DEAD: (
        col(OutboxMessage.dead_at).is_not(None),
        col(OutboxMessage.dropped_at).is_(None),
    ),
}


def _take(channel: Channel, now: datetime) -> OutboxMessage | None:
    """Lease the next letter that is due: urgent ones first, those of one lane in their order."""
    earlier = aliased(OutboxMessage)
    conditions = [
        *_waits(),
        col(OutboxMessage.channel) == channel,
        leases.is_due(col(OutboxMessage.due_at), col(OutboxMessage.created_at), now),
        leases.is_free(col(OutboxMessage.leased_until), now),
        ~sa.exists().where(
            col(earlier.lane) == col(OutboxMessage.lane),
            col(earlier.id) < col(OutboxMessage.id),
            *_waits(earlier),
        ),
    ]
    if channel is Channel.SMS and is_quiet(now.astimezone(MOSCOW)):
        conditions.append(col(OutboxMessage.is_urgent).is_(True))
    query = (
        select(OutboxMessage)
        .where(*conditions)
        .order_by(col(OutboxMessage.is_urgent).desc(), col(OutboxMessage.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while True:
        with unit_of_work() as db:
            message = db.exec(query).first()
            if message is None:
                return None
            db.add(message)
            if message.expires_at is not None and message.expires_at <= now:
                message.dropped_at, message.failure = now, "stale"
            elif message.attempts >= TRIES:
                # No try has come back to say so: it takes the process down each time.
                message.dead_at, message.failure = now, "fatal"
            else:
                message.leased_until = now + LEASE
                message.attempts += 1
                return message
            changes.announce(db, TOPIC)


def _put_back(message: OutboxMessage, error: NotSent, now: datetime, jitter: float) -> None:
    """Try again later, each time twice as late, or leave the letter for people to look at."""
    log.warning("letter %s not sent, try %s: %s", message.id, message.attempts, error.reason)
    failure = error.reason[:40]
    if isinstance(error, Refused) or is_given_up(message.attempts, now - message.created_at):
        _note(message, dead_at=now, leased_until=None, failure=failure)
        return
    pause = pause_after(message.attempts, jitter)
    if error.retry_after is not None:
        pause = max(pause, min(error.retry_after, LONGEST_PAUSE))
    _note(message, leased_until=None, due_at=now + pause, failure=failure)


def _note(message: OutboxMessage, **values: datetime | str | None) -> None:
    """Write how a try has ended, unless the lease ran out and another worker has the letter."""
    with unit_of_work() as db:
        db.exec(
            sa.update(OutboxMessage)
            .where(
                col(OutboxMessage.id) == message.id,
                col(OutboxMessage.leased_until) == message.leased_until,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        changes.announce(db, TOPIC)
