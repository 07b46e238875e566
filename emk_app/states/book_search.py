"""Search through the holder's own record; what was asked is kept nowhere."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.domain.actors import Role
from emk_app.edge.policy import allow
from emk_app.presenting import finding as rows
from emk_app.presenting.finding import FoundRow
from emk_app.services import finding
from emk_app.states.session import actor_of
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class BookSearchState(rx.State):
    """What was found last."""

    found: list[FoundRow] = []
    summary: str = ""

    @rx.event
    @allow(Role.HOLDER, quiet=True)
    async def begin(self):
        """Forget what was found when the page was open before."""
        if self.summary:
            self.found, self.summary = [], ""

    @rx.event
    @allow(Role.HOLDER)
    async def find(self, form: dict[str, Any]):
        """Search for the words of the form."""
        actor = await actor_of(self)
        record = await in_thread(finding.own_record, actor)
        self.found, self.summary = await in_thread(rows.rows_of, record, text_of(form, "words"))

    @rx.event
    @allow(Role.HOLDER)
    async def forget(self):
        """Take the results away."""
        self.found, self.summary = [], ""
