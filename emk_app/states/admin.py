"""The administrator's first screen."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import exchange
from emk_app.presenting.exchange import ExchangeRow
from emk_app.services import exchanging, overseeing, receiving
from emk_app.states.session import actor_of, arrive, say, warn
from emk_app.threads import in_thread


class AdminState(rx.State):
    """The service's health."""

    is_loaded: bool = False
    jobs_waiting: int = 0
    jobs_failed: int = 0
    letters_waiting: int = 0
    letters_dead: int = 0
    conclusions_waiting: int = 0
    conclusions_dead: int = 0
    received_apart: int = 0
    stuck: list[ExchangeRow] = []
    """Conclusions that have not left."""
    received: list[ExchangeRow] = []
    """Conclusions of other systems that wait."""
    broken_entry: int = 0
    """The first audit entry that does not fit the chain; 0 where all do."""

    @rx.event
    @allow(Role.ADMIN)
    async def load(self):
        """Show how the service does."""
        await arrive(self)
        actor = await actor_of(self)
        found = await in_thread(overseeing.health, actor, now=clock.now())
        self.jobs_waiting, self.jobs_failed = found.jobs_waiting, found.jobs_failed
        self.letters_waiting, self.letters_dead = found.letters_waiting, found.letters_dead
        self.conclusions_waiting = found.conclusions_waiting
        self.conclusions_dead = found.conclusions_dead
        self.received_apart = found.received_apart
        now = clock.now()
        self.stuck = exchange.stuck_rows(await in_thread(exchanging.stuck, actor, now=now))
        self.received = exchange.undecided_rows(
            await in_thread(receiving.undecided, actor, now=now)
        )
        self.broken_entry = found.broken_entry or 0
        self.is_loaded = True

    @rx.event
    @allow(Role.ADMIN)
    async def retry_conclusion(self, number: int):
        """Try a conclusion again that has not left."""
        await self._decide(exchanging.retry, number, "Заключение отправляется снова.")

    @rx.event
    @allow(Role.ADMIN)
    async def compare_received(self, number: int):
        """Compare another system's conclusion with the papers as they now are."""
        await self._decide(receiving.compare_again, number, "Сверено с документами владельца.")

    async def _decide(self, act: Callable[..., object], number: int, done: str) -> None:
        actor = await actor_of(self)
        if not isinstance(number, int):
            return
        try:
            await in_thread(act, actor, number, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        now = clock.now()
        self.stuck = exchange.stuck_rows(await in_thread(exchanging.stuck, actor, now=now))
        self.received = exchange.undecided_rows(
            await in_thread(receiving.undecided, actor, now=now)
        )
