"""What the holder is told: the bell on every page, the list, and the choice of channels."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError
from emk_app.domain.notices import Channel, NoticeKind
from emk_app.edge.policy import allow
from emk_app.presenting import notices as rows
from emk_app.presenting.notices import NoticeRow, WishRow
from emk_app.services import notifying
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, arrive, renew, say, warn
from emk_app.threads import in_thread


class BellState(rx.State):
    """How many notices are unread."""

    unread: int = 0

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Keep the number right while any page of the holder is open."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(notifying.topic_of(actor.user_id)):
            async with self:
                unread = await in_thread(notifying.unread, await actor_of(self))
                if unread != self.unread:
                    self.unread = unread


class NoticesState(rx.State):
    """The list, newest first."""

    is_loaded: bool = False
    rows: list[NoticeRow] = []
    only_unread: bool = False
    page: int = 1
    pages: int = 1
    unread: int = 0

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each notice as it comes."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
        async for _ in live.changes(notifying.topic_of(actor.user_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.HOLDER)
    async def filter(self, only_unread: bool):
        """Show only what is unread, or everything."""
        self.only_unread, self.page = only_unread is True, 1
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.HOLDER)
    async def turn(self, page: int):
        """Show another page of the list."""
        self.page = page if isinstance(page, int) else 1
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.HOLDER)
    async def read(self, notice_id: int):
        """Note that one notice is read."""
        actor = await actor_of(self)
        try:
            await in_thread(notifying.mark_read, actor, number(notice_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        await self._show(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def read_all(self):
        """Note that everything is read."""
        actor = await actor_of(self)
        await in_thread(notifying.mark_all_read, actor, now=clock.now())
        await say(self, "Все уведомления отмечены прочитанными.")
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        found = await in_thread(notifying.page_of, actor, self.page, only_unread=self.only_unread)
        shown = [rows.notice_row(told) for told in found.notices]
        if shown != self.rows:
            self.rows = shown
        self.page, self.pages, self.unread = found.page, found.pages, found.unread
        self.is_loaded = True


class WishesState(rx.State):
    """What the holder is told of by which channel."""

    is_loaded: bool = False
    rows: list[WishRow] = []
    sms: str = ""
    """The masked number that SMS go to; empty where there is none."""
    email: str = ""

    @rx.event
    @allow(Role.HOLDER, quiet=True)
    async def load(self):
        """Show what is chosen."""
        await arrive(self)
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.HOLDER)
    async def choose(self, kind: str, channel: str, is_on: bool):
        """Switch one kind on or off for one channel, at once."""
        actor = await actor_of(self)
        if str(kind) not in set(NoticeKind) or str(channel) not in set(Channel):
            return
        try:
            await in_thread(
                notifying.choose,
                actor,
                NoticeKind(kind),
                Channel(channel),
                is_on=is_on is True,
                now=clock.now(),
            )
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.chosen(NoticeKind(kind), Channel(channel), is_on=is_on is True))
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        found = await in_thread(notifying.wishes, actor)
        self.rows = rows.wish_rows(found)
        self.sms = found.contacts.get(Channel.SMS, "")
        self.email = found.contacts.get(Channel.EMAIL, "")
        self.is_loaded = True
