"""The report on the staff, live."""

from __future__ import annotations

import asyncio
from typing import Final

import reflex as rx

from emk_app import clock
from emk_app.db.repositories.employers import topic_of
from emk_app.domain.actors import Actor, Role
from emk_app.domain.employing import DEPARTMENT_LIMIT
from emk_app.edge.policy import allow
from emk_app.presenting import staff_reports as rows
from emk_app.presenting.staff_reports import ReportPage
from emk_app.services import employing, staff_reports
from emk_app.states import live
from emk_app.states.apply import words_of
from emk_app.states.session import actor_of, renew
from emk_app.threads import in_thread

REPORT: Final = "/employer/report"
PAUSE: Final = 3.0
"""Seconds between two counts: of a list that is being filled, each change is not a new report."""
GROUP_LIMIT: Final = 120


class StaffReportState(rx.State):
    """The report on the staff of one's organisation."""

    is_loaded: bool = False
    organisation: str = ""
    report: ReportPage = ReportPage()
    departments: list[list[str]] = []
    groups: list[list[str]] = []
    department: str = ""
    group: str = ""

    @rx.event(background=True)
    @allow(Role.EMPLOYER, quiet=True)
    async def follow(self):
        """Show the report as the list is, while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            if actor.organisation_id is None:
                self.is_loaded = True
                return
        async for _ in live.changes(topic_of(actor.organisation_id)):
            async with self:
                await self._show(await actor_of(self))
            await asyncio.sleep(PAUSE)

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_department(self, department: str):
        """Report on one department, or on all."""
        self.department = words_of(department, DEPARTMENT_LIMIT)
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_group(self, group: str):
        """Report on one group of occupations, or on all."""
        self.group = words_of(group, GROUP_LIMIT)
        await self._show(await actor_of(self))

    async def _show(self, actor: Actor) -> None:
        organisation = await in_thread(employing.organisation, actor)
        if organisation is None:
            self.is_loaded = True
            return
        found = await in_thread(
            staff_reports.report,
            actor,
            self.department or None,
            self.group or None,
            now=clock.now(),
        )
        self.organisation = organisation.name
        self.report = rows.page(found)
        self.departments = [[each, each] for each in found.every_department]
        self.groups = [[each, each] for each in found.every_group]
        self.is_loaded = True
