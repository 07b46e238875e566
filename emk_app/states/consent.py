"""The holder's consent: how it stands, giving it again, taking it back; live."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.consent import CURRENT
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import consents as rows
from emk_app.presenting.consents import ConsentCard, ConsentRow
from emk_app.services import consenting
from emk_app.states import live
from emk_app.states.session import actor_of, arrive, say, warn
from emk_app.threads import in_thread


class ConsentState(rx.State):
    """What was agreed to."""

    is_loaded: bool = False
    card: ConsentCard = ConsentCard()
    records: list[ConsentRow] = []
    consequences: list[str] = []
    """What taking it back would do now."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show the consent, and each change of what taking it back would do."""
        async with self:
            await arrive(self)
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def give(self):
        """Agree to the text on the page."""
        actor = await actor_of(self)
        try:
            await in_thread(consenting.give, actor, CURRENT.version, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Согласие дано.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def withdraw(self):
        """Take the consent back, with all that follows."""
        actor = await actor_of(self)
        try:
            await in_thread(consenting.withdraw, actor, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Согласие отозвано.")
        await self._show()

    async def _show(self) -> None:
        actor, now = await actor_of(self), clock.now()
        view = await in_thread(consenting.view, actor, now=now)
        self.card, self.records = rows.card(view), rows.record_rows(view)
        self.consequences = rows.consequences(view.consequences) if view.is_given else []
        self.is_loaded = True
