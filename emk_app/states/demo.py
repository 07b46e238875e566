"""The demo's outbox: what would have gone to phones and mailboxes."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from emk_app.edge.policy import allow_anyone
from emk_app.presenting import notices
from emk_app.presenting.formats import moment
from emk_app.services import delivering
from emk_app.states import live
from emk_app.threads import in_thread


@dataclass(frozen=True)
class LetterRow:
    """One letter on the screen."""

    id: int
    channel: str
    recipient: str
    text: str
    at: str
    is_sent: bool


class OutboxState(rx.State):
    """Letters of the demo, newest first."""

    letters: list[LetterRow] = []
    is_loaded: bool = False

    @rx.event(background=True)
    @allow_anyone
    async def follow(self):
        """Show letters as they come; the service refuses outside the demo."""
        async for _ in live.changes("outbox", "letters"):
            rows = [
                LetterRow(
                    letter.id,
                    "СМС" if letter.channel == "sms" else "Почта",
                    letter.recipient,
                    letter.text or "Сообщение прежней версии прочесть нельзя.",
                    moment(letter.created_at),
                    letter.state is delivering.LetterState.SENT,
                )
                for letter in await in_thread(delivering.demo_letters, notices.message)
            ]
            async with self:
                if rows != self.letters or not self.is_loaded:
                    self.letters, self.is_loaded = rows, True
