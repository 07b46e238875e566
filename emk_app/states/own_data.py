"""«Мои данные»: a copy of everything, and the wish to be forgotten; live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid
from emk_app.edge.policy import allow
from emk_app.presenting import erasures, texts
from emk_app.presenting import own_data as rows
from emk_app.presenting.erasures import ErasureRow
from emk_app.presenting.own_data import CopyCard
from emk_app.services import erasing, own_data
from emk_app.states import live
from emk_app.states.session import actor_of, fresh_actor, is_fresh, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class OwnDataState(rx.State):
    """The page of the holder's own data."""

    is_loaded: bool = False
    needs_code: bool = False
    """The last code is older than five minutes, so the forms ask for another (D13)."""
    copy: CopyCard = CopyCard()
    wish: str = ""
    errors: dict[str, str] = {"phrase": "", "ask": "", "fetch": ""}

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show how the copy and the wish stand."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def make_copy(self, form: dict[str, Any]):
        """Have a copy made."""
        if await self._do("fetch", form, own_data.ask):
            await say(self, "Готовим копию. Мы сообщим, когда её можно будет скачать.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def confirm(self, form: dict[str, Any]):
        """Take a fresh code, so that the copy may be fetched."""
        if await self._do("fetch", form, own_data.standing):
            await say(self, "Теперь копию можно скачать.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def drop_copy(self):
        """Destroy the copy."""
        await in_thread(own_data.drop, await actor_of(self), now=clock.now())
        await say(self, "Копия удалена.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def ask(self, form: dict[str, Any]):
        """Ask to be forgotten."""
        if await self._do("ask", form, erasing.ask, text_of(form, "phrase", 100)):
            await say(self, "Просьба принята. До указанного дня её можно отменить.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def cancel(self):
        """Take the wish back."""
        try:
            await in_thread(erasing.cancel, await actor_of(self), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Удаление отменено.")
        await self._show()

    async def _do(self, name: str, form: Any, act: Callable[..., Any], *given: str) -> bool:
        """Do one act with a fresh second factor; say whether it was done."""
        self.errors = dict.fromkeys(self.errors, "")
        try:
            actor = await fresh_actor(self, text_of(form, f"{name}_code", 20))
            self.needs_code = False
            await in_thread(act, actor, *given, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **texts.field_sentences(error)}
        except DomainError as error:
            self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
            self.errors = {**self.errors, name: texts.sentence(error)}
        else:
            return True
        return False

    async def _show(self) -> None:
        actor = await actor_of(self)
        self.needs_code = not is_fresh(actor)
        self.copy = rows.copy_card(await in_thread(own_data.standing, actor, now=clock.now()))
        self.wish = rows.wish_text(await in_thread(erasing.wish, actor))
        self.is_loaded = True


class ErasuresState(rx.State):
    """The administrator's list of those who were or are to be forgotten."""

    is_loaded: bool = False
    rows: list[ErasureRow] = []

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(erasing.TOPIC):
            async with self:
                actor = await actor_of(self)
                found = await in_thread(erasing.acts, actor, now=clock.now())
                self.rows = [erasures.row(each) for each in found]
                self.is_loaded = True
