"""What the administrator sees of the service's own health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from emk_app.db.engine import reading
from emk_app.db.tables.exchange import ReceivedDocument, Shipment
from emk_app.db.tables.journal import Job, OutboxMessage
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.exchange import ReceivedState, ShipmentState
from emk_app.services import auditing


@dataclass(frozen=True, slots=True)
class Health:
    """Work that waits or was given up, and whether the audit chain holds."""

    jobs_waiting: int
    jobs_failed: int
    letters_waiting: int
    letters_dead: int
    conclusions_waiting: int
    """On their way to the system of ОМС."""
    conclusions_dead: int
    received_apart: int
    """Conclusions of other systems that wait for a decision."""
    broken_entry: int | None
    """The first audit entry that does not fit the chain."""


def health(actor: Actor, *, now: datetime) -> Health:
    """Return the service's health; the whole audit chain is gone through."""
    permit(actor, Role.ADMIN)
    auditing.look(actor, "service", fields="health", now=now)
    with reading() as db:

        def count(*conditions: sa.ColumnElement[bool]) -> int:
            return db.exec(select(sa.func.count()).where(*conditions)).one()

        return Health(
            jobs_waiting=count(col(Job.done_at).is_(None), col(Job.failed_at).is_(None)),
            jobs_failed=count(col(Job.failed_at).is_not(None), col(Job.dropped_at).is_(None)),
            letters_waiting=count(
                col(OutboxMessage.sent_at).is_(None), col(OutboxMessage.dead_at).is_(None)
            ),
            letters_dead=count(col(OutboxMessage.dead_at).is_not(None)),
            conclusions_waiting=count(col(Shipment.state) == ShipmentState.WAITING),
            conclusions_dead=count(col(Shipment.state) == ShipmentState.DEAD),
            received_apart=count(col(ReceivedDocument.state) == ReceivedState.QUARANTINED),
            broken_entry=auditing.first_broken(db),
        )
