"""Change of identity data: the holder's wishes, and the operators' desk of them."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.edge.policy import allow
from emk_app.presenting import identities as rows
from emk_app.presenting.identities import CaseRow, ChangeRow, LineRow, NowRow, ProofRow, SideRow
from emk_app.services import renaming
from emk_app.services.renaming import ChangeCase
from emk_app.states import live
from emk_app.states.session import actor_of, arrive, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

CHANGES: Final = "/changes"
CONTROLS: Final = ("ground", "note", "code")


class IdentityState(rx.State):
    """What the holder's book says of them, and what they have asked to change."""

    now: NowRow = NowRow()
    changes: list[ChangeRow] = []
    is_loaded: bool = False

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of the book and of the wishes while the page is open."""
        async with self:
            await arrive(self)
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def withdraw(self, ref: str):
        """Take a wish back."""
        try:
            await in_thread(renaming.withdraw, await actor_of(self), str(ref)[:40], now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.WITHDRAWN)
        await self._show()

    async def _show(self) -> None:
        own = await in_thread(renaming.mine, await actor_of(self))
        shown = (rows.now_row(own), rows.change_rows(own))
        if shown != (self.now, self.changes):
            self.now, self.changes = shown
        self.is_loaded = True


class ChangesState(rx.State):
    """The wishes that wait for an operator."""

    rows: list[LineRow] = []
    is_loaded: bool = False

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the list while the page is open."""
        async with self:
            await arrive(self)
        async for _ in live.changes(renaming.TOPIC):
            async with self:
                found = rows.line_rows(await in_thread(renaming.waiting, await actor_of(self)))
                if found != self.rows:
                    self.rows = found
                self.is_loaded = True


class ChangeState(rx.State):
    """One wish on an operator's screen."""

    case: CaseRow = CaseRow()
    sides: list[SideRow] = []
    papers: list[ProofRow] = []
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True
    is_loaded: bool = False
    is_missing: bool = False

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the wish while the page is open; the first look is noted."""
        async with self:
            # Begun empty here and not by an event before it: the two would race.
            await renew(self)
            actor, asked = await actor_of(self), self._ref()
            try:
                self._show(await in_thread(renaming.case, actor, asked, now=clock.now()))
            except NotFound:
                self._show(None)
                return
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes(renaming.TOPIC):
            async with self:
                await self._reload(asked)

    @rx.event
    @allow(Role.OPERATOR)
    async def approve(self, form: dict[str, Any]):
        """Let the book say the new data."""
        self.errors = dict.fromkeys(CONTROLS, "")
        actor = await proven(self, text_of(form, "code", 12))
        if actor is None:
            return
        asked = self._ref()
        try:
            await in_thread(renaming.approve, actor, asked, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.APPROVED)
        await self._reload(asked)

    @rx.event
    @allow(Role.OPERATOR)
    async def reject(self, form: dict[str, Any]):
        """Refuse the change with a reason."""
        self.errors = dict.fromkeys(CONTROLS, "")
        asked, words = self._ref(), (text_of(form, "ground", 60), text_of(form, "note", 1000))
        try:
            await in_thread(renaming.reject, await actor_of(self), asked, *words, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.REJECTED)
        await self._reload(asked)

    async def _reload(self, asked: str) -> None:
        try:
            self._show(await in_thread(renaming.peek, await actor_of(self), asked))
        except NotFound:
            self._show(None)

    def _show(self, case: ChangeCase | None) -> None:
        """Send what differs from what the screen shows."""
        self.is_loaded, self.is_missing = True, case is None
        if case is None:
            self.case, self.sides, self.papers = CaseRow(), [], []
            return
        shown = (rows.case_row(case), rows.side_rows(case), rows.proof_rows(case))
        if shown != (self.case, self.sides, self.papers):
            self.case, self.sides, self.papers = shown

    def _ref(self) -> str:
        return str(getattr(self, "ref_arg", ""))[:40]
