"""Where one is reached, live: the telephone, the mailbox, and a new one that waits for its code."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid, NotAChoice
from emk_app.domain.notices import Channel
from emk_app.edge.policy import allow_signed_in
from emk_app.presenting import texts
from emk_app.presenting.field_texts import word
from emk_app.services import factors, reaching
from emk_app.states import live
from emk_app.states.session import actor_of, fresh_actor, is_fresh, renew, say
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class ContactsState(rx.State):
    """The contacts on the page of what guards the account."""

    phone: str = ""
    email: str = ""
    waits: str = ""
    """The new contact to which a code was sent, masked."""
    needs_code: bool = False
    """The last code is older than five minutes, so the form asks for another (D13)."""
    error: str = ""
    removed_error: str = ""
    problem: str = ""

    @rx.event(background=True)
    @allow_signed_in(quiet=True)
    async def follow(self):
        """Show where the person is reached, and each change of it."""
        async with self:
            await renew(self, hushes=False)
            actor = await actor_of(self)
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes(factors.topic_of(actor.user_id)):
            async with self:
                await self._show()

    @rx.event
    @allow_signed_in()
    async def begin(self, form: dict[str, Any]):
        """Send a code to the new contact."""
        self.error, self.problem = "", ""
        try:
            actor = await fresh_actor(self, text_of(form, "contact_factor", 20))
            self.needs_code = False
            contact = text_of(form, "contact")
            await in_thread(reaching.begin, actor, contact, now=clock.now())
        except Invalid as error:
            self.error = texts.field_sentences(error)["contact"]
        except DomainError as error:
            self._refuse(error)
        else:
            await self._show()

    @rx.event
    @allow_signed_in()
    async def confirm(self, form: dict[str, Any]):
        """Put the new contact in its place."""
        self.problem = ""
        try:
            actor = await fresh_actor(self, text_of(form, "contact_factor", 20))
            self.needs_code = False
            code = text_of(form, "contact_code", 12)
            await in_thread(reaching.confirm, actor, code, now=clock.now())
        except DomainError as error:
            self._refuse(error)
        else:
            await say(self, "Контакт изменён. На прежние контакты ушло уведомление.")
            await self._show()

    @rx.event
    @allow_signed_in()
    async def drop(self):
        """Leave the contacts as they are."""
        self.problem = ""
        await in_thread(reaching.drop, await actor_of(self), now=clock.now())
        await self._show()

    @rx.event
    @allow_signed_in()
    async def remove(self, form: dict[str, Any]):
        """Remove one of the two contacts."""
        self.problem, self.removed_error = "", ""
        said = text_of(form, "removed", 10)
        if said not in set(Channel):
            self.removed_error = word(NotAChoice())
            return
        try:
            actor = await fresh_actor(self, text_of(form, "removal_factor", 20))
            self.needs_code = False
            await in_thread(reaching.remove, actor, Channel(said), now=clock.now())
        except DomainError as error:
            self._refuse(error)
        else:
            await say(self, "Контакт удалён. На оба контакта ушло уведомление.")
            await self._show()

    def _refuse(self, error: DomainError) -> None:
        self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
        self.problem = texts.sentence(error)

    async def _show(self) -> None:
        seen = await in_thread(reaching.view, await actor_of(self), now=clock.now())
        self.phone, self.email, self.waits = seen.phone, seen.email, seen.waits
