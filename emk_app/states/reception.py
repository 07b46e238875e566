"""The desk at the clinic's door, and the clinic's schedule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid, InvalidValue, NotFound, Required
from emk_app.domain.people import parse_date
from emk_app.domain.visits import Fate, VisitsAffected
from emk_app.edge.policy import allow
from emk_app.presenting import texts
from emk_app.presenting import visits as rows
from emk_app.presenting.visits import AffectedRow, LineRow, RoomRow
from emk_app.services import examining, scheduling, welcoming
from emk_app.services.scheduling import Decision
from emk_app.states import live
from emk_app.states.apply import number, words_of
from emk_app.states.session import actor_of, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

TEXT_LIMIT: Final = 150
FURTHEST: Final = timedelta(days=366)
"""How far from today the desk looks."""


class ReceptionState(rx.State):
    """The visits of one day."""

    rows: list[LineRow] = []
    title: str = ""
    is_today: bool = True
    is_loaded: bool = False
    may_receive: bool = False
    day_problem: str = ""
    number: str = ""
    """The number somebody has said, kept while their birth date is asked for."""
    needs_birth: bool = False
    number_problem: str = ""
    birth_problem: str = ""
    revision: int = 0
    """Counts the walk-ins: the form begins anew after each."""
    chosen: str = ""
    chosen_slug: str = ""
    chosen_name: str = ""
    """Whose case is about to be opened."""

    _day: str = ""
    """The day that is shown; empty for today."""
    _shown: str = ""

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the day while the page is open."""
        async with self:
            await renew(self, hushes=False)
            actor = await actor_of(self)
        async for _ in live.changes(f"clinic:{actor.clinic_id}"):
            async with self:
                await self._load(await actor_of(self))

    @rx.event
    @allow(Role.CLINIC)
    async def turn(self, days: int):
        """Go some days on or back."""
        step = days if isinstance(days, int) and not isinstance(days, bool) else 0
        await self._go(self._on() + timedelta(days=max(-7, min(step, 7))))

    @rx.event
    @allow(Role.CLINIC)
    async def show_today(self):
        """Go back to today."""
        self._day = ""
        await self._load(await actor_of(self))

    @rx.event
    @allow(Role.CLINIC)
    async def show_day(self, form: dict[str, Any]):
        """Go to a day as typed."""
        self.day_problem = ""
        try:
            wanted = parse_date(text_of(form, "day", TEXT_LIMIT))
        except InvalidValue as error:
            self.day_problem = texts.sentence(error)
            return
        await self._go(wanted)

    @rx.event
    @allow(Role.CLINIC)
    async def arrive(self, uid: str):
        """Note that somebody is there."""
        await self._mark(welcoming.arrive, uid, rows.ARRIVED)

    @rx.event
    @allow(Role.CLINIC)
    async def miss(self, uid: str):
        """Note that somebody has not come."""
        await self._mark(welcoming.miss, uid, rows.MISSED)

    @rx.event
    @allow(Role.CLINIC)
    async def walk_in(self, form: dict[str, Any]):
        """Receive somebody who came without booking, by the number they say."""
        self.number_problem = self.birth_problem = ""
        actor = await actor_of(self)
        said, born = text_of(form, "walk_in", TEXT_LIMIT), text_of(form, "born_on", TEXT_LIMIT)
        if not said.strip():
            self.number_problem = texts.sentence(Required())
            return
        self.number = said
        try:
            await in_thread(welcoming.walk_in, actor, said, born, now=clock.now())
        except NotFound:
            self.number_problem = rows.UNKNOWN_NUMBER
        except Required:
            self.birth_problem = rows.BIRTH_NEEDED if not self.needs_birth else ""
            self.needs_birth = True
        except InvalidValue as error:
            if self.needs_birth and born.strip():
                self.birth_problem = texts.sentence(error)
            else:
                self.number_problem = texts.sentence(error)
        except DomainError as error:
            await warn(self, error)
        else:
            self.number, self.needs_birth = "", False
            self.revision += 1
            self._day = ""
            await say(self, rows.ARRIVED)
        await self._load(actor)

    @rx.event
    @allow(Role.CLINIC)
    def choose(self, slug: str):
        """Note whose case the window asks about."""
        wanted = str(slug)[:TEXT_LIMIT]
        row = next((each for each in self.rows if each.slug == wanted), None)
        self.chosen_slug = row.slug if row else ""
        self.chosen, self.chosen_name = (row.number, row.name) if row else ("", "")

    @rx.event
    @allow(Role.CLINIC)
    async def open_case(self):
        """Open the examination that was chosen and go to its page."""
        actor = await actor_of(self)
        try:
            examination_id = await in_thread(
                examining.open_case, actor, self.chosen_slug, now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect(f"/clinic/exams/{examination_id}")

    async def _mark(self, act: Callable[..., None], uid: Any, done: str) -> None:
        actor = await actor_of(self)
        try:
            await in_thread(act, actor, words_of(uid, 64), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        await self._load(actor)

    async def _go(self, wanted: date) -> None:
        today = clock.today()
        on = max(today - FURTHEST, min(wanted, today + FURTHEST))
        self._day = on.isoformat()
        await self._load(await actor_of(self))

    async def _load(self, actor: Actor) -> None:
        on = date.fromisoformat(self._day) if self._day else None
        found = await in_thread(welcoming.day, actor, on, now=clock.now())
        self._shown = found.day.isoformat()
        self.is_today = found.day == found.today
        self.title = rows.day_title(found.day, found.today)
        lines = [rows.line_row(line) for line in found.lines]
        if lines != self.rows or not self.is_loaded:
            self.rows = lines
        self.may_receive, self.is_loaded = found.may_receive, True

    def _on(self) -> date:
        return date.fromisoformat(self._shown) if self._shown else clock.today()


class ScheduleState(rx.State):
    """The clinic's rooms and their hours."""

    is_loaded: bool = False
    is_closed_to: bool = False
    """Whoever looks may not change the schedule."""
    rooms: list[RoomRow] = []
    editing: int = -1
    """The room in the form: 0 for a new one, -1 for none."""
    fields: dict[str, str] = dict(rows.NEW_ROOM)
    works_on_holidays: bool = False
    errors: dict[str, str] = dict.fromkeys(rows.NEW_ROOM, "")
    summary: list[list[str]] = []
    revision: int = 0
    day_room: int = 0
    """The room whose form of a single day is open."""
    day_errors: dict[str, str] = {"day": "", "hours": ""}
    affected: list[AffectedRow] = []
    """Visits that the change meets, until it is decided what becomes of them."""
    question: str = ""
    closing: int = 0
    closing_name: str = ""

    _pending: dict[str, Any] = {}
    _met: list[int] = []

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the schedule and of what is booked by it."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
        async for _ in live.changes(f"rooms:{actor.clinic_id}", f"slots:{actor.clinic_id}"):
            async with self:
                await self._load(await actor_of(self))
                if self.is_closed_to:
                    return

    @rx.event
    @allow(Role.CLINIC)
    def begin(self):
        """Show the form of a new room."""
        self._fill(0, dict(rows.NEW_ROOM))

    @rx.event
    @allow(Role.CLINIC)
    async def edit(self, room_id: int):
        """Show the form of a room."""
        actor, wanted = await actor_of(self), number(room_id)
        found = await in_thread(scheduling.rooms, actor, now=clock.now())
        room = next((each for each in found if each.id == wanted), None)
        if room is not None:
            self._fill(room.id, rows.form_of(room.schedule))

    @rx.event
    @allow(Role.CLINIC)
    def leave(self):
        """Put the forms away unsaved."""
        self._forget()

    @rx.event
    @allow(Role.CLINIC)
    async def save(self, form: dict[str, Any]):
        """Save the room in the form."""
        typed = {name: text_of(form, name, TEXT_LIMIT) for name in rows.NEW_ROOM}
        self.fields = typed
        self.works_on_holidays = bool(typed["works_on_holidays"])
        self.errors, self.summary = dict.fromkeys(rows.NEW_ROOM, ""), []
        if self.editing == 0:
            await self._do({"act": "add", "fields": typed})
        elif self.editing > 0:
            await self._do({"act": "change", "fields": typed, **self._seen(self.editing)})

    @rx.event
    @allow(Role.CLINIC)
    def begin_day(self, room_id: int):
        """Show the form of a single day of a room."""
        self._forget()
        self.day_room = number(room_id)

    @rx.event
    @allow(Role.CLINIC)
    async def save_day(self, form: dict[str, Any]):
        """Set other hours, or none, for a single day."""
        self.day_errors = {"day": "", "hours": ""}
        said = {name: text_of(form, name, TEXT_LIMIT) for name in ("day", "hours")}
        await self._do({"act": "day", **said, **self._seen(self.day_room)})

    @rx.event
    @allow(Role.CLINIC)
    async def usual_day(self, room_id: int, day: str):
        """Let a single day go as usual again."""
        try:
            on = date.fromisoformat(str(day)[:10])
        except ValueError:
            return
        await self._do({"act": "usual", "on": on.isoformat(), **self._seen(number(room_id))})

    @rx.event
    @allow(Role.CLINIC)
    def ask_close(self, room_id: int):
        """Note which room the window asks about."""
        row = next((each for each in self.rooms if each.id == number(room_id)), None)
        self.closing, self.closing_name = (row.id, row.name) if row else (0, "")

    @rx.event
    @allow(Role.CLINIC)
    async def close_room(self):
        """Close the room for good."""
        if self.closing:
            await self._do({"act": "close", **self._seen(self.closing)})

    @rx.event
    @allow(Role.CLINIC)
    async def decide(self, fate: str):
        """Do what was held up, and with the visits that it meets what was chosen."""
        if self._pending and str(fate) in set(Fate):
            await self._do(self._pending, Decision(Fate(str(fate)), frozenset(self._met)))

    @rx.event
    @allow(Role.CLINIC)
    def change_mind(self):
        """Leave the schedule as it is."""
        self._pending, self._met = {}, []
        self.affected, self.question = [], ""

    async def _do(self, wish: dict[str, Any], decision: Decision | None = None) -> None:
        actor = await actor_of(self)
        try:
            await in_thread(_carry_out, actor, wish, decision)
        except VisitsAffected as error:
            met = await in_thread(scheduling.affected, actor, error.visits, now=clock.now())
            self._pending, self._met = wish, [each.id for each in met]
            self.affected = [rows.affected_row(each) for each in met]
            self.question = texts.sentence(error)
        except Invalid as error:
            said = texts.field_sentences(error)
            if wish["act"] == "day":
                self.day_errors = self.day_errors | said
            else:
                self.errors = self.errors | said
                self.summary = rows.summary(said)
        except DomainError as error:
            await warn(self, error)
            self._forget()
        else:
            await say(self, rows.ROOM_CLOSED if wish["act"] == "close" else rows.SAVED)
            self._forget()
        await self._load(actor)

    async def _load(self, actor: Actor) -> None:
        try:
            found = await in_thread(scheduling.rooms, actor, now=clock.now())
        except DomainError:
            self.is_loaded = self.is_closed_to = True
            return
        self.is_closed_to = False
        shown = [rows.room_row(room, clock.today()) for room in found]
        if shown != self.rooms or not self.is_loaded:
            self.rooms, self.is_loaded = shown, True

    def _fill(self, room_id: int, fields: dict[str, str]) -> None:
        self._forget()
        self.editing, self.fields = room_id, fields
        self.works_on_holidays = bool(fields["works_on_holidays"])
        self.revision += 1

    def _forget(self) -> None:
        self.editing, self.day_room = -1, 0
        self.errors, self.summary = dict.fromkeys(rows.NEW_ROOM, ""), []
        self.day_errors = {"day": "", "hours": ""}
        self._pending, self._met = {}, []
        self.affected, self.question = [], ""

    def _seen(self, room_id: int) -> dict[str, int]:
        """Return a room and the version of it that the screen shows."""
        row = next((each for each in self.rooms if each.id == room_id), None)
        return {"room": room_id, "seen": row.version if row else 0}


def _carry_out(actor: Actor, wish: dict[str, Any], decision: Decision | None) -> None:
    now = clock.now()
    if wish["act"] == "add":
        scheduling.add(actor, wish["fields"], now=now)
        return
    more: dict[str, Any] = {"seen": wish["seen"], "decision": decision, "now": now}
    match wish["act"]:
        case "change":
            scheduling.change(actor, wish["room"], wish["fields"], **more)
        case "day":
            scheduling.except_day(actor, wish["room"], wish["day"], wish["hours"], **more)
        case "usual":
            on = date.fromisoformat(wish["on"])
            scheduling.usual_day(actor, wish["room"], on, **more)
        case _:
            scheduling.close(actor, wish["room"], **more)
