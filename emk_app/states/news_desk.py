"""The administrator's page of the news."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.news import TEXT_LIMIT, WINDOW_LIMIT, Typed
from emk_app.edge.policy import allow
from emk_app.presenting import news
from emk_app.presenting.news import NewsRow, OpenNews, WindowRow
from emk_app.services import announcing, publishing
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, hush, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

FIELDS: Final = ("title", "text", "release", "at")
WINDOW_FIELDS: Final = ("starts", "ends", "about")


class NewsDeskState(rx.State):
    """All items, and the one in the form."""

    is_loaded: bool = False
    rows: list[NewsRow] = []
    is_open: bool = False
    item: OpenNews = OpenNews()
    form_key: int = 0
    """Another form, with fields of its own, for each item that is opened."""
    errors: dict[str, str] = dict.fromkeys(FIELDS, "")

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show the items while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(publishing.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def begin(self):
        """Open an empty form."""
        await hush(self)
        self._open(OpenNews())

    @rx.event
    @allow(Role.ADMIN)
    async def edit(self, item_id: int):
        """Open an item in the form."""
        await hush(self)
        sought, now = number(item_id), clock.now()
        views = await in_thread(publishing.desk, await actor_of(self))
        found = next((view for view in views if view.id == sought), None)
        if found is not None:
            self._open(news.opened(found, now))

    @rx.event
    @allow(Role.ADMIN)
    async def leave(self):
        """Close the form; what was typed is dropped."""
        await hush(self)
        self.is_open = False

    @rx.event
    @allow(Role.ADMIN)
    async def save(self, form: dict[str, Any]):
        """Keep what was typed."""
        self.errors = dict.fromkeys(FIELDS, "")
        actor, now = await actor_of(self), clock.now()
        typed = Typed(
            title=text_of(form, "title", 1000),
            text=text_of(form, "text", 2 * TEXT_LIMIT + 1),
            release=text_of(form, "release", 20),
            at=text_of(form, "at", 40),
        )
        try:
            if self.item.id:
                await in_thread(
                    publishing.rewrite, actor, self.item.id, self.item.version, typed, now=now
                )
            else:
                await in_thread(publishing.write, actor, typed, now=now)
        except Invalid as error:
            self.errors = {**self.errors, **news.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
            return
        self.is_open = False
        await say(self, news.SAVED)
        await self._show(actor)

    @rx.event
    @allow(Role.ADMIN)
    async def remove(self, item_id: int):
        """Remove an item for good."""
        actor, sought = await actor_of(self), number(item_id)
        try:
            await in_thread(publishing.remove, actor, sought, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            if self.item.id == sought:
                self.is_open = False
            await say(self, news.REMOVED)
        await self._show(actor)

    def _open(self, item: OpenNews) -> None:
        self.item, self.is_open = item, True
        self.form_key += 1
        self.errors = dict.fromkeys(FIELDS, "")

    async def _show(self, actor: Actor) -> None:
        now = clock.now()
        rows = [news.row(view, now) for view in await in_thread(publishing.desk, actor)]
        if rows != self.rows:
            self.rows = rows
        self.is_loaded = True


class MaintenanceState(rx.State):
    """Announced hours of work on the service."""

    is_loaded: bool = False
    rows: list[WindowRow] = []
    form_key: int = 0
    errors: dict[str, str] = dict.fromkeys(WINDOW_FIELDS, "")

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show what is announced while the page is open."""
        async with self:
            await renew(self, hushes=False)
        async for _ in live.changes(announcing.TOPIC):
            async with self:
                await actor_of(self)
                await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def announce(self, form: dict[str, Any]):
        """Announce hours of work."""
        self.errors = dict.fromkeys(WINDOW_FIELDS, "")
        typed = (
            text_of(form, "starts", 40),
            text_of(form, "ends", 40),
            text_of(form, "about", 2 * WINDOW_LIMIT + 1),
        )
        try:
            actor = await actor_of(self)
            await in_thread(announcing.announce, actor, *typed, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **news.sentences(error)}
            return
        self.form_key += 1
        await say(self, news.ANNOUNCED)
        await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def cancel(self, window_id: int):
        """Take an announcement back."""
        actor = await actor_of(self)
        try:
            await in_thread(announcing.cancel, actor, number(window_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, news.CANCELLED)
        await self._show()

    async def _show(self) -> None:
        now = clock.now()
        rows = [news.window(view, now) for view in await in_thread(announcing.ahead, now=now)]
        if rows != self.rows:
            self.rows = rows
        self.is_loaded = True
