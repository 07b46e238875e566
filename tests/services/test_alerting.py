"""Sweeps through other people's data are noticed, told once, and looked at (D51)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain.actors import Actor, Role
from emk_app.domain.alerts import RULES, Alarm, is_off_hours
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.presenting import alerts as words
from emk_app.services import alerting, auditing
from emk_app.services.alerting import AlertView
from tests.factories import make_admin, make_holder, make_operator

pytestmark = pytest.mark.usefixtures("world")

ADMIN = Actor(9, Role.ADMIN)
NIGHT = datetime.fromisoformat("2026-11-24T01:30:00+03:00")


def note(actor: Actor | None, action: str, people: Iterable[int], at: datetime) -> None:
    with unit_of_work() as db:
        for person in people:
            auditing.record(db, actor, action, f"book:{person}", subject_id=1000 + person, now=at)


def found(now: datetime) -> list[AlertView]:
    return list(alerting.alerts(ADMIN, now=now))


@pytest.mark.parametrize(
    ("alarm", "action", "is_stranger"),
    [
        (Alarm.MASS_VIEWING, "view", False),
        (Alarm.DENIALS, "denied", False),
        (Alarm.DENIALS, "refuse_record_code", False),
        (Alarm.SEARCH_SWEEP, "look_up", True),
    ],
)
def test_alarm_is_raised_at_its_threshold_and_not_below(
    alarm: Alarm, action: str, is_stranger: bool, now: datetime
):
    rule = RULES[alarm]
    actor = None if is_stranger else make_operator(now)
    note(actor, action, range(1, rule.threshold), now)
    alerting.run(0, now)
    assert found(now) == []
    note(actor, action, [rule.threshold], now)
    alerting.run(0, now)
    [view] = found(now)
    assert (view.alarm, view.count) == (alarm, rule.threshold)
    assert view.actor_id == (actor.user_id if actor else 0)
    assert words.row(view).what


def test_export_at_night_is_an_alarm_and_by_day_is_not(now: datetime):
    operator = make_operator(now)
    note(operator, "view_act", [1], now)
    alerting.run(0, now)
    assert found(now) == []
    note(operator, "view_act", [1], NIGHT)
    alerting.run(0, NIGHT)
    assert [view.alarm for view in found(NIGHT)] == [Alarm.OFF_HOURS_EXPORT]
    assert is_off_hours(NIGHT)
    assert not is_off_hours(NIGHT.replace(hour=6, minute=0))
    assert is_off_hours(NIGHT.replace(hour=22, minute=0))


def test_what_is_spread_over_time_or_among_people_is_no_alarm(now: datetime):
    rule = RULES[Alarm.MASS_VIEWING]
    slow, often, holder = make_operator(now), make_operator(now), make_holder(now)
    half = rule.threshold // 2
    note(slow, "view", range(half), now - rule.window)
    note(slow, "view", range(half, rule.threshold), now)
    note(often, "view", [1] * (2 * rule.threshold), now)
    note(holder, "export_book", [holder.user_id - 1000] * 5, NIGHT)
    alerting.run(0, now)
    alerting.run(0, NIGHT)
    assert found(now) == []


def test_alarm_is_told_to_every_administrator_once(now: datetime):
    admins = [make_admin(now), make_admin(now)]
    operator = make_operator(now)
    note(operator, "view", range(60), now)
    for minutes in range(3):
        alerting.run(0, now + timedelta(minutes=minutes))
    note(operator, "view", range(100, 105), now + timedelta(minutes=4))
    alerting.run(0, now + timedelta(minutes=5))
    [view] = found(now)
    assert (view.count, view.last_at) == (65, now + timedelta(minutes=4))
    with reading() as db:
        told = db.exec(select(StoredNotice).order_by(col(StoredNotice.id))).all()
        letters = db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
    assert sorted(row.user_id for row in told) == [admin.user_id for admin in admins]
    assert len(letters) == 2


def test_looked_at_it_is_quiet_until_it_happens_again(now: datetime):
    operator = make_operator(now)
    note(operator, "view", range(60), now)
    alerting.run(0, now)
    [view] = found(now)
    seen = now + timedelta(minutes=1)
    for _ in range(2):
        alerting.acknowledge(ADMIN, view.id, now=seen)
    alerting.run(0, seen)
    assert [view.is_open for view in found(seen)] == [False]
    note(operator, "view", range(60), seen + timedelta(minutes=1))
    alerting.run(0, seen + timedelta(minutes=2))
    assert [view.is_open for view in found(seen)] == [True, False]
    with pytest.raises(NotFound):
        alerting.acknowledge(ADMIN, 99, now=now)


def test_alarms_are_the_administrators_alone(now: datetime):
    for role in (Role.HOLDER, Role.OPERATOR, Role.CLINIC):
        with pytest.raises(NotPermitted):
            alerting.alerts(replace(ADMIN, role=role), now=now)
        with pytest.raises(NotPermitted):
            alerting.acknowledge(replace(ADMIN, role=role), 1, now=now)
