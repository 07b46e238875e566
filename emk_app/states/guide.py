"""The guide as amended, and the search through it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.edge.policy import allow_anyone
from emk_app.presenting import guide
from emk_app.presenting.finding import FoundRow
from emk_app.presenting.guide import AMENDABLE, Entry
from emk_app.states.session import renew
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class GuideState(rx.State):
    """What was found last, and what has been amended since the page was built."""

    found: list[FoundRow] = []
    summary: str = ""
    who: tuple[Entry, ...] = ()
    examination: tuple[Entry, ...] = ()
    terms: tuple[Entry, ...] = ()
    """These are empty where the built page is right; they carry the names of its topics."""

    @rx.event
    @allow_anyone
    async def begin(self):
        """Forget what was found when the page was open before, and tell what is amended."""
        await renew(self, hushes=False)
        amended = await in_thread(guide.amended, clock.today())
        for topic in AMENDABLE:
            told = amended.get(topic, ())
            if getattr(self, topic) != told:
                setattr(self, topic, told)

    @rx.event
    @allow_anyone
    async def find(self, form: dict[str, Any]):
        """Search for the words of the form."""
        self.found, self.summary = await in_thread(
            guide.find, text_of(form, "words"), clock.today()
        )

    @rx.event
    @allow_anyone
    async def forget(self):
        """Take the results away."""
        self.found, self.summary = [], ""
