"""The holder's dashboard, the list of applications and the page of one, all live."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.domain.intake import Field
from emk_app.edge.policy import allow
from emk_app.presenting import applications as rows
from emk_app.presenting import esignatures
from emk_app.presenting.applications import (
    BookRow,
    CaseRow,
    CheckRow,
    ClinicRow,
    DraftRow,
    EventRow,
    FieldRow,
    ScanRow,
    StepRow,
)
from emk_app.presenting.esignatures import SignatureRow
from emk_app.services import applying, scans
from emk_app.services.applying import CaseDetails, Overview
from emk_app.states import live
from emk_app.states.apply import ENTRY, NOTHING_WRONG, ClinicSearchState, number, scan_kind
from emk_app.states.session import actor_of, arrive, ends_busy, renew, say, warn
from emk_app.threads import in_thread


class DashboardState(rx.State):
    """What the holder has: a draft, applications, a book."""

    is_loaded: bool = False
    draft: DraftRow = DraftRow()
    has_draft: bool = False
    current: list[CaseRow] = []
    """What is under way or, where nothing is, what ended last without a book."""
    cases: list[CaseRow] = []
    """All that were handed in, newest first."""
    book: BookRow = BookRow()
    has_book: bool = False
    news: str = ""
    """What has just changed, for those who don't see the colours change."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of anything the holder has, within a moment of its commit."""
        async with self:
            await arrive(self)
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            # Read under the tab's lock: what was read before an act of this tab is never shown
            # after it.
            async with self:
                actor, now = await actor_of(self), clock.now()
                overview = await in_thread(applying.overview, actor, now=now)
                self._show(overview, rows.book_row(overview.book, clock.day_of(now)))

    def _show(self, overview: Overview, book: BookRow) -> None:
        """Take over what has changed."""
        cases = [rows.case_row(case) for case in overview.cases]
        if news := rows.news(self.cases, cases):
            self.news = news
        if cases != self.cases or not self.is_loaded:
            self.cases, self.current = cases, rows.current(cases)
        draft = rows.draft_row(overview.draft)
        if draft != self.draft:
            self.draft, self.has_draft = draft, overview.draft is not None
        if book != self.book:
            self.book, self.has_book = book, overview.book is not None
        if not self.is_loaded:
            self.is_loaded = True

    @rx.event
    @allow(Role.HOLDER)
    async def discard(self):
        """Delete the draft with everything in it."""
        actor = await actor_of(self)
        draft = await in_thread(applying.standing_draft, actor, now=clock.now())
        if draft is not None:
            await in_thread(applying.withdraw, actor, draft.id, now=clock.now())
        await say(self, "Черновик удалён.")


class CaseState(rx.State):
    """One application that was handed in."""

    is_loaded: bool = False
    is_missing: bool = False
    case: CaseRow = CaseRow()
    slug: str = ""
    clinic: ClinicRow = ClinicRow()
    clinic_id: int = 0
    has_clinic: bool = False
    events: list[EventRow] = []
    papers_steps: list[StepRow] = []
    examination_steps: list[StepRow] = []
    book_step: StepRow = StepRow()
    checks: list[CheckRow] = []
    signature: SignatureRow = SignatureRow()
    papers: list[ScanRow] = []
    answers: list[FieldRow] = []

    asks: dict[str, bool] = dict.fromkeys(rows.CONTROLS, False)
    """Which controls the operator asks to correct."""
    fields: dict[str, str] = {field.value: "" for field in Field}
    errors: dict[str, str] = dict(NOTHING_WRONG)
    scans: dict[str, ScanRow] = rows.scan_rows(())
    work: str = ""
    summary: list[list[str]] = []
    busy: bool = False
    revision: int = 0
    news: str = ""

    _case_id: int = 0

    @rx.event
    @allow(Role.HOLDER)
    async def open(self):
        """Show the application whose number stands in the address."""
        if not await renew(self) and self.is_loaded:
            # What has changed since is shown by ``follow``.
            return
        asked = self._number()
        actor = await actor_of(self)
        try:
            found = await in_thread(applying.case, actor, asked, now=clock.now())
        except NotFound:
            self.is_loaded = self.is_missing = True
            return
        self._show(found)

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of this application within a moment of its commit."""
        # Background events don't wait for those before them: nothing is known of ``open`` yet.
        async with self:
            actor, asked = await actor_of(self), self._number()
        try:
            found = await in_thread(applying.case, actor, asked, now=clock.now())
        except NotFound:
            return
        async for _ in live.changes(f"application:{found.case.id}"):
            async with self:
                actor = await actor_of(self)
                found = await in_thread(applying.case, actor, asked, now=clock.now())
                if news := rows.news([self.case], [rows.case_row(found.case)]):
                    self.news = news
                shown = self.fields
                self._show(found)
                self.revision += self.fields != shown

    @rx.event
    @allow(Role.HOLDER)
    async def begin_search(self):
        """Show the clinics that examine for this application's occupation."""
        actor = await actor_of(self)
        try:
            found = await in_thread(applying.case, actor, self._number(), now=clock.now())
        except NotFound:
            return
        search = await self.get_state(ClinicSearchState)
        occupation = found.case.occupation
        await search._begin(self._number(), occupation.point if occupation else "")

    @rx.event
    @allow(Role.HOLDER)
    async def change(self, name: str, text: str):
        """Save one corrected field as it is left and say what is wrong with it."""
        if str(name) in Field._value2member_map_:
            await self._save({Field(name): str(text)})

    @rx.event
    @allow(Role.HOLDER)
    async def remove_scan(self, name: str):
        """Take away a scan that is to be replaced."""
        kind = scan_kind(name)
        if kind is None:
            return
        actor = await actor_of(self)
        try:
            await in_thread(scans.remove, actor, self._case_id, kind, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        await self._reload()

    @rx.event
    @allow(Role.HOLDER)
    @ends_busy
    async def correct(self, form: dict[str, Any]):
        """Hand the corrections in."""
        self.busy, self.summary = True, []
        yield
        actor = await actor_of(self)
        sent: dict[str, Any] = form if isinstance(form, dict) else {}
        typed = {
            field: text
            for field in Field
            if self.asks.get(field.value) and isinstance(text := sent.get(field.value), str)
        }
        reply = sent.get("reply")
        try:
            if typed:
                await in_thread(
                    applying.change_fields, actor, self._case_id, typed, now=clock.now()
                )
            await in_thread(
                applying.correct,
                actor,
                self._case_id,
                reply if isinstance(reply, str) else "",
                now=clock.now(),
            )
        except Invalid as error:
            await self._reload()
            said = rows.sentences(error.fields)
            self.errors = NOTHING_WRONG | said
            self.summary = rows.summary_lines(said)
        except DomainError as error:
            await warn(self, error)
            await self._reload()
        else:
            await self._reload()
            await say(self, "Исправления отправлены. Проверка продолжается.")

    @rx.event
    @allow(Role.HOLDER)
    async def withdraw(self):
        """Take the application back."""
        actor = await actor_of(self)
        try:
            await in_thread(applying.withdraw, actor, self._case_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Заявка отозвана.")
        await self._reload()

    @rx.event
    @allow(Role.HOLDER)
    async def reapply(self):
        """Begin a new application on the ground of this one."""
        actor = await actor_of(self)
        try:
            await in_thread(applying.reapply, actor, self._case_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect(ENTRY)

    @rx.event
    @allow(Role.HOLDER)
    async def choose_clinic(self, clinic_id: int):
        """Choose another clinic, while the first has not begun."""
        actor = await actor_of(self)
        try:
            await in_thread(
                applying.choose_clinic, actor, self._case_id, number(clinic_id), now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return None
        await self._reload()
        return rx.redirect(self.case.href)

    async def _save(self, typed: dict[Field, str]) -> None:
        actor = await actor_of(self)
        try:
            await in_thread(applying.change_fields, actor, self._case_id, typed, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        await self._reload()

    async def _reload(self) -> None:
        if not self.slug:
            return
        actor = await actor_of(self)
        self._show(await in_thread(applying.case, actor, self.slug, now=clock.now()))

    def _number(self) -> str:
        return str(getattr(self, "number_arg", ""))[:60]

    def _show(self, found: CaseDetails) -> None:
        case = found.case
        self._case_id = case.id
        self.is_loaded, self.is_missing = True, False
        self.case, self.slug = rows.case_row(case), case.number.slug
        self.clinic = rows.clinic_row(case.clinic)
        self.clinic_id, self.has_clinic = self.clinic.id, case.clinic is not None
        self.events = rows.event_rows(found.history)
        self.papers_steps = rows.papers_steps(found)
        self.examination_steps = rows.examination_steps(found)
        self.book_step = rows.book_step(found)
        self.checks = [rows.check_row(finding) for finding in found.checks]
        self.signature = esignatures.row(found.signature, self.slug)
        self.papers = rows.paper_rows(found.scans, found.fields)
        self.answers = rows.answer_rows(found)
        asked = rows.asked_names(case.asked)
        self.asks = {name: name in asked for name in rows.CONTROLS}
        # Only what is asked for leaves the server as it was typed (D23).
        self.fields = {
            field.value: found.fields.get(field.value, "") if field in case.asked.fields else ""
            for field in Field
        }
        said = rows.sentences(found.problems)
        self.errors = NOTHING_WRONG | {name: said[name] for name in asked if name in said}
        self.scans = rows.scan_rows(
            tuple(scan for scan in found.scans if scan.kind in case.asked.scans), found.fields
        )
        self.work = rows.work_text(self.fields)
