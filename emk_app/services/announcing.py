"""Hours in which the service is worked on: announced by administrators, told to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from emk_app.clock import MOSCOW
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.kept import Kept
from emk_app.db.tables.news import MaintenanceWindow
from emk_app.domain import news as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.errors import NotFound
from emk_app.services import auditing

TOPIC: Final = "maintenance"
SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class WindowView:
    """Announced hours that have not ended."""

    id: int
    starts_at: datetime
    ends_at: datetime
    text: str


def ahead(*, now: datetime) -> list[WindowView]:
    """Return what is announced and has not ended, the nearest first."""
    with reading() as db:
        rows = db.exec(
            select(MaintenanceWindow)
            .where(col(MaintenanceWindow.ends_at) > now)
            .order_by(col(MaintenanceWindow.starts_at), col(MaintenanceWindow.id))
            .limit(SHOWN)
        ).all()
        return [WindowView(row.id, row.starts_at, row.ends_at, row.text) for row in rows]


def near(*, now: datetime) -> list[WindowView]:
    """Return what every screen tells of: work that goes on or is near; costs no read by itself."""
    return [
        each for each in _kept.get(now) if each.ends_at > now >= each.starts_at - rules.TOLD_BEFORE
    ]


def announce(actor: Actor, starts: str, ends: str, about: str, *, now: datetime) -> int:
    """Announce hours of Moscow's clock; raise ``Invalid`` by the names of the arguments."""
    permit(actor, Role.ADMIN)
    said = rules.read_window(starts, ends, about, now=now, zone=MOSCOW)
    with unit_of_work() as db:
        row = MaintenanceWindow(
            starts_at=said.starts_at, ends_at=said.ends_at, text=said.text, created_at=now
        )
        db.add(row)
        db.flush()
        changes.announce(db, TOPIC)
        auditing.record(db, actor, "announce_maintenance", f"maintenance:{row.id}", now=now)
        return row.id


def cancel(actor: Actor, window_id: int, *, now: datetime) -> None:
    """Take an announcement back, or end it; raise ``NotFound``."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = db.exec(
            select(MaintenanceWindow).where(MaintenanceWindow.id == window_id).with_for_update()
        ).first()
        if row is None:
            raise NotFound
        changes.announce(db, TOPIC)
        auditing.record(db, actor, "cancel_maintenance", f"maintenance:{row.id}", now=now)
        db.delete(row)


def _ahead(now: datetime) -> list[WindowView]:
    return ahead(now=now)


_kept: Final = Kept(TOPIC, _ahead)
