"""The holder's look at their own examination: live results, conclusions, an appeal."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, NotFound, Required
from emk_app.edge.policy import allow
from emk_app.presenting import exchange, texts
from emk_app.presenting import my_examinations as rows
from emk_app.presenting.attachments import AttachmentRow
from emk_app.presenting.exchange import ForeignRow
from emk_app.presenting.my_examinations import MyRow, PronouncedRow, StudyRow
from emk_app.presenting.vaccinations import StandingRow
from emk_app.services import appealing, receiving
from emk_app.services.appealing import MyExamination
from emk_app.states import live
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread


class MyExaminationState(rx.State):
    """The examination of the application on the page."""

    row: MyRow = MyRow()
    studies: list[StudyRow] = []
    conclusions: list[PronouncedRow] = []
    vaccinations: list[StandingRow] = []
    papers: list[AttachmentRow] = []
    commissions: list[list[str]] = []
    """Whom an appeal may be sent to: identity and words."""
    appeal_error: str = ""
    commission_error: str = ""
    exchange: str = ""
    """Said once the conclusion was passed on."""
    foreign: list[ForeignRow] = []
    """Conclusions of other systems."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each result within a moment of its commit."""
        async with self:
            await renew(self, hushes=False)
            actor, number = await actor_of(self), self._number()
        try:
            application_id = await in_thread(appealing.identity, actor, number)
        except NotFound:
            return
        async for _ in live.changes(f"application:{application_id}"):
            async with self:
                actor = await actor_of(self)
                self._show(await in_thread(appealing.mine, actor, number, now=clock.now()))
                foreign = exchange.foreign_rows(await in_thread(receiving.mine, actor))
                if foreign != self.foreign:
                    self.foreign = foreign

    @rx.event
    @allow(Role.HOLDER)
    async def appeal(self, form: dict[str, Any]):
        """Ask for a second commission."""
        actor, number = await actor_of(self), self._number()
        self.appeal_error = self.commission_error = ""
        reason, wanted = text_of(form, "reason", 1000), text_of(form, "commission", 20)
        if wanted not in {each[0] for each in self.commissions}:
            self.commission_error = rows.UNSAID["commission"]
            if not reason.strip():
                self.appeal_error = rows.UNSAID["reason"]
            return
        try:
            await in_thread(
                appealing.file, actor, number, reason, clinic_id=int(wanted), now=clock.now()
            )
        except Invalid as error:
            problem = error.fields["reason"]
            self.appeal_error = (
                rows.UNSAID["reason"]
                if isinstance(problem, Required)
                else texts.field_sentences(error)["reason"]
            )
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.FILED)
        await self._refresh()

    async def _refresh(self) -> None:
        actor = await actor_of(self)
        try:
            self._show(await in_thread(appealing.mine, actor, self._number(), now=clock.now()))
        except NotFound:
            return

    def _number(self) -> str:
        return str(getattr(self, "number_arg", ""))[:60]

    def _show(self, shown: MyExamination | None) -> None:
        values: dict[str, Any] = {
            "row": rows.my_row(shown),
            "exchange": exchange.for_holder(shown.exchange) if shown else "",
            "studies": rows.study_rows(shown),
            "conclusions": rows.pronounced_rows(shown),
            "papers": rows.paper_rows(shown),
            "commissions": rows.commission_options(shown),
            "vaccinations": rows.vaccination_rows(shown),
        }
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
