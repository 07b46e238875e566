"""Count tries before anything costly is done; the count survives whatever comes after (D16)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from emk_app.crypto import tokens
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import Throttle
from emk_app.domain.accounts import LONGEST_WINDOW, Rule, blocked_for
from emk_app.domain.errors import TooManyAttempts
from emk_app.keys import keystore


def key_of(purpose: str, subject: str) -> str:
    """Return the key under which ``subject`` is counted; it never stands in clear."""
    return f"{purpose}:{tokens.keyed_digest(keystore().session_key, subject, purpose)[:40]}"


def spend(*those: tuple[str, Rule], now: datetime) -> None:
    """Count one try under each key; raise ``TooManyAttempts`` if any door is shut.

    A transaction of its own, before the try: a failure afterwards does not undo the count.
    """
    shut: datetime | None = None
    with unit_of_work() as db:
        for key, rule in those:
            row = _row(db, key, now)
            if row.blocked_until is not None and row.blocked_until > now:
                shut = max(shut or row.blocked_until, row.blocked_until)
                continue
            if now - row.since > rule.window:
                row.failures, row.since, row.blocked_until = 0, now, None
            row.failures += 1
            wait = blocked_for(row.failures, rule)
            if wait:
                # This try is still let through; the next one waits.
                row.blocked_until = now + wait
    if shut is not None:
        raise TooManyAttempts(shut)


def check(*keys: str, now: datetime) -> None:
    """Raise ``TooManyAttempts`` if any door is shut, counting nothing."""
    with reading() as db:
        shut = db.exec(
            select(sa.func.max(Throttle.blocked_until)).where(col(Throttle.key).in_(keys))
        ).one()
    if shut is not None and shut > now:
        raise TooManyAttempts(shut)


def forgive(*keys: str) -> None:
    """Forget the tries under ``keys``, after a success."""
    with unit_of_work() as db:
        db.exec(delete(Throttle).where(col(Throttle.key).in_(keys)))


def sweep(*, now: datetime) -> None:
    """Forget counts that no longer shut any door."""
    with unit_of_work() as db:
        db.exec(
            delete(Throttle).where(
                col(Throttle.since) <= now - LONGEST_WINDOW,
                sa.or_(col(Throttle.blocked_until).is_(None), col(Throttle.blocked_until) <= now),
            )
        )


def _row(db: Session, key: str, now: datetime) -> Throttle:
    """Return the count under ``key``, begun if need be, also when two begin it at once."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.exec(insert(Throttle).values(key=key, failures=0, since=now).on_conflict_do_nothing())
    return db.exec(select(Throttle).where(Throttle.key == key).with_for_update()).one()
