"""How strong a password is that is being typed; nothing of it is kept."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.domain import accounts as rules
from emk_app.domain.errors import InvalidValue
from emk_app.edge.policy import allow_anyone
from emk_app.presenting import texts
from emk_app.states.session import renew
from emk_app.threads import in_thread

LONGEST: Final = 254
WORDS: Final = {
    rules.Strength.GOOD: "Хороший пароль. Добавьте слово-другое, и он станет надёжным.",
    rules.Strength.STRONG: "Надёжный пароль.",
}


class MeterState(rx.State):
    """The meter under a new password."""

    level: int = 0
    """From 0, nothing typed, to 3."""
    text: str = ""

    @rx.event
    @allow_anyone
    async def load(self):
        """Begin with nothing typed."""
        await renew(self, hushes=False)

    @rx.event
    @allow_anyone
    async def weigh(self, password: str, login: str = ""):
        """Say how strong the password is, and what to change."""
        given = str(password)[: rules.LONGEST_PASSWORD + 1]
        self.level, self.text = await in_thread(_weighed, given, str(login)[:LONGEST])


def _weighed(password: str, login: str) -> tuple[int, str]:
    if not password:
        return 0, ""
    try:
        rules.check_new_password(password, login)
    except InvalidValue as error:
        return rules.Strength.UNFIT, texts.word(error)
    strength = rules.strength_of(password, login)
    return strength, WORDS[strength]
