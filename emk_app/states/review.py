"""The operators' desk: the queue, and one application with its papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.edge.policy import allow
from emk_app.presenting import esignatures
from emk_app.presenting import reviews as rows
from emk_app.presenting.applications import CheckRow, EventRow, FieldRow
from emk_app.presenting.esignatures import SignatureRow
from emk_app.presenting.reviews import PaperRow, QueueFigures, QueueRow, ReviewRow
from emk_app.services import reviewing
from emk_app.services.reviewing import Case
from emk_app.states import live
from emk_app.states.session import actor_of, hush, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

NUMBER_LIMIT: Final = 60
ANCHORS: Final = {"controls": f"ask_{rows.QUESTIONS[0].name}"}
"""Where a summary of errors leads when no single control is meant."""


class QueueState(rx.State):
    """The applications that wait for an operator."""

    rows: list[QueueRow] = []
    figures: QueueFigures = QueueFigures()
    is_loaded: bool = False

    @rx.event
    @allow(Role.OPERATOR, quiet=True)
    async def open(self):
        """Begin without the messages of the page before."""
        await hush(self)

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the queue while the page is open."""
        async for _ in live.changes("queue"):
            async with self:
                actor = await actor_of(self)
            queue = await in_thread(reviewing.queue, actor, now=clock.now())
            shown, figures = rows.queue_rows(queue), rows.queue_figures(queue)
            async with self:
                if shown != self.rows:
                    self.rows = shown
                if figures != self.figures:
                    self.figures = figures
                if not self.is_loaded:
                    self.is_loaded = True


class ReviewState(rx.State):
    """One application on an operator's screen."""

    case: ReviewRow = ReviewRow()
    answers: list[FieldRow] = []
    papers: list[PaperRow] = []
    checks: list[CheckRow] = []
    signature: SignatureRow = SignatureRow()
    history: list[EventRow] = []
    is_loaded: bool = False
    is_missing: bool = False
    ground: str = ""
    """The ground of a refusal that is being chosen."""
    errors: dict[str, str] = {"ground": "", "note": "", "controls": "", "question": ""}
    summary: list[list[str]] = []
    """What is wrong in the form just sent: control and sentence."""
    busy: bool = False

    _version: int = 0
    """Of the case on the screen: what was read before it is not shown after it."""

    @rx.event
    @allow(Role.OPERATOR, quiet=True)
    async def open(self):
        """Begin with an empty page: the case before is nobody's business here."""
        await hush(self)
        self.reset()

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the application while the page is open."""
        async with self:
            actor, number = await actor_of(self), self._number()
        try:
            application_id = await in_thread(reviewing.identity, actor, number)
        except NotFound:
            async with self:
                self.is_missing = self.is_loaded = True
            return
        async for _ in live.changes(f"application:{application_id}"):
            async with self:
                actor = await actor_of(self)
            case = await self._case(actor, number)
            async with self:
                self._show(case)

    @rx.event
    @allow(Role.OPERATOR)
    async def take(self):
        """Take the papers for oneself."""
        await self._do(reviewing.take, rows.TAKEN)

    @rx.event
    @allow(Role.OPERATOR)
    async def release(self):
        """Give the papers back to the queue."""
        await self._do(reviewing.release, rows.RELEASED)

    @rx.event
    @allow(Role.OPERATOR)
    async def approve(self):
        """Approve the papers."""
        self.busy = True
        yield
        await self._do(reviewing.approve, rows.APPROVED)
        self.busy = False

    @rx.event
    @allow(Role.OPERATOR)
    def choose_ground(self, code: str):
        """Note the ground, so that the note beside it says whether it is needed."""
        self.ground = str(code)[:NUMBER_LIMIT]
        self.errors = {**self.errors, "ground": "", "note": ""}

    @rx.event
    @allow(Role.OPERATOR)
    async def reject(self, form: dict[str, Any]):
        """Refuse the application on the ground chosen in the form."""
        self.busy = True
        yield
        ground, note = text_of(form, "ground"), text_of(form, "note", 1000)
        await self._do(reviewing.reject, rows.REJECTED, ground, note)
        self.busy = False

    @rx.event
    @allow(Role.OPERATOR)
    async def ask(self, form: dict[str, Any]):
        """Ask the holder to correct what is ticked in the form."""
        self.busy = True
        yield
        ticked = [
            control
            for each in (*rows.QUESTIONS, *rows.PAPER_QUESTIONS)
            if _is_ticked(form, f"ask_{each.name}")
            for control in each.controls
        ]
        question = text_of(form, "question", 1000)
        await self._do(reviewing.ask_clarification, rows.ASKED, ticked, question)
        self.busy = False

    async def _do(self, act: Callable[..., None], done: str, *values: Any) -> None:
        """Do one act of the desk and show the case as it then is, also to whoever came second."""
        actor, number = await actor_of(self), self._number()
        self.errors, self.summary = dict.fromkeys(self.errors, ""), []
        if not self.case.number:
            # A click from the page before: nobody has seen yet what it would decide on.
            self._show(await self._case(actor, number))
            return
        try:
            await in_thread(act, actor, number, *values, now=clock.now())
        except Invalid as error:
            said = rows.sentences(error)
            self.errors = {**self.errors, **said}
            self.summary = [[ANCHORS.get(name, name), text] for name, text in said.items()]
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        self._show(await self._case(actor, number))

    async def _case(self, actor: Actor, number: str) -> Case | None:
        try:
            return await in_thread(reviewing.case, actor, number, now=clock.now())
        except NotFound:
            return None

    def _show(self, case: Case | None) -> None:
        """Send what differs from what the screen shows."""
        if not self.is_loaded or self.is_missing is not (case is None):
            self.is_loaded, self.is_missing = True, case is None
        if case is None:
            self.case, self.answers, self.papers = ReviewRow(), [], []
            self.checks, self.history = [], []
            self.signature = SignatureRow()
            return
        if case.version < self._version:
            return
        self._version = case.version
        shown: dict[str, Any] = {
            "case": rows.review_row(case),
            "answers": rows.answer_rows(case),
            "papers": rows.paper_rows(case.scans),
            "checks": rows.check_rows(case.findings),
            "signature": esignatures.row(case.signature, case.number.slug),
            "history": rows.event_rows(case.history),
        }
        for name, value in shown.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _number(self) -> str:
        return str(getattr(self, "number_arg", ""))[:NUMBER_LIMIT]


def _is_ticked(form: Any, name: str) -> bool:
    """Read a checkbox; the browser may have sent anything."""
    return isinstance(form, dict) and form.get(name) in (True, "on", "true")
