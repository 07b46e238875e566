"""Whether each part of the service works: tried by real acts, counted by days, shown to all."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, delete, select

from emk_app import clock, incidents
from emk_app.clock import MOSCOW
from emk_app.crypto.signing import KeyUse, p256_key, verify_bytes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.exchange import Shipment
from emk_app.db.tables.journal import Job, OutboxMessage
from emk_app.db.tables.upkeep import ComponentDay, ComponentIncident, ComponentStanding
from emk_app.domain.exchange import ShipmentState
from emk_app.domain.notices import Channel
from emk_app.domain.upkeep import FAILING, KEPT, LONGEST_GAP, Component, Standing, by_day, worse
from emk_app.keys import signer
from emk_app.outbound.reaching import reach
from emk_app.settings import settings

log = logging.getLogger("emk.upkeep")

JOB: Final = "upkeep"
OVERDUE: Final = timedelta(minutes=15)
STUCK: Final = timedelta(hours=2)
"""What has waited so long for a worker or a gateway is not on its way any more."""
SHOWN_INCIDENTS: Final = 30

Check = Callable[[datetime], Standing]


@dataclass(frozen=True, slots=True)
class Day:
    """Seconds of one day."""

    on: date
    up: int
    degraded: int
    down: int


@dataclass(frozen=True, slots=True)
class Line:
    """One part: how it does, None where that is not known, and its days, oldest first."""

    component: Component
    standing: Standing | None
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """What went wrong; ``ended_at`` is None while it does."""

    component: Component
    worst: Standing
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Board:
    """What everybody may know of the service's health."""

    checked_at: datetime | None
    is_fresh: bool
    lines: tuple[Line, ...]
    incidents: tuple[Incident, ...]


def board(*, now: datetime) -> Board:
    """Return how the parts do and did; what was checked too long ago is not known."""
    with reading() as db:
        standings = {row.component: row for row in db.exec(select(ComponentStanding)).all()}
        days = db.exec(
            select(ComponentDay)
            .where(col(ComponentDay.day) > clock.day_of(now - KEPT))
            .order_by(col(ComponentDay.day))
        ).all()
        troubles = db.exec(
            select(ComponentIncident)
            .order_by(col(ComponentIncident.began_at).desc())
            .limit(SHOWN_INCIDENTS)
        ).all()
        checked_at = max((row.checked_at for row in standings.values()), default=None)
        is_fresh = checked_at is not None and now - checked_at <= LONGEST_GAP
        return Board(
            checked_at,
            is_fresh,
            tuple(
                Line(
                    component,
                    standings[component].standing if is_fresh and component in standings else None,
                    tuple(
                        Day(each.day, each.up, each.degraded, each.down)
                        for each in days
                        if each.component is component
                    ),
                )
                for component in Component
            ),
            tuple(
                Incident(each.component, each.worst, each.began_at, each.ended_at)
                for each in troubles
            ),
        )


def look(_target_id: int, now: datetime, checks: Mapping[Component, Check] | None = None) -> None:
    """Try every part and note how it does; safe to repeat."""
    tried = CHECKS if checks is None else checks

    def attempt(component: Component) -> Standing:
        return _try(component, tried[component], now)

    with ThreadPoolExecutor(len(tried)) as pool:
        found = dict(zip(tried, pool.map(attempt, tried), strict=True))
    with unit_of_work() as db:
        for component, standing in found.items():
            _note(db, component, standing, now)
        db.exec(delete(ComponentDay).where(col(ComponentDay.day) <= clock.day_of(now - KEPT)))
        db.exec(delete(ComponentIncident).where(col(ComponentIncident.ended_at) <= now - KEPT))


def _try(component: Component, check: Check, now: datetime) -> Standing:
    try:
        return check(now)
    except Exception as error:
        log.warning("%s does not work: %s", component, incidents.trace(error))
        return Standing.DOWN


def _note(db: Session, component: Component, standing: Standing, now: datetime) -> None:
    row = db.get(ComponentStanding, component)
    if row is None:
        row = ComponentStanding(component=component, standing=standing, checked_at=now)
    elif row.checked_at < now:
        if now - row.checked_at <= LONGEST_GAP:
            _count(db, component, row.standing, row.checked_at, now)
        elif component is Component.SITE:
            # Who checks lives with what answers: where the one was away, the other was.
            _count(db, component, Standing.DOWN, row.checked_at, now)
            db.add(
                ComponentIncident(
                    component=component,
                    worst=Standing.DOWN,
                    began_at=row.checked_at,
                    ended_at=now,
                )
            )
        row.standing, row.checked_at = standing, now
    db.add(row)
    trouble = db.exec(
        select(ComponentIncident).where(
            ComponentIncident.component == component, col(ComponentIncident.ended_at).is_(None)
        )
    ).first()
    if standing not in FAILING:
        if trouble is not None:
            trouble.ended_at = now
            db.add(trouble)
    elif trouble is None:
        db.add(ComponentIncident(component=component, worst=standing, began_at=now))
    else:
        trouble.worst = worse(trouble.worst, standing)
        db.add(trouble)


def _count(
    db: Session, component: Component, standing: Standing, since: datetime, until: datetime
) -> None:
    if standing is Standing.OFF:
        return
    for day, seconds in by_day(since, until, MOSCOW):
        row = db.get(ComponentDay, (component, day)) or ComponentDay(component=component, day=day)
        match standing:
            case Standing.UP:
                row.up += seconds
            case Standing.DEGRADED:
                row.degraded += seconds
            case _:
                row.down += seconds
        db.add(row)
        db.flush()


def _database(_now: datetime) -> Standing:
    with reading() as db:
        db.connection().execute(sa.text("SELECT 1"))
    return Standing.UP


def _storage(_now: datetime) -> Standing:
    folder = settings().data
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"1")
        file.flush()
        os.fsync(file.fileno())
    free = shutil.disk_usage(folder).free
    return Standing.UP if free >= settings().least_free else Standing.DEGRADED


def _messages(now: datetime) -> Standing:
    oldest = _oldest(col(Job.due_at), col(Job.done_at).is_(None), col(Job.failed_at).is_(None))
    return _by_age(oldest, now)


def _email(now: datetime) -> Standing:
    server = settings().smtp
    return _gateway(Channel.EMAIL, (server.host, server.port) if server else None, now)


def _sms(now: datetime) -> Standing:
    return _gateway(Channel.SMS, _place(settings().sms_url), now)


def _gateway(channel: Channel, place: tuple[str, int] | None, now: datetime) -> Standing:
    if place is None and not settings().is_demo:
        return Standing.OFF
    if place is not None:
        reach(*place)
    oldest = _oldest(
        col(OutboxMessage.due_at),
        col(OutboxMessage.channel) == channel,
        col(OutboxMessage.sent_at).is_(None),
        col(OutboxMessage.dead_at).is_(None),
        col(OutboxMessage.dropped_at).is_(None),
    )
    return _by_age(oldest, now)


def _exchange(now: datetime) -> Standing:
    place = _place(settings().exchange_url)
    if place is not None:
        reach(*place)
    elif not settings().exchanges_with_itself:
        return Standing.OFF
    oldest = _oldest(col(Shipment.due_at), col(Shipment.state) == ShipmentState.WAITING)
    return _by_age(oldest, now)


def _signing(now: datetime) -> Standing:
    said = f"upkeep {now.isoformat()}".encode()
    held = signer(KeyUse.BOOK)
    key = p256_key(held.certificate)
    return Standing.UP if verify_bytes(key, held.sign(said), said) else Standing.DOWN


def _oldest(due_at: Mapped[datetime], *conditions: sa.ColumnElement[bool]) -> datetime | None:
    with reading() as db:
        return db.exec(select(due_at).where(*conditions).order_by(due_at).limit(1)).first()


def _by_age(oldest: datetime | None, now: datetime) -> Standing:
    if oldest is None:
        return Standing.UP
    # What fell due while this process was not there has waited for it no longer than it is there.
    waited = now - max(oldest, _awake_since())
    if waited <= OVERDUE:
        return Standing.UP
    return Standing.DEGRADED if waited <= STUCK else Standing.DOWN


@cache
def _awake_since() -> datetime:
    return clock.now()


def _place(url: str | None) -> tuple[str, int] | None:
    if url is None:
        return None
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


CHECKS: Final[dict[Component, Check]] = {
    Component.SITE: lambda _: Standing.UP,
    Component.DATABASE: _database,
    Component.STORAGE: _storage,
    Component.MESSAGES: _messages,
    Component.SMS: _sms,
    Component.EMAIL: _email,
    Component.EXCHANGE: _exchange,
    Component.SIGNING: _signing,
}
