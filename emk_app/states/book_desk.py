"""The operators' desk of books: found by number, suspended, put back, revoked, by two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.domain.orders import OrderKind
from emk_app.edge.policy import allow
from emk_app.presenting import orders as rows
from emk_app.presenting.orders import DeskRow, OpenRow, OrderRow, WaitingRow
from emk_app.services import stopping
from emk_app.services.stopping import BookDesk
from emk_app.states import live
from emk_app.states.session import actor_of, arrive, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

BOOKS: Final = "/books"
CONTROLS: Final = ("ground", "note", "code")


class BooksState(rx.State):
    """The search of a book by its number, and the orders that wait for a second operator."""

    waiting: list[WaitingRow] = []
    error: str = ""
    is_loaded: bool = False

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the list while the page is open."""
        async with self:
            if await arrive(self):
                self.error = ""
        async for _ in live.changes(stopping.TOPIC):
            async with self:
                found = rows.waiting_rows(await in_thread(stopping.waiting, await actor_of(self)))
                if found != self.waiting:
                    self.waiting = found
                self.is_loaded = True

    @rx.event
    @allow(Role.OPERATOR)
    async def find(self, form: dict[str, Any]):
        """Open the book whose number was typed."""
        self.error = ""
        try:
            number = await in_thread(
                stopping.find, await actor_of(self), text_of(form, "number", 60)
            )
        except Invalid as error:
            self.error = rows.sentences(error)["number"]
        except NotFound:
            self.error = rows.NO_BOOK
        else:
            return rx.redirect(f"{BOOKS}/{number.digits}")
        return None


class BookDeskState(rx.State):
    """One book on an operator's screen."""

    book: DeskRow = DeskRow()
    standing: OpenRow = OpenRow()
    history: list[OrderRow] = []
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True
    is_loaded: bool = False
    is_missing: bool = False

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the book while the page is open; the first look is noted."""
        async with self:
            # Begun empty here and not by an event before it: the two would race.
            await renew(self)
            actor, asked = await actor_of(self), self._number()
            try:
                found = await in_thread(stopping.desk, actor, asked, now=clock.now())
            except NotFound:
                self.is_missing = self.is_loaded = True
                return
            self._show(found)
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes(f"book:{found.id}"):
            async with self:
                self._show(await in_thread(stopping.peek, await actor_of(self), asked))

    @rx.event
    @allow(Role.OPERATOR)
    async def suspend(self, form: dict[str, Any]):
        """Suspend the book at once, until a colleague answers."""
        await self._order(OrderKind.SUSPEND, form)

    @rx.event
    @allow(Role.OPERATOR)
    async def resume(self, form: dict[str, Any]):
        """Ask a colleague to put the book back into force."""
        await self._order(OrderKind.RESUME, form)

    @rx.event
    @allow(Role.OPERATOR)
    async def revoke(self, form: dict[str, Any]):
        """Ask a colleague to revoke the book."""
        await self._order(OrderKind.REVOKE, form)

    @rx.event
    @allow(Role.OPERATOR)
    async def confirm(self, form: dict[str, Any]):
        """Agree with the colleague."""
        await self._do(form, stopping.confirm, rows.CONFIRMED)

    @rx.event
    @allow(Role.OPERATOR)
    async def decline(self, form: dict[str, Any]):
        """Refuse the colleague's order, or take back one's own."""
        await self._do(form, stopping.decline, rows.DECLINED)

    async def _order(self, kind: OrderKind, form: Any) -> None:
        words = (kind.value, text_of(form, "ground", 60), text_of(form, "note", 1000))
        await self._do(form, stopping.order, rows.ORDERED, *words)

    async def _do(
        self,
        form: Any,
        act: Callable[..., OrderKind],
        done: dict[OrderKind, str],
        *words: str,
    ) -> None:
        """Do one act with a fresh second factor and show the book as it then is."""
        asked = self._number()
        self.errors = dict.fromkeys(CONTROLS, "")
        actor = await proven(self, text_of(form, "code", 12))
        if actor is None:
            return
        try:
            kind = await in_thread(act, actor, asked, *words, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done[kind])
        try:
            self._show(await in_thread(stopping.peek, actor, asked))
        except NotFound:
            self.is_missing = self.is_loaded = True

    def _show(self, found: BookDesk) -> None:
        """Send what differs from what the screen shows."""
        shown = (rows.desk_row(found), rows.open_row(found), rows.order_rows(found))
        if shown != (self.book, self.standing, self.history):
            self.book, self.standing, self.history = shown
        self.is_loaded, self.is_missing = True, False

    def _number(self) -> str:
        return str(getattr(self, "number_arg", ""))[:60]
