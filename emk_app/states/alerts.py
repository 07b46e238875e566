"""The administrator's list of alarms; live."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import alerts as rows
from emk_app.presenting.alerts import AlertRow
from emk_app.services import alerting
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.threads import in_thread


class AlertsState(rx.State):
    """Alarms, those that wait for a look first."""

    is_loaded: bool = False
    rows: list[AlertRow] = []

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each alarm as it is raised."""
        async with self:
            await renew(self)
        async for _ in live.changes(alerting.TOPIC):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def acknowledge(self, alert_id: int):
        """Note that it was looked at."""
        actor = await actor_of(self)
        try:
            await in_thread(alerting.acknowledge, actor, number(alert_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Отмечено как проверенное.")
        await self._show()

    async def _show(self) -> None:
        found = await in_thread(alerting.alerts, await actor_of(self), now=clock.now())
        self.rows, self.is_loaded = [rows.row(each) for each in found], True
