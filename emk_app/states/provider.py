"""Signing in by way of the provider of identities: its button, and the link to one's account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, FreshFactorNeeded
from emk_app.edge.policy import allow, allow_anyone, allow_signed_in
from emk_app.presenting import provider as words
from emk_app.presenting import texts
from emk_app.services import federating, linking
from emk_app.states.session import actor_of, fresh_actor, is_fresh, ref_of, say, source_of
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

T = TypeVar("T")


class ProviderState(rx.State):
    """What the provider's parts of two pages show."""

    name: str = ""
    """What people call the provider; empty where there is none."""
    told: str = ""
    """What came of the last way there."""
    tone: str = "info"
    since: str = ""
    """When the account was linked, in words; empty while it is not."""
    is_holder: bool = False
    needs_code: bool = False
    problem: str = ""

    @rx.event
    @allow_anyone
    def load(self):
        """Show the button, and what came of the last way there."""
        self.name, self.problem = federating.name(), ""
        self.told, self.tone = words.outcome(
            self.router.url.query_parameters.get("provider", ""), self.name
        )

    @rx.event
    @allow_signed_in(quiet=True)
    async def show(self):
        """Show whether the provider leads to this account; only holders' can be linked."""
        actor = await actor_of(self)
        self.is_holder, self.needs_code = actor.role is Role.HOLDER, not is_fresh(actor)
        if not self.is_holder:
            return
        at = await in_thread(linking.linked_at, actor)
        self.since = words.since(at)

    @rx.event
    @allow(Role.HOLDER)
    async def link(self, form: dict[str, Any]):
        """Lead to the provider; whoever comes back from it is linked."""
        made = await self._do(form, federating.begin_link, ref_of(self), source=source_of(self))
        return rx.redirect(made[0], replace=True) if made else None

    @rx.event
    @allow(Role.HOLDER)
    async def unlink(self, form: dict[str, Any]):
        """Let the provider no longer lead to this account."""
        if await self._do(form, linking.unlink) is not None:
            self.since, self.told = "", ""
            await say(self, words.UNLINKED)

    async def _do(
        self, form: Any, act: Callable[..., T], *given: str, **more: str
    ) -> tuple[T] | None:
        """Do one act with a fresh second factor; return its answer in a tuple."""
        self.problem = ""
        try:
            actor = await fresh_actor(self, text_of(form, "code", 20))
            self.needs_code = False
            return (await in_thread(act, actor, *given, **more, now=clock.now()),)
        except DomainError as error:
            self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
            self.problem = texts.sentence(error)
        return None
