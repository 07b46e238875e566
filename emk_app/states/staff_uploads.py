"""The employer's page of files: what comes in, how far it is, what became of it."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.db.repositories.staff_uploads import topic_of
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.enlisting import UploadState
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import enlisting as rows
from emk_app.presenting.enlisting import LineRow, OpenUpload, PastUpload
from emk_app.services import enlisting
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.threads import in_thread


class StaffUploadsState(rx.State):
    """The newest file of the organisation and the ones before."""

    is_loaded: bool = False
    may_upload: bool = False
    """Whether the person has an organisation and may change its list."""
    current: OpenUpload = OpenUpload()
    bad: list[LineRow] = []
    good: list[LineRow] = []
    csv: str = ""
    xlsx: str = ""
    history: list[PastUpload] = []

    @rx.event(background=True)
    @allow(Role.EMPLOYER, quiet=True)
    async def follow(self):
        """Show how far the file is, while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            if actor.organisation_id is None or actor.post is Post.VIEWER:
                self.is_loaded = True
                return
        async for _ in live.changes(topic_of(actor.organisation_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def confirm(self, upload_id: int):
        """Have the lines checked and added."""
        actor = await actor_of(self)
        try:
            await in_thread(enlisting.confirm, actor, number(upload_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)

    @rx.event
    @allow(Role.EMPLOYER)
    async def drop(self, upload_id: int):
        """Give the file up."""
        actor = await actor_of(self)
        try:
            await in_thread(enlisting.drop, actor, number(upload_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Файл удалён. Кто уже добавлен, останется в списке.")

    async def _show(self, actor: Actor) -> None:
        views = await in_thread(enlisting.shown, actor)
        first = views[0] if views and views[0].state is not UploadState.DROPPED else None
        if first is None:
            self.current, self.bad, self.good = OpenUpload(), [], []
        else:
            # While it is worked on the figures alone change.
            is_working = first.state is UploadState.APPLYING
            lines = (
                []
                if is_working
                else await in_thread(enlisting.lines, actor, first.id, now=clock.now())
            )
            self.current = rows.open_upload(first, lines)
            self.bad, self.good = rows.bad_rows(lines), rows.good_rows(lines)
            self.csv, self.xlsx = (rows.result_href(first.id, ending) for ending in ("csv", "xlsx"))
        self.history = [rows.past_upload(view) for view in views if view is not first]
        self.may_upload = self.is_loaded = True
