"""The administrator's page of the register: what comes in, what has come, what is there."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError
from emk_app.domain.imports import OPEN
from emk_app.edge.policy import allow
from emk_app.presenting import applications, registers
from emk_app.presenting.registers import ImportRow, OpenImport, RegisterRow
from emk_app.services import directory, importing, registering
from emk_app.services.directory import SHOWN_AT_MOST
from emk_app.states import live
from emk_app.states.apply import number, words_of
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.threads import in_thread

SHOWN_AT_ONCE: Final = 20
NOTHING: Final = OpenImport()


class ImportsState(rx.State):
    """The import under way and the history."""

    is_loaded: bool = False
    current: OpenImport = NOTHING
    bad: list[list[str]] = []
    """First lines of the report: line, OID, field, what is wrong."""
    report_href: str = ""
    history: list[ImportRow] = []

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show how far the import is, while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(registering.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def confirm(self, import_id: int):
        """Have the file put in that was looked through."""
        actor = await actor_of(self)
        try:
            await in_thread(registering.confirm, actor, number(import_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        await self._show(actor)

    @rx.event
    @allow(Role.ADMIN)
    async def drop(self, import_id: int):
        """Give the import up."""
        actor = await actor_of(self)
        try:
            await in_thread(registering.drop, actor, number(import_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Загрузка прекращена.")
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        views = await in_thread(registering.history, actor)
        opened = next((view for view in views if view.state in OPEN), None)
        if opened is None:
            current, bad = NOTHING, []
        elif self.current.id == opened.id and not self.current.is_checking:
            # The report is written while the file is looked through, and then stays.
            bad = self.bad
            current = registers.open_import(opened, bad)
        else:
            bad = await in_thread(registering.bad_lines, actor, opened.id)
            current = registers.open_import(opened, bad)
        history = [registers.import_row(view) for view in views if view is not opened]
        if current != self.current:
            self.current, self.bad = current, bad
            self.report_href = registers.report_href(current.id) if current.has_bad else ""
        if history != self.history or not self.is_loaded:
            self.history, self.is_loaded = history, True


class RegisterState(rx.State):
    """The clinics that are in the register."""

    query: str = ""
    region: str = ""
    in_force: bool = False
    rows: list[RegisterRow] = []
    found: str = ""
    corrected: str = ""
    has_more: bool = False
    is_loaded: bool = False
    is_empty: bool = False
    """Nothing was ever put in."""
    regions: list[list[str]] = []
    licence_count: str = ""

    _shown: int = SHOWN_AT_ONCE

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show the register as it is, while the page is open."""
        async with self:
            await renew(self, hushes=False)
        async for _ in live.changes(importing.TOPIC):
            async with self:
                await actor_of(self)
                await self._search()

    @rx.event(supersedes=True)
    @allow(Role.ADMIN)
    async def type_query(self, text: str):
        """Search while a name, an ОКПО or an OID is typed."""
        self.query = words_of(text, directory.LONGEST_QUERY)
        await self._search_anew()

    @rx.event
    @allow(Role.ADMIN)
    async def choose_region(self, code: str):
        """Search in one region, or everywhere."""
        self.region = words_of(code, 2)
        await self._search_anew()

    @rx.event
    @allow(Role.ADMIN)
    async def only_in_force(self, wanted: bool):
        """Search among those whose licence stands."""
        self.in_force = wanted is True
        await self._search_anew()

    @rx.event
    @allow(Role.ADMIN)
    async def show_more(self):
        """Show the next clinics of the same search."""
        self._shown = min(self._shown + SHOWN_AT_ONCE, SHOWN_AT_MOST)
        await self._search()

    async def _search_anew(self) -> None:
        self._shown = SHOWN_AT_ONCE
        await self._search()

    async def _search(self) -> None:
        filters: dict[str, Any] = {"region": self.region or None, "in_force": self.in_force}
        found = await in_thread(directory.search, self.query, **filters, limit=self._shown)
        self.rows = [registers.register_row(clinic) for clinic in found.clinics]
        self.found = applications.found_text(found.total, is_known=found.is_total_known)
        self.corrected = registers.corrected_text(found, self.query)
        self.has_more = len(self.rows) < min(found.total, SHOWN_AT_MOST)
        self.regions = registers.region_options(found.counts)
        self.licence_count = registers.flag_count(found.counts.in_force)
        self.is_empty = not found.total and not self.query.strip() and not any(filters.values())
        self.is_loaded = True
