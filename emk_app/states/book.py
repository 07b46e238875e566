"""The holder's book: card, receipt, links and looks, all live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.db.engine import is_embedded
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid, NotSignedIn
from emk_app.domain.sharing import ShareScope
from emk_app.edge.policy import allow
from emk_app.presenting import book_versions as wording
from emk_app.presenting import books as rows
from emk_app.presenting import texts
from emk_app.presenting.book_vaccinations import ShotRow, shot_rows
from emk_app.presenting.book_versions import DifferenceRow, TermRow, VersionRow, WantRow
from emk_app.presenting.books import CardRow, FactRow, ItemRow, LinkRow, LookRow
from emk_app.presenting.formats import day, moment
from emk_app.services import accounts, applying, issuing, renewing, sharing, verifying, versioning
from emk_app.services.own_book import OwnBook, own_book
from emk_app.states import live
from emk_app.states.session import actor_of, arrive, ref_of, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import Together, each, in_thread


class BookState(rx.State):
    """The book and the links that show it."""

    is_loaded: bool = False
    has_book: bool = False
    as_of: str = ""
    """When what is shown was read; it stands on paper."""
    card: CardRow = CardRow()
    items: tuple[ItemRow, ...] = ()
    shots: list[ShotRow] = []
    links: tuple[LinkRow, ...] = ()
    open_links: tuple[LinkRow, ...] = ()
    looks: tuple[LookRow, ...] = ()
    errors: dict[str, str] = {"label": "", "scope": "", "days": "", "looks": ""}
    facts: list[FactRow] = []
    facts_word: str = ""
    facts_tone: str = "neutral"
    facts_at: str = ""
    versions: list[VersionRow] = []
    version_choices: list[list[str]] = []
    old_version: str = ""
    new_version: str = ""
    """The two that are offered for comparing: the last and the one before."""
    compared: list[DifferenceRow] = []
    compared_title: str = ""
    term: TermRow = TermRow()
    wanting: list[WantRow] = []
    form_key: int = 0
    """Changes when the form is to be empty again."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of the book, its links and its looks, within a moment of its commit."""
        async with self:
            if await arrive(self):
                self.facts, self.compared, self.compared_title = [], [], ""
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                await self._show()

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow_looks(self):
        """Show each look; nothing is read that a look does not change."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(verifying.topic_of(actor.user_id)):
            async with live.turn(self) as screen:
                screen._show_links(await _looks.read(ref_of(screen)))

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

    @rx.event
    @allow(Role.HOLDER)
    async def renew(self):
        """Give the book its next term."""
        actor = await actor_of(self)
        try:
            until = await in_thread(renewing.renew, actor, self.card.id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, f"Книжка продлена, она действует по {day(until)}.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def begin_again(self):
        """Begin an application on the ground of the one the book came of."""
        actor, now = await actor_of(self), clock.now()
        outlook = await in_thread(renewing.outlook, actor, now=now)
        if outlook is None or outlook.way.ground is None:
            await self._show()
            return None
        try:
            await in_thread(applying.reapply, actor, outlook.way.ground, now=now)
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect("/cabinet/apply")

    @rx.event
    @allow(Role.HOLDER)
    async def compare(self, form: dict[str, Any]):
        """Show what one version says otherwise than another."""
        actor = await actor_of(self)
        one, other = _count(text_of(form, "one")) or 0, _count(text_of(form, "other")) or 0
        try:
            found = await in_thread(versioning.compare, actor, self.card.id, one, other)
        except DomainError as error:
            await warn(self, error)
            return
        self.compared = wording.difference_rows(found)
        self.compared_title = wording.comparison_title(found)

    async def _show(self) -> None:
        """Read everything afresh and take over what has changed."""
        actor, now = await actor_of(self), clock.now()
        found, shared = await in_thread(_read, actor, now)
        shown = rows.card_row(found.card) if found else CardRow()
        items = rows.item_rows(found.card) if found else ()
        term = wording.term_row(found.outlook, found.card) if found else TermRow()
        versions = found.versions if found else ()
        if shown != self.card:
            self.card, self.has_book, self.facts = shown, found is not None, []
        if term != self.term:
            self.term = term
            self.wanting = wording.want_rows(found.outlook, found.card) if found else []
        if (listed := wording.version_rows(versions)) != self.versions:
            self.versions, self.compared, self.compared_title = listed, [], ""
            self.version_choices = wording.version_choices(versions)
            numbers = [number for number, _ in self.version_choices]
            self.new_version = numbers[0] if numbers else ""
            self.old_version = numbers[1] if len(numbers) > 1 else ""
        if items != self.items:
            self.items = items
        if (shots := shot_rows(found.card) if found else []) != self.shots:
            self.shots = shots
        self._show_links(shared)
        if not self.is_loaded:
            self.is_loaded = True

    def _show_links(self, shared: _Shared) -> None:
        if shared.links != self.links:
            self.links, self.open_links = shared.links, shared.open_links
        if shared.looks != self.looks:
            self.looks = shared.looks
        if shared.as_of != self.as_of:
            self.as_of = shared.as_of


@dataclass(frozen=True, slots=True)
class _Shared:
    """Links and looks as they are shown; the same rows in all tabs of one person."""

    links: tuple[LinkRow, ...]
    open_links: tuple[LinkRow, ...]
    looks: tuple[LookRow, ...]
    as_of: str


def _read(actor: Actor, now: datetime) -> tuple[OwnBook | None, _Shared]:
    return own_book(actor, now=now), _read_links(actor, now)


def _read_links(actor: Actor, now: datetime) -> _Shared:
    links, looks = sharing.links_and_looks(actor, now=now)
    every = tuple(rows.link_row(link) for link in links)
    return _Shared(
        every,
        tuple(link for link in every if link.is_open),
        tuple(rows.look_row(look) for look in looks),
        moment(now),
    )


def _read_looks(refs: Sequence[str]) -> Mapping[str, _Shared | Exception]:
    """Read who acts in each session, and once for all tabs of one person what they show."""
    now = clock.now()
    actors = accounts.actors_of(refs, now=now)
    people = {actor.user_id: actor for actor in actors.values() if actor is not None}

    def read(user_id: int) -> _Shared:
        return _read_links(people[user_id], now)

    shown = each(read)(tuple(people))
    return {
        ref: shown[actor.user_id] if actor is not None else NotSignedIn()
        for ref, actor in actors.items()
    }


_looks: Final = Together[str, _Shared](_read_looks, on_loop=is_embedded)


def _count(value: Any) -> int | None:
    """Return a small whole number from what a browser sent, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
