"""Alarms about sweeps: raised from the audit by a job, told to administrators, once each (D51)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from emk_app.clock import MOSCOW
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.alerts import Alert
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.alerts import RULES, Alarm, Rule, is_off_hours
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, notifying

JOB: Final = "alerts"
TOPIC: Final = "alerts"
LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alarm as an administrator sees it."""

    id: int
    alarm: Alarm
    actor_id: int
    role: str
    count: int
    raised_at: datetime
    last_at: datetime
    is_open: bool


@dataclass(slots=True)
class _Counted:
    role: str
    last_at: datetime
    acts: int
    people: set[int]


def run(_target_id: int, now: datetime) -> None:
    """Look through the audit of the last hour; safe to repeat."""
    for alarm, rule in RULES.items():
        with unit_of_work() as db:
            for actor_id, found in _counted(db, alarm, rule, now).items():
                count = len(found.people) if rule.by_people else found.acts
                if count >= rule.threshold:
                    _raise(db, alarm, actor_id, found, count, now)


def alerts(actor: Actor, *, now: datetime) -> tuple[AlertView, ...]:
    """Return the last alarms, those that wait for a look first."""
    permit(actor, Role.ADMIN)
    auditing.look(actor, "service", fields="alerts", now=now)
    with reading() as db:
        rows = db.exec(
            select(Alert)
            .order_by(col(Alert.acknowledged_at).is_not(None), col(Alert.id).desc())
            .limit(LISTED)
        ).all()
    return tuple(
        AlertView(
            row.id,
            row.alarm,
            row.actor_id,
            row.role,
            row.count,
            row.raised_at,
            row.last_at,
            row.acknowledged_at is None,
        )
        for row in rows
    )


def acknowledge(actor: Actor, alert_id: int, *, now: datetime) -> None:
    """Note that an administrator has looked at it; what comes later is a new alarm.

    Raises ``NotFound``. A second time changes nothing.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = db.get(Alert, alert_id, with_for_update=True)
        if row is None:
            raise NotFound
        if row.acknowledged_at is not None:
            return
        row.acknowledged_at, row.acknowledged_by = now, actor.user_id
        db.add(row)
        changes.announce(db, TOPIC)
        auditing.record(db, actor, "acknowledge_alert", f"alert:{row.id}", now=now)


def _counted(db: Session, alarm: Alarm, rule: Rule, now: datetime) -> dict[int, _Counted]:
    """Count the acts of each person within the window that nobody has looked at yet."""
    seen_until: defaultdict[int, datetime] = defaultdict(lambda: now - rule.window)
    for row in db.exec(
        select(Alert).where(Alert.alarm == alarm, col(Alert.acknowledged_at) > now - rule.window)
    ):
        assert row.acknowledged_at is not None
        seen_until[row.actor_id] = max(seen_until[row.actor_id], row.acknowledged_at)
    found: dict[int, _Counted] = {}
    for entry in db.exec(
        select(AuditEntry).where(
            col(AuditEntry.at) > now - rule.window,
            col(AuditEntry.at) <= now,
            col(AuditEntry.action).in_(rule.actions),
        )
    ):
        who = entry.actor_id or 0
        if entry.at <= seen_until[who] or entry.subject_id == who:
            # What people do with their own records is their affair.
            continue
        if rule.only_off_hours and not is_off_hours(entry.at.astimezone(MOSCOW)):
            continue
        counted = found.setdefault(who, _Counted(entry.role, entry.at, 0, set()))
        counted.acts += 1
        counted.last_at = max(counted.last_at, entry.at)
        if entry.subject_id is not None:
            counted.people.add(entry.subject_id)
    return found


def _raise(
    db: Session, alarm: Alarm, actor_id: int, found: _Counted, count: int, now: datetime
) -> None:
    standing = db.exec(
        select(Alert).where(
            Alert.alarm == alarm,
            Alert.actor_id == actor_id,
            col(Alert.acknowledged_at).is_(None),
        )
    ).first()
    if standing is not None:
        if found.last_at > standing.last_at:
            standing.count, standing.last_at = max(count, standing.count), found.last_at
            db.add(standing)
            changes.announce(db, TOPIC)
        return
    row = Alert(
        alarm=alarm,
        actor_id=actor_id,
        role=found.role,
        count=count,
        raised_at=now,
        last_at=found.last_at,
    )
    db.add(row)
    db.flush()
    changes.announce(db, TOPIC)
    for admin in db.exec(
        select(User).where(User.role == Role.ADMIN, col(User.disabled_at).is_(None))
    ):
        notifying.tell(db, admin, Notice(News.ALARM), dedupe=f"alarm:{row.id}:{admin.id}", now=now)
    auditing.record(db, SYSTEM, "raise_alert", f"alert:{row.id}", fields=alarm.value, now=now)
