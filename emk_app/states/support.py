"""Support on the screen: self-help for everybody, the person's tickets, the desk; all live."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid, NotFound
from emk_app.domain.support import PEOPLE, STAFF, TEXT_LIMIT, Part, incident_of
from emk_app.edge.cookies import Standing
from emk_app.edge.gate import caller_of
from emk_app.edge.policy import allow, allow_anyone
from emk_app.presenting import prepared, texts
from emk_app.presenting import support as rows
from emk_app.presenting.support import (
    CallerRow,
    CodeRow,
    GlassRow,
    LateRow,
    LineRow,
    PairRow,
    PartRow,
    ThreadRow,
    TicketRow,
)
from emk_app.services import answering, opening, preparing, supporting
from emk_app.services.supporting import Thread
from emk_app.states import live
from emk_app.states.apply import number, words_of
from emk_app.states.session import actor_of, hush, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

TICKET_LENGTH: Final = 12
ASKED: Final = ("ticket", "error", "number")
"""What an address may fill in."""
WRITE: Final[dict[Role, str]] = {
    Role.HOLDER: "/cabinet/support",
    Role.CLINIC: "/clinic/support",
    Role.EMPLOYER: "/employer/support",
}
"""Where each role asks."""
ANSWER: Final[dict[Role, str]] = {Role.SUPPORT: "/support", Role.OPERATOR: "/requests"}
"""Where each role answers."""
NO_ERRORS: Final[dict[str, str]] = dict.fromkeys(("rating", "comment"), "")
NO_DESK_ERRORS: Final[dict[str, str]] = dict.fromkeys(
    ("text", "note", "handing", "reason", "code", "query", "factor"), ""
)


class HelpState(rx.State):
    """The open page of self-help; who is signed in goes on to their own support."""

    write_href: str = ""
    """Where the person asks; empty for strangers and for those who answer."""

    @rx.event
    @allow_anyone
    async def load(self):
        """Lead on who has come with the number of an error or of a ticket."""
        self.write_href = ""
        caller = caller_of(self.router_data)
        if caller is None or caller.standing is not Standing.SIGNED_IN:
            return None
        actor = await actor_of(self)
        base = WRITE.get(actor.role) or ANSWER.get(actor.role)
        if base is None:
            return None
        said = {name: text for name in ASKED if (text := _asked(self, name))}
        if said:
            return rx.redirect(f"{base}?{urlencode(said)}")
        self.write_href = base if actor.role in WRITE else ""
        return None


class SupportState(rx.State):
    """What the person has asked, one ticket of it, and the code for the telephone."""

    is_loaded: bool = False
    tickets: list[TicketRow] = []
    opened: str = ""
    ticket: TicketRow = TicketRow()
    thread: ThreadRow = ThreadRow()
    lines: list[LineRow] = []
    glass: GlassRow = GlassRow()
    numbers: list[list[str]] = []
    """The applications one can ask about."""
    subject: str = ""
    number: str = ""
    incident: str = ""
    code: CodeRow = CodeRow()
    form_key: str = ""
    errors: dict[str, str] = NO_ERRORS.copy()

    _known: list[str] = []

    @rx.event(background=True)
    @allow(*PEOPLE, quiet=True)
    async def follow(self):
        """Show each answer as it comes, and a fresh code where the last has run out."""
        async with self:
            if await renew(self):
                self._fill_in()
            actor = await actor_of(self)
        async for _ in live.changes_or_ticks(supporting.topic_of(actor.user_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(*PEOPLE)
    async def open(self, ticket: str):
        """Open one ticket."""
        await hush(self)
        self.opened, self.errors = words_of(ticket, TICKET_LENGTH), NO_ERRORS.copy()
        await self._show(await actor_of(self))

    @rx.event
    @allow(*PEOPLE)
    async def leave(self):
        """Go back to the list."""
        await hush(self)
        self._leave()

    @rx.event
    @allow(*PEOPLE)
    async def close(self, form: dict[str, Any]):
        """Close the opened ticket, rated or not."""
        await self._rated(supporting.close, form, "Обращение закрыто. Спасибо!")

    @rx.event
    @allow(*PEOPLE)
    async def rate(self, form: dict[str, Any]):
        """Say how good the help was."""
        await self._rated(supporting.rate, form, "Спасибо за оценку!")

    @rx.event
    @allow(Role.HOLDER)
    async def agree(self):
        """Let support see more for a quarter of an hour."""
        await self._glass(opening.consent, "Данные открыты поддержке на 15 минут.")

    @rx.event
    @allow(Role.HOLDER)
    async def decline(self):
        """Refuse that, or end it."""
        await self._glass(opening.decline, "Поддержка ваших данных не видит.")

    async def _rated(self, act: Callable[..., None], form: Any, done: str) -> None:
        self.errors = NO_ERRORS.copy()
        actor = await actor_of(self)
        said = (text_of(form, "rating", 10), text_of(form, "comment", 2000))
        try:
            await in_thread(act, actor, self.opened, *said, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        await self._show(actor)

    async def _glass(self, act: Callable[..., None], done: str) -> None:
        actor = await actor_of(self)
        try:
            await in_thread(act, actor, self.opened, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        await self._show(actor)

    def _fill_in(self) -> None:
        self.opened = _asked(self, "ticket")
        self.number = _asked(self, "number")
        self.incident = _asked(self, "error")
        self.subject = rows.subject_for(self.incident, self.number)
        self.form_key = secrets.token_hex(16)

    def _leave(self) -> None:
        self.opened, self.ticket, self.thread = "", TicketRow(), ThreadRow()
        self.lines, self.glass = [], GlassRow()

    async def _show(self, actor: Actor) -> None:
        now = clock.now()
        found = await in_thread(supporting.mine, actor)
        fresh = [each for each in found if each.number not in self._known]
        if self.is_loaded and fresh:
            # Only the person's own screens begin tickets: what was sent here is opened at once.
            self.opened, self.form_key = fresh[0].number, secrets.token_hex(16)
            await say(self, rows.accepted(fresh[0]))
        self._known = [each.number for each in found]
        if not self.is_loaded:
            numbers = await in_thread(supporting.applications_of, actor)
            self.numbers = [[each.slug, each.shown] for each in numbers]
            if self.number and self.number not in {each.slug for each in numbers}:
                self.number = ""
        code = rows.code_row(await in_thread(supporting.code, actor, now=now))
        if code != self.code:
            self.code = code
        if self.opened:
            await self._show_thread(actor)
            if any(each.unread for each in found if each.number == self.opened):
                await in_thread(supporting.note_seen, actor, self.opened)
                found = await in_thread(supporting.mine, actor)
        shown = [rows.ticket_row(each, actor, now) for each in found]
        if shown != self.tickets:
            self.tickets = shown
        self.is_loaded = True

    async def _show_thread(self, actor: Actor) -> None:
        now = clock.now()
        try:
            found = await in_thread(supporting.thread, actor, self.opened, now=now)
        except NotFound:
            self._leave()
            return
        lines = rows.line_rows(found, actor)
        if lines != self.lines:
            self.lines, self.form_key = lines, secrets.token_hex(16)
        about = rows.ticket_row(found.ticket, actor, now)
        row, glass = rows.thread_row(found, actor), rows.glass_row(found.glass, actor)
        if (about, row, glass) != (self.ticket, self.thread, self.glass):
            self.ticket, self.thread, self.glass = about, row, glass


class DeskState(rx.State):
    """The queue of tickets, one ticket of it, late applications, who is on the telephone."""

    is_loaded: bool = False
    parts: list[PartRow] = []
    rows: list[TicketRow] = []
    page: int = 1
    pages: int = 1
    late: list[LateRow] = []
    opened: str = ""
    ticket: TicketRow = TicketRow()
    thread: ThreadRow = ThreadRow()
    lines: list[LineRow] = []
    glass: GlassRow = GlassRow()
    seen: list[PairRow] = []
    """What is opened for a quarter of an hour."""
    colleagues: list[list[str]] = []
    prepared: list[list[str]] = []
    """What can be answered to the opened ticket with one choice."""
    draft: str = ""
    form_key: str = ""
    """Another form, with fields of its own, for each answer."""
    needs_code: bool = True
    caller: CallerRow = CallerRow()
    caller_tickets: list[TicketRow] = []
    errors: dict[str, str] = NO_DESK_ERRORS.copy()

    _part: Part = Part.DUE

    @rx.event(background=True)
    @allow(*STAFF, quiet=True)
    async def follow(self):
        """Show each change of the queue and of the opened ticket."""
        async with self:
            if await renew(self):
                self.opened, self.form_key = _asked(self, "ticket"), secrets.token_hex(16)
            actor = await actor_of(self)
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes_or_ticks(answering.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(*STAFF)
    async def choose_part(self, part: str):
        """Show another part of the queue."""
        if isinstance(part, str) and part in set(Part):
            self._part, self.page = Part(part), 1
            await self._show(await actor_of(self))

    @rx.event
    @allow(*STAFF)
    async def turn(self, page: int):
        """Show another page."""
        self.page = number(page) or 1
        await self._show(await actor_of(self))

    @rx.event
    @allow(*STAFF)
    async def open(self, ticket: str):
        """Open one ticket."""
        await hush(self)
        self._leave()
        self.opened = words_of(ticket, TICKET_LENGTH)
        await self._show(await actor_of(self))

    @rx.event
    @allow(*STAFF)
    async def leave(self):
        """Go back to the queue."""
        await hush(self)
        self._leave()

    @rx.event
    @allow(*STAFF)
    async def find(self, form: dict[str, Any]):
        """Open the ticket of a number."""
        self.errors = NO_DESK_ERRORS.copy()
        actor = await actor_of(self)
        try:
            found = await in_thread(answering.find, actor, text_of(form, "query", 40))
        except NotFound:
            self.errors = {**self.errors, "query": "Такого обращения нет. Проверьте номер."}
            return
        self._leave()
        self.opened = found.number
        await self._show(actor)

    @rx.event
    @allow(Role.SUPPORT)
    async def find_caller(self, form: dict[str, Any]):
        """Find who reads a code from their screen."""
        self.errors, self.caller, self.caller_tickets = NO_DESK_ERRORS.copy(), CallerRow(), []
        actor, now = await actor_of(self), clock.now()
        try:
            found = await in_thread(answering.caller, actor, text_of(form, "code", 40), now=now)
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
        except NotFound:
            self.errors = {
                **self.errors,
                "code": "Такого кода нет или он устарел. Попросите обновить страницу поддержки.",
            }
        except DomainError as error:
            self.errors = {**self.errors, "code": texts.sentence(error)}
        else:
            self.caller = rows.caller_row(found)
            self.caller_tickets = [rows.ticket_row(each, actor, now) for each in found.tickets]

    @rx.event
    @allow(*STAFF)
    async def take(self):
        """Take the opened ticket."""
        await self._do(answering.take, done="Обращение у вас.")

    @rx.event
    @allow(*STAFF)
    async def give(self, form: dict[str, Any]):
        """Give it to a colleague, or back to the queue."""
        said = text_of(form, "colleague", 20)
        whom = number(int(said)) if said.isascii() and said.isdigit() else 0
        await self._do(answering.give, whom, done="Обращение передано.")

    @rx.event
    @allow(*STAFF)
    async def keep_draft(self, text: str):
        """Keep what is typed, so that a prepared answer is put under it."""
        self.draft = str(text)[: 2 * TEXT_LIMIT]

    @rx.event
    @allow(*STAFF)
    async def use_prepared(self, key: str):
        """Put a prepared answer into the field, filled in, under what was typed."""
        actor, now, sought = await actor_of(self), clock.now(), words_of(key, 20)
        try:
            found = await in_thread(answering.thread, actor, self.opened, now=now)
        except NotFound:
            await self._show(actor)
            return
        offered = await in_thread(preparing.offered, actor, prepared.facts(found.ticket), now=now)
        text = next((each.text for each in offered if str(each.id) == sought), "")
        if text:
            self.draft = f"{self.draft.rstrip()}\n\n{text}" if self.draft.strip() else text
            self.form_key = secrets.token_hex(16)
        await self._show(actor)

    @rx.event
    @allow(*STAFF)
    async def answer(self, form: dict[str, Any]):
        """Answer the opened ticket."""
        self.draft = text_of(form, "text", 2 * TEXT_LIMIT + 1)
        key = text_of(form, "form_key", 40)
        if await self._do(answering.answer, self.draft, key, done="Ответ отправлен."):
            self.draft, self.form_key = "", secrets.token_hex(16)

    @rx.event
    @allow(*STAFF)
    async def note(self, form: dict[str, Any]):
        """Leave a note for colleagues."""
        said = text_of(form, "note", 2 * TEXT_LIMIT + 1)
        if await self._do(answering.note, said, done="Заметка сохранена."):
            self.form_key = secrets.token_hex(16)

    @rx.event
    @allow(*STAFF)
    async def hand(self, form: dict[str, Any]):
        """Hand the ticket over to the other desk."""
        said = text_of(form, "handing", 2 * TEXT_LIMIT + 1)
        if await self._do(answering.hand_over, said, done="Обращение передано."):
            self._leave()

    @rx.event
    @allow(*STAFF)
    async def settle(self):
        """Close the opened ticket."""
        await self._do(answering.settle, done="Обращение закрыто.")

    @rx.event
    @allow(Role.SUPPORT)
    async def hand_late(self, slug: str):
        """Hand a late application over to the operators."""
        actor = await actor_of(self)
        try:
            await in_thread(answering.hand_late, actor, words_of(slug, 40), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Заявка передана оператору.")
        await self._show(actor)

    @rx.event
    @allow(Role.SUPPORT)
    async def ask_glass(self, form: dict[str, Any]):
        """Ask for leave to see more of the holder."""
        said = text_of(form, "reason", 1000)
        await self._do_fresh(opening.ask, form, said, done="Запрос отправлен владельцу и коллегам.")

    @rx.event
    @allow(Role.SUPPORT)
    async def agree_glass(self, form: dict[str, Any]):
        """Let a colleague see more."""
        await self._do_fresh(opening.agree, form, done="Коллега видит данные 15 минут.")

    @rx.event
    @allow(Role.SUPPORT)
    async def decline_glass(self):
        """Refuse a colleague, or end what was opened."""
        self.seen = []
        await self._do(opening.decline, done="Данные закрыты.")

    @rx.event
    @allow(Role.SUPPORT)
    async def see(self):
        """Show what was opened."""
        actor = await actor_of(self)
        try:
            found = await in_thread(opening.see, actor, self.opened, now=clock.now())
        except DomainError as error:
            self.seen = []
            await warn(self, error)
        else:
            self.seen = rows.opened_rows(found)
        await self._show(actor)

    async def _do_fresh(
        self, act: Callable[..., None], form: dict[str, Any], *given: Any, done: str
    ) -> None:
        """Do one act with a fresh second factor (D13)."""
        self.errors = NO_DESK_ERRORS.copy()
        if await proven(self, text_of(form, "factor", 20), at="factor") is None:
            return
        await self._do(act, *given, done=done)

    async def _do(self, act: Callable[..., None], *given: Any, done: str) -> bool:
        """Do one act with the opened ticket; say whether it was done."""
        self.errors = NO_DESK_ERRORS.copy()
        actor = await actor_of(self)
        is_done = False
        try:
            await in_thread(act, actor, self.opened, *given, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return False
        except DomainError as error:
            self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
            await warn(self, error)
        else:
            is_done = True
            await say(self, done)
        await self._show(actor)
        return is_done

    def _leave(self) -> None:
        self.opened, self.ticket, self.thread = "", TicketRow(), ThreadRow()
        self.lines, self.glass, self.seen, self.draft = [], GlassRow(), [], ""
        self.form_key, self.errors = secrets.token_hex(16), NO_DESK_ERRORS.copy()

    async def _show(self, actor: Actor) -> None:
        now = clock.now()
        board = await in_thread(answering.board, actor, self._part, self.page, now=now)
        shown = [rows.ticket_row(each, actor, now) for each in board.rows]
        parts = rows.part_rows(board, self._part)
        late = [rows.late_row(each, actor) for each in board.late]
        if (shown, parts, late) != (self.rows, self.parts, self.late):
            self.rows, self.parts, self.late = shown, parts, late
        self.page, self.pages = board.page, board.pages
        if self.opened:
            try:
                found = await in_thread(answering.thread, actor, self.opened, now=now)
            except NotFound:
                self._leave()
            else:
                await self._show_thread(actor, found)
        self.is_loaded = True

    async def _show_thread(self, actor: Actor, found: Thread) -> None:
        lines, glass = rows.line_rows(found, actor), rows.glass_row(found.glass, actor)
        about = rows.ticket_row(found.ticket, actor, clock.now())
        row = rows.thread_row(found, actor)
        if lines != self.lines:
            self.lines = lines
        if (about, row, glass) != (self.ticket, self.thread, self.glass):
            self.ticket, self.thread, self.glass = about, row, glass
        facts = prepared.facts(found.ticket)
        offered = await in_thread(preparing.offered, actor, facts, now=clock.now())
        if (options := prepared.options(offered)) != self.prepared:
            self.prepared = options
        if self.seen and not (glass.state == "open" and glass.is_mine):
            # The time is over, or the holder has ended it.
            self.seen = []
        if not self.colleagues:
            known = await in_thread(answering.colleagues, actor)
            self.colleagues = rows.colleague_options(known, actor)


def _asked(state: rx.State, name: str) -> str:
    """Return what the address fills in; nothing where it is nothing of the kind."""
    text = words_of(state.router.url.query_parameters.get(name, ""), 40)
    if name != "error":
        return text
    try:
        return incident_of(text)
    except DomainError:
        return ""
