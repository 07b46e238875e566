"""The administrator's first screen."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.edge.policy import allow
from emk_app.services import overseeing
from emk_app.states.session import actor_of, hush
from emk_app.threads import in_thread


class AdminState(rx.State):
    """The service's health."""

    is_loaded: bool = False
    jobs_waiting: int = 0
    jobs_failed: int = 0
    letters_waiting: int = 0
    letters_dead: int = 0
    broken_entry: int = 0
    """The first audit entry that does not fit the chain; 0 where all do."""

    @rx.event
    @allow(Role.ADMIN)
    async def load(self):
        """Show how the service does."""
        await hush(self)
        actor = await actor_of(self)
        found = await in_thread(overseeing.health, actor, now=clock.now())
        self.jobs_waiting, self.jobs_failed = found.jobs_waiting, found.jobs_failed
        self.letters_waiting, self.letters_dead = found.letters_waiting, found.letters_dead
        self.broken_entry = found.broken_entry or 0
        self.is_loaded = True
