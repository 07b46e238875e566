"""Count tries before anything costly is done; the count survives whatever comes after (D16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from emk_app import attempts
from emk_app.crypto import tokens
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.leases import AHEAD
from emk_app.db.tables.people import Throttle
from emk_app.domain.accounts import (
    LONGEST_WINDOW,
    MESSAGES,
    MESSAGES_TO_ALL,
    Rule,
    blocked_for,
)
from emk_app.domain.errors import TooManyAttempts
from emk_app.keys import keystore


def key_of(purpose: str, subject: str) -> str:
    """Return the key under which ``subject`` is counted; it never stands in clear."""
    return f"{purpose}:{tokens.keyed_digest(keystore().session_key, subject, purpose)[:40]}"


def spend(*those: tuple[str, Rule], now: datetime) -> None:
    """Count one try under each key; raise ``TooManyAttempts`` if any door is shut.

    A transaction of its own, before the try: a failure afterwards does not undo the count. What is
    refused here is no try, and counted nowhere.
    """
    with unit_of_work() as db:
        rows = [(_row(db, key, now), rule) for key, rule in those]
        _refuse_shut(rows, now)
        for row, rule in rows:
            # A count from a clock that was ahead goes on from here.
            row.since = min(row.since, now)
            if not row.failures or now - row.since >= rule.window:
                row.failures, row.since, row.blocked_until = 0, now, None
            row.failures += 1
            wait = blocked_for(row.failures, rule, now - row.since)
            if wait:
                # This try is still let through; the next one waits.
                row.blocked_until = now + wait


def check(*those: tuple[str, Rule], now: datetime) -> None:
    """Raise ``TooManyAttempts`` if any door is shut, counting nothing."""
    with reading() as db:
        rows = [(db.get(Throttle, key), rule) for key, rule in those]
    _refuse_shut([(row, rule) for row, rule in rows if row is not None], now)


def forgive(*keys: str) -> None:
    """Forget the tries under ``keys``, after a success."""
    with unit_of_work() as db:
        db.exec(delete(Throttle).where(col(Throttle.key).in_(keys)))


def refund(*keys: str) -> None:
    """Take one try under each of ``keys`` back, after a success; the failures stay counted."""
    with unit_of_work() as db:
        db.exec(
            sa.update(Throttle)
            .where(col(Throttle.key).in_(keys), col(Throttle.failures) > 0)
            .values(failures=Throttle.failures - 1, blocked_until=None)
        )


def spend_messages(*contacts: str, now: datetime, by_owner: bool = False) -> None:
    """Count one message to each of ``contacts``.

    What strangers ask for is counted apart from what the owner does, or they could shut the owner
    out. Raises ``TooManyAttempts`` where one of them has got as many as may be (D16).
    """
    spend(
        *(
            (key_of(f"{'own-' if by_owner else ''}message-{place}", contact), rule)
            for contact in contacts
            for place, rule in enumerate(MESSAGES)
        ),
        (key_of("message", "all"), MESSAGES_TO_ALL),
        now=now,
    )


def sweep(*, now: datetime) -> None:
    """Forget counts that no longer shut any door."""
    with unit_of_work() as db:
        db.exec(
            delete(Throttle).where(
                col(Throttle.since) <= now - LONGEST_WINDOW,
                sa.or_(col(Throttle.blocked_until).is_(None), col(Throttle.blocked_until) <= now),
            )
        )


def _refuse_shut(doors: Sequence[tuple[Throttle, Rule]], now: datetime) -> None:
    """Raise ``TooManyAttempts`` where one is shut.

    What is shut for longer than its rule allows was shut by a clock that was ahead.
    """
    shut = [
        (until, row.key)
        for row, rule in doors
        if (until := row.blocked_until) is not None
        and now < until <= now + (rule.window if rule.is_quota else rule.longest_block) + AHEAD
    ]
    if shut:
        until, key = max(shut)
        attempts.note("shut_door", key, key.partition(":")[0])
        raise TooManyAttempts(until)


def _row(db: Session, key: str, now: datetime) -> Throttle:
    """Return the count under ``key``, begun if need be, also when two begin it at once."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.exec(insert(Throttle).values(key=key, failures=0, since=now).on_conflict_do_nothing())
    return db.exec(select(Throttle).where(Throttle.key == key).with_for_update()).one()
