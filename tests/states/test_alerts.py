"""Alarms as an administrator's tab meets them, and refusals as the audit does."""

from __future__ import annotations

from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.alerts import RULES, Alarm
from emk_app.services import alerting, auditing
from emk_app.states.alerts import AlertsState
from tests.factories import make_admin, make_holder
from tests.states.conftest import Screens

PAGE = "/admin/alerts"


async def test_refusals_are_noted_and_many_of_them_are_an_alarm(screens: Screens):
    admin, holder = make_admin(clock.now()), make_holder(clock.now())
    screen = await screens.signed_in(admin.user_id)
    await screen.follow(AlertsState.follow, PAGE)
    await screen.until(AlertsState, lambda state: state.is_loaded)
    theirs = await screens.signed_in(holder.user_id)
    name = f"{AlertsState.get_full_name()}.acknowledge"
    for _ in range(RULES[Alarm.DENIALS].threshold):
        await theirs.forge(name, PAGE, alert_id=1)
    with reading() as db:
        noted = db.exec(select(AuditEntry).where(AuditEntry.action == "denied")).all()
    assert {entry.actor_id for entry in noted} == {holder.user_id}
    assert len(noted) == RULES[Alarm.DENIALS].threshold
    alerting.run(0, clock.now())
    state = await screen.until(AlertsState, lambda state: bool(state.rows))
    assert (state.rows[0].what, state.rows[0].is_open) == ("Много отказов подряд", True)
    await screen.send(AlertsState.acknowledge(state.rows[0].id), PAGE)
    assert not (await screen.state(AlertsState)).rows[0].is_open


async def test_flood_of_refusals_is_not_written_down_whole(screens: Screens):
    holder = make_holder(clock.now())
    for _ in range(auditing.DENIALS_NOTED + 5):
        auditing.denied(holder, "x" * 100, now=clock.now())
    with reading() as db:
        noted = db.exec(select(AuditEntry).where(AuditEntry.action == "denied")).all()
    assert len(noted) == auditing.DENIALS_NOTED
