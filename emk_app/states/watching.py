"""«Кто смотрел»: who has seen or changed the holder's records; live."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.watching import Span
from emk_app.edge.policy import allow
from emk_app.presenting import watching as rows
from emk_app.presenting.watching import WatchedRow
from emk_app.services import auditing, watching
from emk_app.states import live
from emk_app.states.session import actor_of, renew
from emk_app.threads import in_thread


class WatchingState(rx.State):
    """The list, newest first."""

    is_loaded: bool = False
    rows: list[WatchedRow] = []
    span: str = Span.MONTH.value
    only_views: bool = False
    page: int = 1
    pages: int = 1
    found: str = ""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each look within a moment."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
        topics = (auditing.topic_of(actor.user_id), f"holder:{actor.user_id}")
        async for _ in live.changes(*topics):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_span(self, span: str):
        """Show another length of time."""
        known = isinstance(span, str) and span in set(Span)
        self.span, self.page = span if known else Span.MONTH.value, 1
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_views(self, only_views: bool):
        """Show looks alone, or changes too."""
        self.only_views, self.page = only_views is True, 1
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def turn(self, page: int):
        """Show another page of the list."""
        self.page = page if isinstance(page, int) and 0 < page < 10**6 else 1
        await self._show()

    async def _show(self) -> None:
        actor = await actor_of(self)
        found = await in_thread(
            watching.page_of,
            actor,
            Span(self.span),
            self.page,
            only_views=self.only_views,
            now=clock.now(),
        )
        shown = [rows.row(each) for each in found.lines]
        if shown != self.rows:
            self.rows = shown
        self.page, self.pages = found.page, found.pages
        self.found, self.is_loaded = rows.found_text(found), True
