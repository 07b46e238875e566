"""The administrator's view of letters that have not left."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import notices
from emk_app.presenting.notices import StuckRow
from emk_app.services import delivering
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.threads import in_thread


class StuckState(rx.State):
    """Letters that were given up, or failed so far."""

    is_loaded: bool = False
    rows: list[StuckRow] = []

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes("outbox", delivering.TOPIC):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def retry(self, letter_id: int):
        """Try a letter once more."""
        actor = await actor_of(self)
        try:
            await in_thread(delivering.retry, actor, number(letter_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Сообщение снова поставлено в очередь.")
        await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def drop(self, letter_id: int):
        """Lay a letter aside."""
        actor = await actor_of(self)
        try:
            await in_thread(delivering.drop, actor, number(letter_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Сообщение снято с отправки.")
        await self._show()

    async def _show(self) -> None:
        actor = await actor_of(self)
        found = await in_thread(delivering.stuck, actor, now=clock.now())
        rows = [notices.stuck_row(each) for each in found]
        if rows != self.rows or not self.is_loaded:
            self.rows, self.is_loaded = rows, True
