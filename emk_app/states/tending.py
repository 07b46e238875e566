"""Jobs that were given up, and the keys, on an administrator's screen."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, Required
from emk_app.domain.staff import REASON_LIMIT
from emk_app.edge.policy import allow
from emk_app.presenting import tending as rows
from emk_app.presenting import texts
from emk_app.presenting.tending import JobRow, KeyRow, KindRow
from emk_app.services import auditing, jobs, rewrapping, rotating, tending
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, arrive, hush, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

NO_JOB: Final = JobRow(0, "", "", "", "", "", "", "neutral", False)


class JobsState(rx.State):
    """Jobs that were given up, and how each kind does."""

    is_loaded: bool = False
    failed: list[JobRow] = []
    kinds: list[KindRow] = []
    dropping: JobRow = NO_JOB
    """The job in the form; ``id`` is 0 where there is none."""
    error: str = ""

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(jobs.TOPIC, tending.TOPIC):
            async with self:
                await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def retry(self, job_id: int):
        """Do a job again."""
        actor = await actor_of(self)
        try:
            await in_thread(tending.retry, actor, number(job_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.RETRIED)
        await self._show()

    @rx.event
    @allow(Role.ADMIN)
    async def begin_drop(self, job_id: int):
        """Ask why a job is to be laid aside."""
        await hush(self)
        sought = number(job_id)
        found = next((row for row in self.failed if row.id == sought), None)
        if found is not None:
            self.dropping, self.error = found, ""

    @rx.event
    @allow(Role.ADMIN)
    def keep(self):
        """Leave the job as it is."""
        self.dropping, self.error = NO_JOB, ""

    @rx.event
    @allow(Role.ADMIN)
    async def drop(self, form: dict[str, Any]):
        """Lay the job in the form aside."""
        self.error = ""
        actor, why = await actor_of(self), text_of(form, "why", 2 * REASON_LIMIT)
        try:
            await in_thread(tending.drop, actor, self.dropping.id, why, now=clock.now())
        except Invalid as error:
            is_empty = isinstance(error.fields["why"], Required)
            self.error = rows.UNSAID if is_empty else texts.field_sentences(error)["why"]
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.DROPPED)
        self.dropping = NO_JOB
        await self._show()

    async def _show(self) -> None:
        found = await in_thread(tending.overview, await actor_of(self), now=clock.now())
        shown = rows.job_rows(found), rows.kind_rows(found)
        if shown != (self.failed, self.kinds):
            self.failed, self.kinds = shown
        self.is_loaded = True


class KeysState(rx.State):
    """The keys, to be looked at."""

    is_loaded: bool = False
    rows: list[KeyRow] = []
    masters: str = ""

    @rx.event
    @allow(Role.ADMIN)
    async def load(self):
        """Show the keys; the look is noted."""
        await arrive(self)
        actor, now = await actor_of(self), clock.now()
        await in_thread(auditing.look, actor, "keys", fields="register", now=now)
        self.rows = rows.key_rows(await in_thread(rotating.keys, actor), now)
        self.masters = rows.masters(await in_thread(rewrapping.left))
        self.is_loaded = True
