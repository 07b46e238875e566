"""The demo's outbox: what would have gone to phones and mailboxes."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from emk_app.domain.notices import Channel
from emk_app.edge.policy import allow_anyone
from emk_app.presenting import notices
from emk_app.presenting.formats import moment
from emk_app.services import delivering
from emk_app.services.delivering import LetterState
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
    state: str
    tone: str


class OutboxState(rx.State):
    """Letters of the demo, newest first."""

    letters: list[LetterRow] = []
    is_loaded: bool = False
    channel: str = ""
    """Only letters of this channel; empty for all."""
    stage: str = ""
    """Only letters that have come so far; empty for all."""

    @rx.event(background=True)
    @allow_anyone
    async def follow(self):
        """Show letters as they come; the service refuses outside the demo."""
        async for _ in live.changes("outbox", delivering.TOPIC):
            async with self:
                await self._show()

    @rx.event
    @allow_anyone
    async def choose_channel(self, channel: str):
        """Show the letters of one channel, or of all."""
        self.channel = channel if str(channel) in set(Channel) else ""
        await self._show()

    @rx.event
    @allow_anyone
    async def choose_stage(self, stage: str):
        """Show the letters that have come so far, or all."""
        self.stage = stage if str(stage) in set(LetterState) else ""
        await self._show()

    async def _show(self) -> None:
        found = await in_thread(
            delivering.demo_letters,
            notices.message,
            channel=Channel(self.channel) if self.channel else None,
            state=LetterState(self.stage) if self.stage else None,
        )
        rows = [
            LetterRow(
                letter.id,
                notices.CHANNELS[letter.channel],
                letter.recipient,
                letter.text or notices.OLD_LETTER,
                moment(letter.created_at),
                *notices.letter_state(letter.state, letter.created_at, letter.due_at),
            )
            for letter in found
        ]
        if rows != self.letters or not self.is_loaded:
            self.letters, self.is_loaded = rows, True
