"""Features that administrators switch off and on."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.staff import REASON_LIMIT
from emk_app.edge.policy import allow
from emk_app.presenting import switches as words
from emk_app.presenting.switches import SwitchRow
from emk_app.services import switching
from emk_app.states import live
from emk_app.states.session import actor_of, hush, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

CONTROLS: Final = ("reason", "code")


class SwitchesState(rx.State):
    """How every feature stands, and the one in the form."""

    is_loaded: bool = False
    rows: list[SwitchRow] = []
    turning: SwitchRow = SwitchRow()
    """The feature in the form; ``code`` is empty where there is none."""
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(switching.TOPIC):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def begin(self, feature: str):
        """Ask why a feature is to be switched."""
        await hush(self)
        found = next((row for row in self.rows if row.code == feature), None)
        if found is not None:
            self.turning, self.errors = found, dict.fromkeys(CONTROLS, "")
            self.needs_code = not is_fresh(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    def leave(self):
        """Leave the feature as it is."""
        self.turning = SwitchRow()

    @rx.event
    @allow(Role.ADMIN)
    async def turn(self, form: dict[str, Any]):
        """Switch the feature in the form."""
        self.errors = dict.fromkeys(CONTROLS, "")
        actor = await proven(self, text_of(form, "code", 12))
        if actor is None:
            return
        wanted = not self.turning.is_on
        reason = text_of(form, "reason", 2 * REASON_LIMIT)
        try:
            await in_thread(
                switching.turn, actor, self.turning.code, wanted, reason, now=clock.now()
            )
        except Invalid as error:
            self.errors = {**self.errors, **words.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, words.SWITCHED_ON if wanted else words.SWITCHED_OFF)
        self.turning = SwitchRow()
        await self._show()

    async def _show(self) -> None:
        actor = await actor_of(self)
        shown = [words.row(each) for each in await in_thread(switching.switches, actor)]
        if shown != self.rows:
            self.rows = shown
        self.is_loaded = True
