"""The holder's book: card, receipt, links and looks, all live."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.sharing import ShareScope
from emk_app.edge.policy import allow
from emk_app.presenting import books as rows
from emk_app.presenting import texts
from emk_app.presenting.books import CardRow, FactRow, ItemRow, LinkRow, LookRow
from emk_app.services import issuing, sharing
from emk_app.states import live
from emk_app.states.session import actor_of, hush, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class BookState(rx.State):
    """The book and the links that show it."""

    is_loaded: bool = False
    has_book: bool = False
    card: CardRow = CardRow()
    items: list[ItemRow] = []
    links: list[LinkRow] = []
    open_links: list[LinkRow] = []
    looks: list[LookRow] = []
    errors: dict[str, str] = {"label": "", "scope": "", "days": "", "looks": ""}
    facts: list[FactRow] = []
    facts_word: str = ""
    facts_tone: str = "neutral"
    facts_at: str = ""
    form_key: int = 0
    """Changes when the form is to be empty again."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of the book, its links and its looks, within a moment of its commit."""
        async with self:
            await hush(self)
            self.facts = []
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def receive(self):
        """Confirm that the book was received."""
        actor = await actor_of(self)
        try:
            await in_thread(issuing.receive, actor, self.card.id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Получение подтверждено. Книжку можно показывать.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def make_link(self, form: dict[str, Any]):
        """Make a link for somebody who is to see the book."""
        actor = await actor_of(self)
        self.errors = {"label": "", "scope": "", "days": "", "looks": ""}
        scope = text_of(form, "scope")
        days, looks = text_of(form, "days"), text_of(form, "looks")
        try:
            await in_thread(
                sharing.make,
                actor,
                self.card.id,
                scope=ShareScope(scope) if scope in set(ShareScope) else ShareScope.WITH_OCCUPATION,
                label=text_of(form, "label"),
                days=_count(days) or 0,
                looks=None if looks == rows.ANY_LOOKS else _count(looks) or 0,
                now=clock.now(),
            )
        except Invalid as error:
            self.errors = self.errors | texts.field_sentences(error)
        except DomainError as error:
            await warn(self, error)
        else:
            self.form_key += 1
            await say(self, "Ссылка готова. Скопируйте её или покажите QR-код.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def close_link(self, link_id: int):
        """Close a link for good."""
        actor = await actor_of(self)
        try:
            await in_thread(sharing.revoke, actor, _count(link_id) or 0, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Доступ по ссылке закрыт.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def check_signature(self):
        """Check the signature anew and show each fact."""
        actor, now = await actor_of(self), clock.now()
        try:
            found = await in_thread(issuing.check_signature, actor, self.card.id, now=now)
        except DomainError as error:
            await warn(self, error)
            return
        self.facts = rows.fact_rows(found)
        self.facts_word, self.facts_tone = rows.signature_word(found)
        self.facts_at = rows.checked_at(now)

    async def _show(self) -> None:
        """Read everything afresh and take over what has changed."""
        actor, now = await actor_of(self), clock.now()
        card = await in_thread(issuing.card, actor, now=now)
        links = [rows.link_row(link) for link in await in_thread(sharing.links, actor, now=now)]
        looks = [rows.look_row(look) for look in await in_thread(sharing.looks, actor)]
        shown = rows.card_row(card) if card else CardRow()
        items = rows.item_rows(card) if card else []
        if shown != self.card:
            self.card, self.has_book, self.facts = shown, card is not None, []
        if items != self.items:
            self.items = items
        if links != self.links:
            self.links, self.open_links = links, [link for link in links if link.is_open]
        if looks != self.looks:
            self.looks = looks
        if not self.is_loaded:
            self.is_loaded = True


def _count(value: Any) -> int | None:
    """Return a small whole number from what a browser sent, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
