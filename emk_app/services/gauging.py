"""How much waits, for how long, and what was given up: for those who run the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db.engine import reading
from emk_app.db.tables.exchange import Shipment
from emk_app.db.tables.journal import Job, OutboxMessage
from emk_app.domain.exchange import ShipmentState


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue at a moment."""

    name: str
    waiting: int
    """What is due and not done, leased or not; what waits for its hour is not counted."""
    oldest_seconds: float
    """How long the longest of them has been due."""
    dead: int
    """What was given up and waits for people."""


def queues(*, now: datetime) -> tuple[Queue, ...]:
    """Return the queues of jobs, letters and the exchange."""
    with reading() as db:
        return (
            _queue(
                db,
                "jobs",
                col(Job.due_at),
                sa.and_(col(Job.done_at).is_(None), col(Job.failed_at).is_(None)),
                sa.and_(col(Job.failed_at).is_not(None), col(Job.dropped_at).is_(None)),
                now,
            ),
            _queue(
                db,
                "outbox",
                col(OutboxMessage.due_at),
                sa.and_(
                    col(OutboxMessage.sent_at).is_(None),
                    col(OutboxMessage.dead_at).is_(None),
                    col(OutboxMessage.dropped_at).is_(None),
                ),
                sa.and_(
                    col(OutboxMessage.dead_at).is_not(None),
                    col(OutboxMessage.dropped_at).is_(None),
                ),
                now,
            ),
            _queue(
                db,
                "exchange",
                col(Shipment.due_at),
                col(Shipment.state) == ShipmentState.WAITING,
                col(Shipment.state) == ShipmentState.DEAD,
                now,
            ),
        )


def _queue(
    db: Session,
    name: str,
    due_at: Any,
    is_open: sa.ColumnElement[bool],
    is_dead: sa.ColumnElement[bool],
    now: datetime,
) -> Queue:
    waiting, oldest = db.exec(
        select(sa.func.count(), sa.func.min(due_at)).where(is_open, due_at <= now)
    ).one()
    dead = db.exec(select(sa.func.count()).where(is_dead)).one()
    age = (now - oldest).total_seconds() if oldest is not None else 0.0
    return Queue(name, waiting, max(age, 0.0), dead)
