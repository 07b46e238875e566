"""The administrator's page of answers that support gives often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.prepared import TEXT_LIMIT, Typed
from emk_app.edge.policy import allow
from emk_app.presenting import prepared as rows
from emk_app.presenting.prepared import AnswerRow, OpenAnswer
from emk_app.presenting.texts import field_sentences
from emk_app.services import preparing
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, hush, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

FIELDS: Final = ("title", "text")


class PreparedState(rx.State):
    """All answers, and the one in the form."""

    is_loaded: bool = False
    rows: list[AnswerRow] = []
    is_open: bool = False
    answer: OpenAnswer = OpenAnswer()
    form_key: int = 0
    """Another form, with fields of its own, for each answer that is opened."""
    errors: dict[str, str] = dict.fromkeys(FIELDS, "")

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show the answers while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(preparing.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def begin(self):
        """Open an empty form."""
        await hush(self)
        self._open(OpenAnswer())

    @rx.event
    @allow(Role.ADMIN)
    async def edit(self, answer_id: int):
        """Open an answer in the form."""
        await hush(self)
        sought = number(answer_id)
        views = await in_thread(preparing.answers, await actor_of(self))
        found = next((view for view in views if view.id == sought), None)
        if found is not None:
            self._open(rows.opened(found))

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
        typed = Typed(text_of(form, "title", 300), text_of(form, "text", 2 * TEXT_LIMIT + 1))
        held = self.answer
        try:
            if held.id:
                await in_thread(preparing.rewrite, actor, held.id, held.version, typed, now=now)
            else:
                await in_thread(preparing.write, actor, typed, now=now)
        except Invalid as error:
            self.errors = {**self.errors, **field_sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
            return
        self.is_open = False
        await say(self, rows.SAVED_RETIRED if held.is_retired else rows.SAVED)
        await self._show(actor)

    @rx.event
    @allow(Role.ADMIN)
    async def retire(self, answer_id: int):
        """Offer an answer no more."""
        await self._turn(preparing.retire, answer_id, rows.RETIRED)

    @rx.event
    @allow(Role.ADMIN)
    async def bring_back(self, answer_id: int):
        """Offer an answer again."""
        await self._turn(preparing.bring_back, answer_id, rows.BROUGHT_BACK)

    async def _turn(self, act: Callable[..., None], answer_id: int, done: str) -> None:
        actor, sought = await actor_of(self), number(answer_id)
        try:
            await in_thread(act, actor, sought, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            if self.answer.id == sought:
                self.is_open = False
            await say(self, done)
        await self._show(actor)

    def _open(self, answer: OpenAnswer) -> None:
        self.answer, self.is_open = answer, True
        self.form_key += 1
        self.errors = dict.fromkeys(FIELDS, "")

    async def _show(self, actor: Actor) -> None:
        shown = [rows.row(view) for view in await in_thread(preparing.answers, actor)]
        if shown != self.rows:
            self.rows = shown
        self.is_loaded = True
