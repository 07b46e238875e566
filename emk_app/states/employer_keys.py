"""The owner's page of keys for the organisation's own systems, live."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.db.repositories.employer_keys import topic_of
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.employer_keys import KeyScope
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid
from emk_app.edge.policy import allow
from emk_app.presenting import employer_keys as rows
from emk_app.presenting import texts
from emk_app.presenting.employer_keys import KeyRow
from emk_app.services import employer_keys
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, fresh_actor, is_fresh, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

KEYS: Final = "/employer/api"
NO_ERRORS: Final[dict[str, str]] = dict.fromkeys(("name", "scopes", "days", "key"), "")


class EmployerKeysState(rx.State):
    """The keys of one's organisation."""

    is_loaded: bool = False
    is_owner: bool = False
    needs_code: bool = False
    """The last code is older than five minutes, so the form asks for another (D13)."""
    keys: list[KeyRow] = []
    made: str = ""
    """The key that was made last, until it is put away."""
    errors: dict[str, str] = NO_ERRORS.copy()
    form_key: int = 0

    @rx.event(background=True)
    @allow(Role.EMPLOYER, quiet=True)
    async def follow(self):
        """Show the keys and their last use, while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            if actor.organisation_id is None or actor.post is not Post.OWNER:
                self.is_loaded = True
                return
        async for _ in live.changes(topic_of(actor.organisation_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def make(self, form: dict[str, Any]):
        """Make a key."""
        self.errors, self.made = NO_ERRORS.copy(), ""
        days = text_of(form, "days", 10)
        try:
            actor = await fresh_actor(self, text_of(form, "code", 20))
            self.made = await in_thread(
                employer_keys.make,
                actor,
                text_of(form, "name"),
                [scope.value for scope in KeyScope if text_of(form, rows.SCOPE_FIELDS[scope])],
                int(days) if days in dict(rows.LIFETIMES) else 0,
                now=clock.now(),
            )
        except Invalid as error:
            self.needs_code = False
            self.errors = self.errors | texts.field_sentences(error)
            return
        except DomainError as error:
            self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
            self.errors = self.errors | {"key": texts.sentence(error)}
            return
        self.form_key += 1
        await say(self, "Ключ готов. Скопируйте его сейчас: больше мы его не покажем.")
        await self._show(actor)

    @rx.event
    @allow(Role.EMPLOYER)
    async def hide(self):
        """Put the new key away."""
        self.made = ""

    @rx.event
    @allow(Role.EMPLOYER)
    async def revoke(self, key_id: int):
        """Withdraw a key."""
        actor = await actor_of(self)
        try:
            await in_thread(employer_keys.revoke, actor, number(key_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
            return
        self.made = ""
        await say(self, "Ключ отозван.")
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        self.is_owner = actor.post is Post.OWNER
        self.is_loaded = True
        if not self.is_owner:
            self.keys, self.made = [], ""
            return
        self.needs_code = not is_fresh(actor)
        found = await in_thread(employer_keys.keys, actor, now=clock.now())
        self.keys = [rows.key_row(each) for each in found]
