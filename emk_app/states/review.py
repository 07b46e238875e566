"""The operators' desk: the queue, and one application with its papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.decisions import GROUNDS
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.domain.queue import QueuePart
from emk_app.edge.policy import allow
from emk_app.presenting import esignatures
from emk_app.presenting import reviews as rows
from emk_app.presenting.applications import EventRow
from emk_app.presenting.esignatures import SignatureRow
from emk_app.presenting.reviews import (
    AnswerRow,
    PaperRow,
    PartRow,
    QueueRow,
    ReversalRow,
    ReviewCheckRow,
    ReviewRow,
)
from emk_app.services import reversing, reviewing
from emk_app.services.reviewing import Case
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.session import actor_of, arrive, ends_busy, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

NUMBER_LIMIT: Final = 60
QUEUE: Final = "/review"
CONTROLS: Final = ("ground", "note", "controls", "question", "reason")
"""Names of what can be filled in wrong."""
ANCHORS: Final = {"controls": f"ask_{rows.QUESTIONS[0].name}"}
"""Where a summary of errors leads when no single control is meant."""


class QueueState(rx.State):
    """The applications that wait for an operator."""

    rows: list[QueueRow] = []
    parts: list[PartRow] = []
    search: str = ""
    page: int = 1
    pages: int = 1
    empty_title: str = ""
    empty_text: str = ""
    is_loaded: bool = False

    _part: QueuePart = QueuePart.ALL

    @rx.event
    @allow(Role.OPERATOR, quiet=True)
    async def open(self):
        """Begin without the messages of the page before, but with what became of its case."""
        if await arrive(self):
            await _say_what_was_done(self)

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the queue while the page is open."""
        async for _ in live.changes("queue"):
            # Read under the tab's lock: the part of before is never shown after the choice of now.
            async with self:
                await self._read()

    @rx.event
    @allow(Role.OPERATOR)
    async def choose_part(self, part: str):
        """Show another part of the queue."""
        if str(part) in QueuePart._value2member_map_:
            self._part, self.search, self.page = QueuePart(str(part)), "", 1
            await self._read()

    @rx.event
    @allow(Role.OPERATOR)
    async def turn(self, page: int):
        """Show another page."""
        self.page = number(page)
        await self._read()

    @rx.event
    @allow(Role.OPERATOR)
    async def find(self, form: dict[str, Any]):
        """Look for a number on the whole desk; nothing typed shows the queue again."""
        self.search, self.page = text_of(form, "search", NUMBER_LIMIT).strip(), 1
        await self._read()

    @rx.event
    @allow(Role.OPERATOR)
    async def take_next(self):
        """Take the oldest free application and open it."""
        actor = await actor_of(self)
        taken = await in_thread(reviewing.take_next, actor, now=clock.now())
        if taken is None:
            await say(self, rows.NOTHING_FREE)
            return None
        return rx.redirect(f"{QUEUE}/{taken.slug}")

    async def _read(self) -> None:
        """Show the page of the queue as it now is, sending only what differs."""
        queue = await in_thread(
            reviewing.queue,
            await actor_of(self),
            self._part,
            search=self.search,
            page=self.page,
            now=clock.now(),
        )
        title, text = rows.nothing_found(self.search) if self.search else rows.EMPTY[self._part]
        shown: dict[str, Any] = {
            "rows": rows.queue_rows(queue),
            "parts": rows.part_rows(queue, None if self.search else self._part),
            "page": queue.page,
            "pages": queue.pages,
            "empty_title": title,
            "empty_text": text,
            "is_loaded": True,
        }
        _set(self, shown)


class ReviewState(rx.State):
    """One application on an operator's screen."""

    case: ReviewRow = ReviewRow()
    answers: list[AnswerRow] = []
    papers: list[PaperRow] = []
    checks: list[ReviewCheckRow] = []
    signature: SignatureRow = SignatureRow()
    history: list[EventRow] = []
    reversal: ReversalRow = ReversalRow()
    is_loaded: bool = False
    is_missing: bool = False
    ground: str = ""
    """The ground of a refusal that is being chosen."""
    ground_text: str = ""
    """What the holder will read of it."""
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    summary: list[list[str]] = []
    """What is wrong in the form just sent: control and sentence."""
    busy: bool = False

    _version: int = 0
    """Of the case on the screen: what was read before it is not shown after it."""
    _done: str = ""
    """What was done with the case before, to be said on the page that follows."""

    @rx.event
    @allow(Role.OPERATOR, quiet=True)
    async def open(self):
        """Begin with an empty page: the case before is nobody's business here."""
        done = self._done
        if await renew(self) and done:
            self._done = ""
            await say(self, done)

    @rx.event(background=True)
    @allow(Role.OPERATOR, quiet=True)
    async def follow(self):
        """Show each change of the application while the page is open."""
        async with self:
            actor, asked = await actor_of(self), self._number()
        try:
            application_id = await in_thread(reviewing.identity, actor, asked)
        except NotFound:
            async with self:
                self.is_missing = self.is_loaded = True
            return
        async for _ in live.changes(f"application:{application_id}"):
            async with self:
                actor = await actor_of(self)
            case = await self._case(actor, asked)
            async with self:
                if self._number() != asked:
                    # The tab has gone on to another case: this one must not come back.
                    return
                self._show(case)

    @rx.event
    @allow(Role.OPERATOR)
    async def take(self):
        """Take the papers for oneself."""
        await self._do(reviewing.take, rows.TAKEN)

    @rx.event
    @allow(Role.OPERATOR)
    async def take_next(self):
        """Leave this case as it is and go on to the oldest free one."""
        actor = await actor_of(self)
        taken = await in_thread(reviewing.take_next, actor, now=clock.now())
        if taken is None:
            await say(self, rows.NOTHING_LEFT)
            return None
        return rx.redirect(f"{QUEUE}/{taken.slug}")

    @rx.event
    @allow(Role.OPERATOR)
    async def release(self):
        """Give the papers back to the queue."""
        await self._do(reviewing.release, rows.RELEASED)

    @rx.event
    @allow(Role.OPERATOR)
    @ends_busy
    async def approve(self):
        """Approve the papers and go on to the next."""
        self.busy = True
        yield
        done = await self._do(reviewing.approve, rows.APPROVED)
        if done:
            yield await self._go_on(rows.APPROVED)

    @rx.event
    @allow(Role.OPERATOR)
    def choose_ground(self, code: str):
        """Note the ground, so that the preview says what the holder will read of it."""
        self.ground = str(code)[:NUMBER_LIMIT]
        chosen = GROUNDS.get(self.ground)
        self.ground_text = chosen.text if chosen else ""
        self.errors = {**self.errors, "ground": "", "note": ""}

    @rx.event
    @allow(Role.OPERATOR)
    @ends_busy
    async def reject(self, form: dict[str, Any]):
        """Refuse the application on the ground chosen in the form and go on to the next."""
        self.busy = True
        yield
        ground, note = text_of(form, "ground"), text_of(form, "note", 1000)
        done = await self._do(reviewing.reject, rows.REJECTED, ground, note)
        if done:
            yield await self._go_on(rows.REJECTED)

    @rx.event
    @allow(Role.OPERATOR)
    @ends_busy
    async def ask(self, form: dict[str, Any]):
        """Ask the holder to correct what is ticked in the form and go on to the next."""
        self.busy = True
        yield
        ticked = [
            each
            for each in (*rows.QUESTIONS, *rows.PAPER_QUESTIONS)
            if _is_ticked(form, f"ask_{each.name}")
        ]
        prepared = [
            (rows.named(each), code)
            for each in ticked
            if (code := text_of(form, f"why_{each.name}", NUMBER_LIMIT))
        ]
        done = await self._do(
            reviewing.ask_clarification,
            rows.ASKED,
            [control for each in ticked for control in each.controls],
            text_of(form, "question", 1000),
            prepared,
        )
        if done:
            yield await self._go_on(rows.ASKED)

    @rx.event
    @allow(Role.OPERATOR)
    async def ask_reversal(self, form: dict[str, Any]):
        """Ask a colleague to undo the decision."""
        reason = text_of(form, "reason", 1000)
        await self._do(reversing.ask, rows.REVERSAL_ASKED, reason)

    @rx.event
    @allow(Role.OPERATOR)
    async def confirm_reversal(self):
        """Agree with the colleague: the decision is undone."""
        await self._do(reversing.confirm, rows.REVERSAL_CONFIRMED)

    @rx.event
    @allow(Role.OPERATOR)
    async def decline_reversal(self):
        """Leave the decision as it is."""
        await self._do(reversing.decline, rows.REVERSAL_DECLINED)

    async def _do(self, act: Callable[..., None], done: str, *values: Any) -> bool:
        """Do one act of the desk and show the case as it then is, also to whoever came second."""
        actor, asked = await actor_of(self), self._number()
        self.errors, self.summary = dict.fromkeys(self.errors, ""), []
        if not self.case.number:
            # A click from the page before: nobody has seen yet what it would decide on.
            self._show(await self._case(actor, asked))
            return False
        succeeded = False
        try:
            await in_thread(act, actor, asked, *values, now=clock.now())
        except Invalid as error:
            said = rows.sentences(error)
            self.errors = {**self.errors, **said}
            self.summary = [[ANCHORS.get(name, name), text] for name, text in said.items()]
            return False
        except DomainError as error:
            await warn(self, error)
        else:
            succeeded = True
            await say(self, done)
        self._show(await self._case(actor, asked))
        return succeeded

    async def _go_on(self, done: str) -> Any:
        """Leave for what is to be decided next, or for the queue where nothing is."""
        actor = await actor_of(self)
        following = await in_thread(reviewing.go_on, actor, now=clock.now())
        said = f"{self.case.number}: {done[0].lower()}{done[1:]}"
        self._done = f"{said} {rows.NEXT if following else rows.NOTHING_LEFT}"
        return rx.redirect(f"{QUEUE}/{following.slug}" if following else QUEUE)

    async def _case(self, actor: Actor, asked: str) -> Case | None:
        try:
            return await in_thread(reviewing.case, actor, asked, now=clock.now())
        except NotFound:
            return None

    def _show(self, case: Case | None) -> None:
        """Send what differs from what the screen shows."""
        if not self.is_loaded or self.is_missing is not (case is None):
            self.is_loaded, self.is_missing = True, case is None
        if case is None:
            self.case, self.answers, self.papers = ReviewRow(), [], []
            self.checks, self.history, self.reversal = [], [], ReversalRow()
            self.signature = SignatureRow()
            return
        if case.version < self._version:
            return
        self._version = case.version
        shown: dict[str, Any] = {
            "case": rows.review_row(case),
            "answers": rows.answer_rows(case),
            "papers": rows.paper_rows(case.scans),
            "checks": rows.check_rows(case),
            "signature": esignatures.row(case.signature, case.number.slug),
            "history": rows.event_rows(case.history),
            "reversal": rows.reversal_row(case),
        }
        _set(self, shown)

    def _number(self) -> str:
        return str(getattr(self, "number_arg", ""))[:NUMBER_LIMIT]


def _set(state: rx.State, shown: dict[str, Any]) -> None:
    """Send what differs from what the screen shows."""
    for name, value in shown.items():
        if getattr(state, name) != value:
            setattr(state, name, value)


async def _say_what_was_done(state: rx.State) -> None:
    """Say on this page what was done on the one before."""
    review = await state.get_state(ReviewState)
    done, review._done = review._done, ""
    if done:
        await say(state, done)


def _is_ticked(form: Any, name: str) -> bool:
    """Read a checkbox; the browser may have sent anything."""
    return isinstance(form, dict) and form.get(name) in (True, "on", "true")
