"""The journal of acts on an administrator's screen."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import Invalid
from emk_app.domain.inspecting import Sought
from emk_app.edge.policy import allow
from emk_app.presenting import inspecting as rows
from emk_app.presenting.inspecting import CSV, EntryRow
from emk_app.services import inspecting
from emk_app.states.apply import number
from emk_app.states.session import actor_of, ends_busy, renew
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

FIELDS: Final = tuple(Sought.__slots__)


class AuditState(rx.State):
    """What is sought in the journal, and a page of it."""

    is_loaded: bool = False
    rows: list[EntryRow] = []
    errors: dict[str, str] = dict.fromkeys(FIELDS, "")
    sought: dict[str, str] = dict.fromkeys(FIELDS, "")
    """As typed; checked anew at each search."""
    csv: str = CSV
    older: int = 0
    """Before which entry the next page begins; 0 where this is the last."""
    is_first: bool = True
    chain: str = ""
    chain_tone: str = "info"
    busy: bool = False

    @rx.event
    @allow(Role.ADMIN)
    async def load(self):
        """Show the newest entries."""
        if await renew(self) or self.is_first:
            await self._show(0)

    @rx.event
    @allow(Role.ADMIN)
    async def seek(self, form: dict[str, Any]):
        """Show what fits the form."""
        self.sought = {name: text_of(form, name, 60) for name in FIELDS}
        await self._show(0)

    @rx.event
    @allow(Role.ADMIN)
    async def show_older(self):
        """Show the entries before these."""
        await self._show(number(self.older))

    @rx.event
    @allow(Role.ADMIN)
    async def show_newest(self):
        """Go back to the newest entries."""
        await self._show(0)

    @rx.event
    @allow(Role.ADMIN)
    @ends_busy
    async def verify(self):
        """Go through the whole chain."""
        self.busy, self.chain = True, ""
        yield
        found = await in_thread(inspecting.chain, await actor_of(self), now=clock.now())
        self.chain, self.chain_tone = rows.chain_text(found)

    async def _show(self, before: int) -> None:
        self.errors = dict.fromkeys(FIELDS, "")
        sought = Sought(**{name: str(self.sought.get(name, "")) for name in FIELDS})
        try:
            found = await in_thread(
                inspecting.page, await actor_of(self), sought, before, now=clock.now()
            )
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        self.rows, self.older = rows.rows(found.entries), found.before
        self.is_first, self.csv = before == 0, rows.csv_href(sought)
        self.is_loaded = True
